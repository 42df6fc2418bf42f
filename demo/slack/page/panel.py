"""What the page shows of a cluster beside the workspace, and what its buttons do there."""

from typing import Protocol

from demo.slack.errors import JsonObject


class Panel(Protocol):
    """A cluster with levers that break and mend it."""

    def state(self) -> JsonObject:
        """Its teams with their workloads, its levers and its last events; cheap, for it is asked each second."""

    async def act(self, name: str) -> None:
        """Pulls a lever. Raises LookupError for a name that is none."""
