"""A cluster's panel for the page's own tests: one team, one lever, no cluster behind."""

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class OneLever:
    """Says what was pulled."""

    broken: bool = False
    pulled: list[str] = field(default_factory=list)

    def state(self) -> dict[str, Any]:
        trouble = "service account made anew: tokens refused"
        workloads = [
            {
                "kind": "Deployment",
                "name": "checkout",
                "ready": 2,
                "wanted": 2,
                "state": "trouble" if self.broken else "fine",
                "note": trouble if self.broken else "",
            },
            {"kind": "CronJob", "name": "reports", "ready": 0, "wanted": 0, "state": "fine", "note": ""},
        ]
        lever = {
            "name": "checkout",
            "namespace": "shop",
            "label": "Recreate checkout's service account",
            "broken": self.broken,
            "break": "break-checkout",
            "mend": "mend-checkout",
        }
        team = {"namespace": "shop", "title": "Shop", "workloads": workloads, "accounts": ["checkout", "ci"]}
        events = [{"at": time.time(), "text": name} for name in self.pulled]
        return {"name": "prod", "version": "v1.34.1", "teams": [team], "levers": [lever], "events": events}

    async def act(self, name: str) -> None:
        if name not in ("break-checkout", "mend-checkout"):
            raise LookupError(f"There is no lever {name}.")
        self.broken = name == "break-checkout"
        self.pulled.append(name)
