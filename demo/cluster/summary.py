"""The cluster's state in short, as a page shows it."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from demo.cluster import resources as r
from demo.cluster.controllers.context import is_active, is_ready
from demo.cluster.faults import Faults
from demo.cluster.machinery import Machinery
from demo.cluster.nodes import VERSION
from demo.cluster.objects import JsonObject, at_path, controller_of, meta, moment_of, name_of, namespace_of, stamp
from demo.cluster.printing import pod_status
from demo.cluster.programs import Process, is_recent
from demo.cluster.resources import Resource
from demo.cluster.scenario import Scenario, Trouble
from demo.cluster.secret_data import token_in

_KINDS = (r.DEPLOYMENTS, r.STATEFUL_SETS, r.DAEMON_SETS, r.JOBS)
_MOST_EVENTS = 30
_OLD = timedelta(days=300)
_BAD = {"refused", "forbidden", "no file", "elsewhere"}


@dataclass(frozen=True)
class Summary:
    machinery: Machinery
    scenario: Scenario
    faults: Faults

    def told(self) -> JsonObject:
        """Plain JSON: workloads, troubles that live, who is refused, events, acts, and the API server's faults."""
        workloads = [
            self._workload(resource, each) for resource in _KINDS for each in self.machinery.store.items(resource)
        ]
        return {
            "scenario": self.scenario.name,
            "version": VERSION,
            "now": stamp(self.machinery.clock.now()),
            "namespaces": [self._namespace(each) for each in self.machinery.store.items(r.NAMESPACES)],
            "workloads": sorted(workloads, key=lambda each: (each["namespace"], each["name"])),
            "troubles": [self._trouble(each) for each in self.scenario.troubles],
            "refused": [told for each in workloads if (told := each["trouble"])],
            "events": self._events(),
            "acts": [{"name": each.name, "label": each.label} for each in self.scenario.acts],
            "faults": [{"kind": each.kind, "times": each.times} for each in self.faults.left],
        }

    def _namespace(self, found: JsonObject) -> JsonObject:
        name = name_of(found)
        team = self.scenario.teams.get(name)
        accounts = [name_of(each) for each in self.machinery.store.items(r.SERVICE_ACCOUNTS, name)]
        return {"name": name, "title": team.title if team else "", "accounts": accounts}

    def _pods(self, found: JsonObject) -> list[JsonObject]:
        pods = self.machinery.context.made_by(found)
        for each in self.machinery.context.made_by(found, r.REPLICA_SETS):
            pods += self.machinery.context.made_by(each)
        return pods

    def _workload(self, resource: Resource, found: JsonObject) -> JsonObject:
        pods = self._pods(found)
        now = self.machinery.clock.now()
        wanted = at_path(found, "spec", "replicas") or at_path(found, "status", "desiredNumberScheduled") or 0
        owner = controller_of(found)
        told = {
            "namespace": namespace_of(found),
            "kind": resource.kind,
            "name": name_of(found),
            "wanted": wanted,
            "ready": sum(map(is_ready, pods)),
            "image": at_path(found, "spec", "template", "spec", "containers")[0]["image"],
            "account": at_path(found, "spec", "template", "spec", "serviceAccountName") or "default",
            "owner": f"{owner['kind']}/{owner['name']}" if owner else "",
            "pods": [{"name": name_of(each), "status": pod_status(each, now)} for each in pods],
        }
        return {**told, "trouble": self._refusal(found, pods)}

    def _refusal(self, found: JsonObject, pods: Iterable[JsonObject]) -> JsonObject | None:
        """The last bad answer that one of its pods got, where it got it lately."""
        bad = [each for each in self._processes(pods) if each.outcome in _BAD]
        if not bad:
            return None
        last = max(bad, key=lambda each: each.at or self.machinery.start)
        return {
            "workload": f"{namespace_of(found)}/{name_of(found)}",
            "outcome": last.outcome,
            "reason": last.reason,
            "at": stamp(last.at) if last.at else "",
            "pods": len(bad),
        }

    def _processes(self, pods: Iterable[JsonObject]) -> list[Process]:
        running = itertools.chain.from_iterable(self.machinery.processes.of(each) for each in pods if is_active(each))
        now = self.machinery.clock.now()
        return [each for each in running if is_recent(each.at, now, max(each.program.every, 300))]

    def _trouble(self, trouble: Trouble) -> JsonObject:
        told = {name: getattr(trouble, name) for name in ("name", "title", "target", "root", "mend")}
        return {**told, "routes": list(trouble.routes), "alive": self.is_alive(trouble)}

    def is_alive(self, trouble: Trouble) -> bool:
        namespace, *_, name = trouble.target.split("/")
        secret = self.machinery.store.get(r.SECRETS, namespace, name)
        if trouble.sign == "unfilled":
            return secret is not None and not token_in(secret)
        found = next((live for each in _KINDS if (live := self.machinery.store.get(each, namespace, name))), None)
        if found is None:
            return False
        pods = self._pods(found)
        if trouble.sign == "old":
            return any(self._age(each) > _OLD for each in pods if is_active(each))
        return any(each.outcome == trouble.sign for each in self._processes(pods))

    def _age(self, found: JsonObject) -> timedelta:
        return self.machinery.clock.now() - moment_of(meta(found)["creationTimestamp"])

    def _events(self) -> list[JsonObject]:
        found = self.machinery.store.items(r.EVENTS)
        newest = sorted(found, key=lambda each: moment_of(_at(each)), reverse=True)[:_MOST_EVENTS]
        return [
            {
                "at": _at(each),
                "type": each["type"],
                "reason": each["reason"],
                "about": _about(each["involvedObject"]),
                "message": each["message"],
            }
            for each in newest
        ]


def _at(event: JsonObject) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or meta(event)["creationTimestamp"])


def _about(found: JsonObject) -> str:
    return f"{found.get('namespace', '')}/{found['kind'].lower()}/{found['name']}".lstrip("/")
