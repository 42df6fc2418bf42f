"""The kubelets of all nodes: pods are started, their containers restarted, and ended when they are deleted."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeAlias

from demo.cluster import resources as r
from demo.cluster.controllers.context import Context, is_active
from demo.cluster.failures import StatusError
from demo.cluster.managed_fields import Writer
from demo.cluster.objects import (
    JsonObject,
    Key,
    at_path,
    clone,
    is_leaving,
    key_of,
    name_of,
    namespace_of,
    stamp,
    uid_of,
)
from demo.cluster.processes import Processes
from demo.cluster.registry import Deletion, How
from demo.cluster.store import Change

_KUBELET = How(Writer("kubelet"))
_LONGEST_BACK_OFF = 300

Status: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Pace:
    """Seconds: from a pod's binding to its containers' start, from there to readiness, and from deletion to the end."""

    start: float = 1.2
    ready: float = 1.5
    stop: float = 1.0
    back_off: float = 10.0


@dataclass
class Kubelets:
    context: Context
    processes: Processes
    pace: Pace
    stopped_nodes: set[str] = field(default_factory=set)
    _started: set[str] = field(default_factory=set)
    _stuck: dict[str, Key] = field(default_factory=dict)

    def react(self, change: Change) -> None:
        if change.resource in {r.SECRETS, r.CONFIG_MAPS} and change.kind != "DELETED":
            self._try_stuck(namespace_of(change.found))
        if change.resource is not r.PODS:
            return
        pod = change.found
        if change.kind == "DELETED":
            self._forget(pod)
        elif is_leaving(pod):
            if change.before is None or not is_leaving(change.before):
                self._later(self.pace.stop, pod, self._end)
        elif pod["spec"].get("nodeName") and uid_of(pod) not in self._started:
            self._started.add(uid_of(pod))
            self._tell(pod, self._status(pod, "Pending", _waiting(pod, "ContainerCreating")))
            self._later(self.pace.start, pod, self._start)

    def _later(self, seconds: float, pod: JsonObject, work: Callable[[JsonObject], None]) -> None:
        """With the pod as it is then, unless it is another one or its node has stopped."""
        key, uid = key_of(pod), uid_of(pod)

        def run() -> None:
            live = self.context.registry.store.get(r.PODS, *key)
            if live is not None and uid_of(live) == uid and live["spec"].get("nodeName") not in self.stopped_nodes:
                work(live)

        self.context.agenda.after(seconds, run)

    def _try_stuck(self, namespace: str) -> None:
        for uid, key in [each for each in self._stuck.items() if each[1][0] == namespace]:
            pod = self.context.registry.store.get(r.PODS, *key)
            if pod is not None and uid_of(pod) == uid:
                self._later(self.pace.start, pod, self._start)

    def _start(self, pod: JsonObject) -> None:
        if is_leaving(pod) or at_path(pod, "status", "phase") == "Running":
            return
        problem = self.processes.problem(pod)
        if problem is not None:
            self._stuck[uid_of(pod)] = key_of(pod)
            self._wait(pod, problem.reason, problem.message)
            host = pod["spec"]["nodeName"]
            self.context.events.tell(pod, problem.event, problem.message, by="kubelet", warning=True, host=host)
            return
        self._stuck.pop(uid_of(pod), None)
        self.processes.mount(pod)
        now = stamp(self.context.clock.now())
        states = {each["name"]: {"running": {"startedAt": now}} for each in pod["spec"]["containers"]}
        for each in pod["spec"]["containers"]:
            self._say_started(pod, each)
        self._tell(pod, self._status(pod, "Running", states))
        for each in pod["spec"]["containers"]:
            self.processes.start(self._live(pod), each, self.exited)
        self._later(self.pace.ready, pod, self._make_ready)

    def _say_started(self, pod: JsonObject, container: JsonObject) -> None:
        image, host = container["image"], pod["spec"]["nodeName"]
        told = (
            ("Pulled", f'Container image "{image}" already present on machine and can be accessed by the pod'),
            ("Created", "Container created"),
            ("Started", "Container started"),
        )
        for reason, message in told:
            self.context.events.tell(pod, reason, message, by="kubelet", host=host)

    def _make_ready(self, pod: JsonObject) -> None:
        running = [each for each in _containers(pod) if "running" in each["state"]]
        if at_path(pod, "status", "phase") == "Running" and len(running) == len(pod["spec"]["containers"]):
            states = {each["name"]: each["state"] for each in _containers(pod)}
            self._tell(pod, self._status(pod, "Running", states, ready=True))

    def exited(self, pod: JsonObject, container: str, code: int) -> None:
        """A container's process has ended: its pod is over, or it is started again after a while."""
        live = self.context.registry.store.get(r.PODS, *key_of(pod))
        if live is None or uid_of(live) != uid_of(pod) or not is_active(live):
            return
        now = stamp(self.context.clock.now())
        before = next(each for each in _containers(live) if each["name"] == container)
        ended = {
            "containerID": before.get("containerID", ""),
            "exitCode": code,
            "reason": "Error" if code else "Completed",
            "startedAt": at_path(before, "state", "running", "startedAt") or now,
            "finishedAt": now,
        }
        policy = live["spec"]["restartPolicy"]
        states = {each["name"]: each["state"] for each in _containers(live)}
        if policy == "Never" or (policy == "OnFailure" and not code):
            states[container] = {"terminated": ended}
            self._tell(live, self._status(live, "Failed" if code else "Succeeded", states))
            return
        self._back_off(live, container, ended, states)

    def _back_off(self, pod: JsonObject, container: str, ended: JsonObject, states: dict[str, JsonObject]) -> None:
        count = next(each for each in _containers(pod) if each["name"] == container)["restartCount"]
        seconds = int(min(self.pace.back_off * 2**count, _LONGEST_BACK_OFF))
        place = f"{name_of(pod)}_{namespace_of(pod)}({uid_of(pod)})"
        whose = f"restarting failed container={container} pod={place}"
        told = f"back-off {_span(seconds)} {whose}"
        states[container] = {"waiting": {"reason": "CrashLoopBackOff", "message": told}}
        status = self._status(pod, "Running", states)
        for each in status["containerStatuses"]:
            if each["name"] == container:
                each["lastState"] = {"terminated": ended}
        self._tell(pod, status)
        host = pod["spec"]["nodeName"]
        self.context.events.tell(pod, "BackOff", f"Back-off {whose}", by="kubelet", warning=True, host=host)
        self._later(seconds, pod, lambda live: self._restart(live, container))

    def _restart(self, pod: JsonObject, container: str) -> None:
        if not is_active(pod):
            return
        now = stamp(self.context.clock.now())
        states = {each["name"]: each["state"] for each in _containers(pod)}
        states[container] = {"running": {"startedAt": now}}
        status = self._status(pod, "Running", states)
        for each in status["containerStatuses"]:
            if each["name"] == container:
                each["restartCount"] += 1
        self._tell(pod, status)
        self.processes.restart(self._live(pod), container, self.exited)
        self._later(self.pace.ready, pod, self._make_ready)

    def _wait(self, pod: JsonObject, reason: str, message: str) -> None:
        states = _waiting(pod, reason, "" if reason == "ContainerCreating" else message)
        self._tell(pod, self._status(pod, "Pending", states))

    def _end(self, pod: JsonObject) -> None:
        self.processes.stop(pod)
        self.context.registry.delete(r.PODS, *key_of(pod), Deletion(grace=0, uid=uid_of(pod)), _KUBELET)

    def _forget(self, pod: JsonObject) -> None:
        self.processes.forget(pod)
        self._started.discard(uid_of(pod))
        self._stuck.pop(uid_of(pod), None)

    def _status(self, pod: JsonObject, phase: str, states: dict[str, JsonObject], *, ready: bool = False) -> Status:
        status = _pod_status(pod, phase, states, ready=ready, now=stamp(self.context.clock.now()))
        node = self.context.registry.store.get(r.NODES, "", pod["spec"]["nodeName"]) or {}
        addresses = at_path(node, "status", "addresses") or [{"address": ""}]
        return status if phase == "Pending" else {**status, **_addresses(pod, addresses[0]["address"])}

    def _live(self, pod: JsonObject) -> JsonObject:
        return self.context.registry.get(r.PODS, *key_of(pod))

    def _tell(self, pod: JsonObject, status: Status) -> None:
        try:
            self.context.registry.change_status(r.PODS, *key_of(pod), status, _KUBELET)
        except StatusError as error:
            if error.code != HTTPStatus.NOT_FOUND:  # it was deleted meanwhile
                raise


def _containers(pod: JsonObject) -> list[JsonObject]:
    return at_path(pod, "status", "containerStatuses") or []


def _waiting(pod: JsonObject, reason: str, message: str = "") -> dict[str, JsonObject]:
    told = {"reason": reason, **({"message": message} if message else {})}
    return {each["name"]: {"waiting": told} for each in pod["spec"]["containers"]}


def _pod_status(pod: JsonObject, phase: str, states: dict[str, JsonObject], *, ready: bool, now: str) -> Status:
    before: JsonObject = pod.get("status") or {}
    known = {each["name"]: each for each in before.get("containerStatuses") or []}
    containers = [
        _container(pod, each, known.get(each["name"]), states[each["name"]], ready=ready)
        for each in pod["spec"]["containers"]
    ]
    held = {
        "PodReadyToStartContainers": phase != "Pending",
        "Initialized": True,
        "Ready": ready,
        "ContainersReady": ready,
        "PodScheduled": True,
    }
    dated = {each["type"]: each for each in before.get("conditions") or []}
    unready = " ".join(each["name"] for each in containers if not each["ready"])
    why = {"reason": "PodCompleted"} if phase == "Succeeded" else _unready(unready)
    conditions = []
    for kind, holds in held.items():
        told = {"type": kind, "status": "True" if holds else "False", "lastProbeTime": None}
        if not holds and kind != "PodReadyToStartContainers":
            told |= why
        same = dated.get(kind, {}).get("status") == told["status"]
        conditions.append({**told, "lastTransitionTime": dated[kind]["lastTransitionTime"] if same else now})
    return {
        "phase": phase,
        "conditions": conditions,
        "containerStatuses": containers,
        "qosClass": "BestEffort",
        "startTime": before.get("startTime") or now,
    }


def _unready(names: str) -> JsonObject:
    return {"reason": "ContainersNotReady", "message": f"containers with unready status: [{names}]"}


def _container(
    pod: JsonObject, spec: JsonObject, before: JsonObject | None, state: JsonObject, *, ready: bool
) -> JsonObject:
    is_running = "running" in state
    count = before["restartCount"] if before else 0
    image = spec["image"]
    found = {
        "name": spec["name"],
        "image": image,
        "imageID": "",
        "ready": ready and is_running,
        "restartCount": count,
        "started": is_running,
        "state": clone(state),
        "lastState": (before or {}).get("lastState", {}),
    }
    if is_running or "terminated" in state or count:
        run = hashlib.sha256(f"{uid_of(pod)}/{spec['name']}/{at_path(state, 'running', 'startedAt')}".encode())
        known = (before or {}).get("containerID") if not is_running or ready else None
        found["containerID"] = known or f"containerd://{run.hexdigest()}"
        found["imageID"] = f"{image.partition(':')[0]}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"
    return found


def _addresses(pod: JsonObject, host: str) -> Status:
    number = int(uid_of(pod)[:4], 16)
    address = host if pod["spec"].get("hostNetwork") else f"10.244.{number >> 8}.{number & 255}"
    return {"hostIP": host, "hostIPs": [{"ip": host}], "podIP": address, "podIPs": [{"ip": address}]}


def _span(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
