"""What a scenario's steps do, played in the past or done now."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeAlias

from demo.cluster import resources as r
from demo.cluster.admission import Denial
from demo.cluster.authentication import INVALID_SINCE, RefusedError
from demo.cluster.controllers.context import MANAGER as CONTROLLER_MANAGER
from demo.cluster.durations import duration
from demo.cluster.faults import Fault, Faults
from demo.cluster.issuing import TokenSpec
from demo.cluster.keys import SigningKey
from demo.cluster.machinery import Machinery
from demo.cluster.managed_fields import Writer
from demo.cluster.nodes import MANAGER
from demo.cluster.objects import JsonObject, clone, key_of, labels_of, meta, stamp
from demo.cluster.passing import let_pass
from demo.cluster.patching import strategically_merged
from demo.cluster.registry import How
from demo.cluster.resources import BY_KIND, RBAC, STORED, Resource
from demo.cluster.scenario import Denying, Generated, Kubeconfig, Reference, Scenario, Step, Team, Workload, documents
from demo.cluster.secret_data import token_in
from demo.cluster.validation import ACCOUNT_NAME, TOKEN_SECRET

Deed: TypeAlias = Callable[[], None]

_KINDS = {resource.kind: resource for resource in STORED}
_HELM, _KUBECTL, _OPERATOR = How(Writer("helm")), How(Writer("kubectl")), How(Writer("kubeconfig-operator"))
_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


@dataclass
class Stage:
    machinery: Machinery
    faults: Faults
    _foreign: SigningKey | None = None

    def play(self, scenario: Scenario) -> None:
        """All that has happened until the start, oldest first."""
        deeds = sorted(self._deeds(scenario), key=lambda pair: pair[0], reverse=True)
        for age, deed in deeds:
            self.machinery.agenda.play(self.machinery.start - age)
            deed()
        self.machinery.agenda.play(self.machinery.start)

    def _deeds(self, scenario: Scenario) -> Iterator[tuple[timedelta, Deed]]:
        # The oldest of all things: whoever else is to be there is there before the teams are.
        oldest = max((duration(team.age) for team in scenario.teams.values()), default=timedelta())
        for name in scenario.manifests:
            yield oldest + timedelta(days=1), partial(self._create_all, name)
        yield oldest, partial(self._make_people, scenario)
        for namespace, team in scenario.teams.items():
            yield from self._team(namespace, team)
        for step in scenario.story:
            yield duration(step.age), partial(self.do, step)

    def _team(self, namespace: str, team: Team) -> Iterator[tuple[timedelta, Deed]]:
        age = duration(team.age)
        yield age, partial(self._make_namespace, namespace, team)
        for workload in team.workloads:
            manifest = _manifest(namespace, workload)
            yield duration(workload.age), partial(self.create, manifest, _HELM)

    def _make_people(self, scenario: Scenario) -> None:
        administrators = [{"kind": "User", "name": each} for each in scenario.administrators]
        if administrators:
            reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
            manifest = {"metadata": {"name": "platform-admins"}, "roleRef": reference, "subjects": administrators}
            self.machinery.registry.create(r.CLUSTER_ROLE_BINDINGS, "", manifest, _KUBECTL)
        engineers = [{"kind": "User", "name": each} for each in scenario.engineers]
        for namespace, team in scenario.teams.items():
            if engineers and team.engineers:
                place = {"name": "engineers", "namespace": namespace}
                reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "edit"}
                manifest = {"metadata": place, "roleRef": reference, "subjects": engineers}
                age = self.machinery.start - duration(team.age) + timedelta(minutes=1)
                seconds = (age - self.machinery.clock.now()).total_seconds()
                self.machinery.agenda.after(seconds, partial(self._bind, manifest))

    def _bind(self, manifest: JsonObject) -> None:
        self.machinery.registry.create(r.ROLE_BINDINGS, meta(manifest)["namespace"], manifest, _KUBECTL)

    def _make_namespace(self, namespace: str, team: Team) -> None:
        registry = self.machinery.registry
        if registry.store.get(r.NAMESPACES, "", namespace) is None:
            registry.create(r.NAMESPACES, "", {"metadata": {"name": namespace}}, _KUBECTL)
        for name in team.accounts:
            registry.create(r.SERVICE_ACCOUNTS, namespace, {"metadata": {"name": name}}, _HELM)
        for name, resources in team.may.items():
            for manifest in _grant(namespace, name, resources):
                self.create(manifest, _HELM)

    def do(self, step: Step) -> None:
        """Raises StatusError where the API server would."""
        if step.create is not None:
            self.create(step.create, _KUBECTL)
        if step.delete is not None:
            resource = _KINDS[step.delete.kind]
            self.machinery.registry.delete(resource, step.delete.namespace, step.delete.name, how=_KUBECTL)
        if step.patch is not None:
            self._patch(step.patch, step.patch.merge)
        if step.restart is not None:
            at = stamp(self.machinery.clock.now())
            self._patch(step.restart, {"spec": {"template": {"metadata": {"annotations": {_RESTARTED_AT: at}}}}})
        self._tamper(step)
        self._disturb(step)

    def _tamper(self, step: Step) -> None:
        if step.foreign_secret is not None:
            self._make_foreign_secret(step.foreign_secret)
        if step.kubeconfig_secret is not None:
            self._make_kubeconfig_secret(step.kubeconfig_secret)
        if step.generated_secret is not None:
            self._generate(step.generated_secret)
        if step.use is not None:
            self._use(step.use)
        if step.invalidate is not None:
            day = self.machinery.clock.now().strftime("%Y-%m-%d")
            self._patch(step.invalidate, {"metadata": {"labels": {INVALID_SINCE: day}}})
        if step.let_pass is not None:
            resource = _KINDS[step.let_pass.kind]
            found = self.machinery.registry.get(resource, step.let_pass.namespace, step.let_pass.name)
            let_pass(self.machinery, found, duration(step.let_pass.by))

    def _disturb(self, step: Step) -> None:
        machinery = self.machinery
        if step.deny is not None:
            self._deny(step.deny)
        if step.fault is not None:
            said = step.fault
            self.faults.add(Fault(said.kind, said.times, said.seconds, said.verb, said.resource))
        if step.clear_faults:
            self.faults.clear()
        if step.lag is not None:
            machinery.nodes.behind[step.lag.node] = duration(step.lag.behind)
            machinery.nodes.renew(step.lag.node)
        if step.stop_node:
            machinery.nodes.stop(step.stop_node)
            machinery.kubelets.stopped_nodes.add(step.stop_node)
        if step.start_node:
            machinery.kubelets.stopped_nodes.discard(step.start_node)
            machinery.nodes.start(step.start_node)
        if step.controller_manager:
            self._run_controller_manager(runs=step.controller_manager == "start")

    def create(self, manifest: JsonObject, how: How) -> None:
        resource = BY_KIND[manifest["apiVersion"], manifest["kind"]]
        namespace = meta(manifest).get("namespace", "") if resource.namespaced else ""
        self.machinery.registry.create(resource, namespace, manifest, how)

    def _create_all(self, name: str) -> None:
        for each in documents(name):
            self.create(each, _KUBECTL)

    def _patch(self, reference: Reference, merge: JsonObject) -> None:
        resource, registry = _KINDS[reference.kind], self.machinery.registry

        def change(found: JsonObject) -> JsonObject:
            return strategically_merged(found, merge)

        registry.change(resource, reference.namespace, reference.name, change, _KUBECTL)

    def _deny(self, said: Denying) -> None:
        """The controllers look again once a denial is lifted."""
        resource: Resource = _KINDS[said.kind]
        registry = self.machinery.registry
        kept = [each for each in registry.denials if (each.namespace, each.resource) != (said.namespace, resource)]
        if said.message:
            kept.append(Denial(said.namespace, resource, said.writer, said.message))
        registry.denials[:] = kept
        self.machinery.token_secrets.look_at_all(said.namespace)

    def _run_controller_manager(self, *, runs: bool) -> None:
        """Of it, nothing but the token controller is missed: its Lease is renewed no more, and its pod is down."""
        machinery = self.machinery
        machinery.token_secrets.runs = runs
        (machinery.nodes.silent.discard if runs else machinery.nodes.silent.add)(MANAGER)
        pods = machinery.store.items(r.PODS, "kube-system")
        pod = next(each for each in pods if labels_of(each).get("component") == MANAGER)
        status, now = clone(pod["status"]), stamp(machinery.clock.now())
        for each in status["containerStatuses"]:
            started = each["state"].get("running", {}).get("startedAt", now)
            ended = {"exitCode": 1, "reason": "Error", "startedAt": started, "finishedAt": now}
            waiting = {"reason": "CrashLoopBackOff", "message": f"back-off 5m0s restarting failed container={MANAGER}"}
            each["state"] = {"running": {"startedAt": now}} if runs else {"waiting": waiting}
            each["lastState"] = {"terminated": {**ended, "containerID": each.get("containerID", "")}}
            each["ready"] = each["started"] = runs
            each["restartCount"] += 0 if runs else 1
        machinery.registry.change_status(r.PODS, *key_of(pod), status, How(Writer("kubelet")))
        if runs:
            machinery.token_secrets.look_at_all()

    def _make_foreign_secret(self, reference: Reference) -> None:
        self._foreign = self._foreign or SigningKey()
        account = {"metadata": {"name": reference.name, "namespace": reference.namespace, "uid": "0" * 8}}
        minter = type(self.machinery.minter)(self._foreign, self.machinery.clock)
        token = minter.bound(account, TokenSpec(seconds=365 * 24 * 3600))
        self._make_secret(reference, {"token": token}, _KUBECTL)

    def _generate(self, wanted: Generated) -> None:
        place = {"name": wanted.name, "namespace": wanted.namespace, "annotations": {ACCOUNT_NAME: wanted.account}}
        manifest = {"metadata": place, "type": TOKEN_SECRET}
        self.machinery.registry.create(r.SECRETS, wanted.namespace, manifest, CONTROLLER_MANAGER)

        def list_it(found: JsonObject) -> JsonObject:
            return {**found, "secrets": [*(found.get("secrets") or []), {"name": wanted.name}]}

        registry = self.machinery.registry
        registry.change(r.SERVICE_ACCOUNTS, wanted.namespace, wanted.account, list_it, CONTROLLER_MANAGER)

    def _use(self, reference: Reference) -> None:
        """Accepted or not: the API server writes the day down either way."""
        secret = self.machinery.registry.get(r.SECRETS, reference.namespace, reference.name)
        with suppress(RefusedError):
            self.machinery.authenticator.judge(token_in(secret))

    def _make_kubeconfig_secret(self, reference: Kubeconfig) -> None:
        account = self.machinery.registry.get(r.SERVICE_ACCOUNTS, reference.namespace, reference.name)
        made = self.machinery.clock.now() - duration(reference.made_ago)
        spec = TokenSpec(seconds=int(duration(reference.lasts).total_seconds()), at=made)
        token = self.machinery.minter.bound(account, spec)
        server = "https://kubernetes.default.svc"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "own", "cluster": {"server": server}}],
            "users": [{"name": reference.name, "user": {"token": token}}],
            "contexts": [{"name": "own", "context": {"cluster": "own", "user": reference.name}}],
            "current-context": "own",
        }
        named = Reference(kind="Secret", namespace=reference.namespace, name=f"{reference.name}-kubeconfig")
        self._make_secret(named, {"value": json.dumps(config)}, _OPERATOR)

    def _make_secret(self, reference: Reference, data: dict[str, str], how: How) -> None:
        manifest = {"metadata": {"name": reference.name}, "stringData": data}
        self.machinery.registry.create(r.SECRETS, reference.namespace, manifest, how)


def _grant(namespace: str, account: str, resources: tuple[str, ...]) -> list[JsonObject]:
    rules = [
        {
            "apiGroups": [each.partition(".")[2]],
            "resources": [each.partition(".")[0]],
            "verbs": ["get", "list", "watch"],
        }
        for each in resources
    ]
    place = {"name": account, "namespace": namespace}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    reference = {"apiGroup": RBAC, "kind": "Role", "name": account}
    version = f"{RBAC}/v1"
    return [
        {"apiVersion": version, "kind": "Role", "metadata": place, "rules": rules},
        {"apiVersion": version, "kind": "RoleBinding", "metadata": place, "roleRef": reference, "subjects": [subject]},
    ]


def _manifest(namespace: str, workload: Workload) -> JsonObject:
    labels = {"app.kubernetes.io/name": workload.name}
    container = strategically_merged({"name": "app", "image": workload.image}, workload.container)
    pod = strategically_merged({"serviceAccountName": workload.account, "containers": [container]}, workload.pod)
    template = {"metadata": {"labels": labels}, "spec": pod}
    metadata = {"name": workload.name, "namespace": namespace, "labels": labels}
    if workload.kind in {"Job", "CronJob"}:
        pod.setdefault("restartPolicy", "Never")
        spec: JsonObject = {"template": template, "backoffLimit": 0}
        if workload.kind == "CronJob":
            spec = {"schedule": "0 3 * * *", "jobTemplate": {"spec": spec}}
        return {
            "apiVersion": "batch/v1",
            "kind": workload.kind,
            "metadata": metadata,
            "spec": {**spec, **workload.spec},
        }
    spec = {"selector": {"matchLabels": labels}, "template": template}
    if workload.kind != "DaemonSet":
        spec["replicas"] = workload.replicas
    if workload.kind == "StatefulSet":
        spec["serviceName"] = workload.name
    spec = strategically_merged(spec, workload.spec)
    return {"apiVersion": "apps/v1", "kind": workload.kind, "metadata": metadata, "spec": spec}
