"""Time that passes for one workload at once: its pods are as old as if they had been started so much earlier."""

from datetime import timedelta

from demo.cluster import resources as r
from demo.cluster.machinery import Machinery
from demo.cluster.objects import Json, JsonObject, clone, meta, moment_of, stamp

_TIMES = {"creationTimestamp", "startTime", "startedAt", "lastTransitionTime"}


def let_pass(machinery: Machinery, workload: JsonObject, by: timedelta) -> None:
    """The tokens that its processes hold run out as they would have; its account is as old at least."""
    sets = machinery.context.made_by(workload, r.REPLICA_SETS)
    for each in sets:
        machinery.store.write(r.REPLICA_SETS, _older(each, by))
    for owner in (workload, *sets):
        for pod in machinery.context.made_by(owner):
            machinery.mounts.age(pod, by)
            for process in machinery.processes.of(pod):
                process.hold_that_of_the_start()
            machinery.store.write(r.PODS, _older(pod, by))
    namespace, name = meta(workload)["namespace"], workload["spec"]["template"]["spec"].get("serviceAccountName", "")
    account = machinery.store.get(r.SERVICE_ACCOUNTS, namespace, name)
    if account is not None:
        machinery.store.write(r.SERVICE_ACCOUNTS, _older(account, by))


def _older(found: JsonObject, by: timedelta) -> JsonObject:
    older = clone(found)
    _shift(older["metadata"], by)
    _shift(older.get("status"), by)
    return older


def _shift(value: Json, by: timedelta) -> None:
    """In place."""
    if isinstance(value, list):
        for each in value:
            _shift(each, by)
    if isinstance(value, dict):
        for name, each in value.items():
            if name in _TIMES and isinstance(each, str):
                value[name] = stamp(moment_of(each) - by)
            elif name != "managedFields":
                _shift(each, by)
