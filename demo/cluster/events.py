"""Events: what controllers and kubelets tell of objects; the same again is counted, an hour later it is forgotten."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from demo.cluster import resources as r
from demo.cluster.agenda import Agenda
from demo.cluster.failures import StatusError
from demo.cluster.managed_fields import Writer
from demo.cluster.objects import JsonObject, meta, moment_of, name_of, namespace_of, stamp, uid_of
from demo.cluster.registry import How, Registry

LIFE = timedelta(hours=1)


@dataclass
class Recorder:
    """`since`: what is older than an event's life at the start of the cluster need not be told at all."""

    registry: Registry
    agenda: Agenda
    since: datetime
    _known: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def tell(
        self, about: JsonObject, reason: str, message: str, *, by: str, warning: bool = False, host: str = ""
    ) -> None:
        now = self.registry.clock.now()
        if now < self.since:
            return
        key = (uid_of(about), reason, message)
        namespace = namespace_of(about) or "default"
        known = self.registry.store.get(r.EVENTS, namespace, self._known.get(key, ""))
        how = How(Writer(by))
        if known is not None:
            again = {**known, "count": known["count"] + 1, "lastTimestamp": stamp(now)}
            self.registry.change(r.EVENTS, namespace, name_of(known), lambda _found: again, how)
            return
        manifest = _manifest(about, reason, message, now)
        manifest |= {"type": "Warning" if warning else "Normal", "reportingComponent": by, "reportingInstance": host}
        manifest["source"] = {"component": by, **({"host": host} if host else {})}
        try:
            found = self.registry.create(r.EVENTS, namespace, manifest, how)
        except StatusError:
            return  # the namespace is going, and nobody will ask
        self._known[key] = name_of(found)
        self.agenda.after(LIFE.total_seconds(), lambda: self._forget(key, namespace))

    def _forget(self, key: tuple[str, str, str], namespace: str) -> None:
        found = self.registry.store.get(r.EVENTS, namespace, self._known[key])
        if found is None:
            del self._known[key]
            return
        left = moment_of(found["lastTimestamp"]) + LIFE - self.registry.clock.now()
        if left > timedelta():
            self.agenda.after(left.total_seconds(), lambda: self._forget(key, namespace))
            return
        self.registry.delete(r.EVENTS, namespace, name_of(found))
        del self._known[key]


def _manifest(about: JsonObject, reason: str, message: str, now: datetime) -> JsonObject:
    return {
        "metadata": {"name": f"{name_of(about)}.{secrets.token_hex(8)}"},
        "involvedObject": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "name": name_of(about),
            **({"namespace": namespace_of(about)} if namespace_of(about) else {}),
            "uid": uid_of(about),
            "resourceVersion": meta(about).get("resourceVersion", ""),
        },
        "reason": reason,
        "message": message,
        "count": 1,
        "firstTimestamp": stamp(now),
        "lastTimestamp": stamp(now),
        "eventTime": None,
    }
