"""The cluster as the page's panel shows it: by team, with one lever for what can be broken and mended."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from demo.cluster import ClusterServer
from demo.slack.errors import JsonObject

MOST_EVENTS = 20
BREAK, MEND = "break-", "mend-"
FIRST, LAST = "shop", ("kube-system", "token-doctor")
NOTES = {
    "refused": "its requests get 401",
    "forbidden": "its requests get 403",
    "no file": "finds no token",
    "elsewhere": "is refused by another system",
}
"""What can be seen from outside: why it is so is the bot's to say."""


@dataclass(frozen=True, slots=True)
class ClusterPanel:
    """Remembers what was pulled: not everything that is broken can be seen from outside."""

    cluster: ClusterServer
    _broken: dict[str, bool] = field(default_factory=dict)

    def state(self) -> JsonObject:
        return shown(self.cluster.state(), self._broken)

    async def act(self, name: str) -> None:
        await self.cluster.act(name)
        self._broken[_lever_of(name)] = name.startswith(BREAK)


def shown(state: JsonObject, broken: Mapping[str, bool]) -> JsonObject:
    """The page's form of a cluster's state; `broken` by lever, for those whose trouble the state does not tell."""
    return {
        "name": "prod",
        "version": state["version"],
        "teams": list(_teams(state)),
        "levers": list(_levers(state, broken)),
        "events": [_event(each) for each in reversed(state["events"][:MOST_EVENTS])],
    }


def _teams(state: JsonObject) -> Iterator[JsonObject]:
    """The shop's first and the cluster's own last; namespaces without workloads are left out."""
    for namespace in sorted(state["namespaces"], key=lambda each: (each["name"] != FIRST, each["name"] in LAST)):
        name = namespace["name"]
        own = [_workload(each) for each in state["workloads"] if each["namespace"] == name and not each["owner"]]
        if own:
            kept = {"title": namespace["title"], "accounts": namespace["accounts"]}
            yield {"namespace": name, "workloads": own, **kept}


def _workload(found: JsonObject) -> JsonObject:
    trouble = found["trouble"]
    rolling = found["ready"] != found["wanted"] and found["kind"] != "Job"
    note = NOTES.get(trouble["outcome"], trouble["outcome"]) if trouble else ""
    kept = {key: found[key] for key in ("kind", "name", "ready", "wanted")}
    return {**kept, "state": "trouble" if trouble else "rolling" if rolling else "fine", "note": note}


def _levers(state: JsonObject, broken: Mapping[str, bool]) -> Iterator[JsonObject]:
    """One for each pair of `break-…` and `mend-…`; broken while the trouble lives that the second one mends."""
    labels = {each["name"]: each["label"] for each in state["acts"]}
    mended = {each["mend"]: each for each in state["troubles"] if each["mend"]}
    homes = {each["name"]: each["namespace"] for each in state["workloads"]}
    for name in dict.fromkeys(map(_lever_of, labels)):
        trouble = mended.get(MEND + name)
        alive = trouble["alive"] if trouble else broken.get(name, False)
        yield {
            "name": name,
            "namespace": trouble["target"].partition("/")[0] if trouble else homes.get(name, ""),
            "label": labels.get((MEND if alive else BREAK) + name, ""),
            "broken": alive,
            "break": BREAK + name if BREAK + name in labels else "",
            "mend": MEND + name if MEND + name in labels else "",
        }


def _lever_of(act: str) -> str:
    return act.removeprefix(BREAK).removeprefix(MEND)


def _event(event: JsonObject) -> JsonObject:
    at = datetime.fromisoformat(event["at"]).timestamp()
    return {"at": at, "text": f"{event['about']}: {event['message']}"}
