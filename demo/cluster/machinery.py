"""The cluster without its API server: objects, controllers, kubelets, and the programs in the pods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import yaml

from demo.cluster import resources as r
from demo.cluster.agenda import Agenda
from demo.cluster.authentication import Authenticator
from demo.cluster.authorization import Authorizer
from demo.cluster.certificates import Authority, new_authority
from demo.cluster.clock import Clock
from demo.cluster.component_log import ComponentLog
from demo.cluster.controllers.accounts import Accounts
from demo.cluster.controllers.budgets import Budgets
from demo.cluster.controllers.context import Context
from demo.cluster.controllers.daemon_sets import DaemonSets
from demo.cluster.controllers.deployments import Deployments
from demo.cluster.controllers.garbage import Garbage
from demo.cluster.controllers.jobs import Jobs
from demo.cluster.controllers.replica_sets import ReplicaSets
from demo.cluster.controllers.stateful_sets import StatefulSets
from demo.cluster.controllers.token_cleaner import TRACKING, TokenCleaner
from demo.cluster.controllers.token_secrets import TokenSecrets
from demo.cluster.events import LIFE, Recorder
from demo.cluster.issuing import Minter
from demo.cluster.keys import SigningKey
from demo.cluster.kubelet import Kubelets, Pace
from demo.cluster.logs import Logs
from demo.cluster.managed_fields import Writer
from demo.cluster.mounts import Mounts
from demo.cluster.nodes import API_SERVER, ETCD, MANAGER, SCHEDULER, VERSION, Nodes, container_of
from demo.cluster.processes import Processes
from demo.cluster.programs import Program, World
from demo.cluster.registry import How, Registry
from demo.cluster.resources import RBAC
from demo.cluster.scheduling import Scheduler
from demo.cluster.store import Store

HISTORY = timedelta(minutes=50)
"""So much of what programs did before the start is written down."""

_CLUSTER_AGE = timedelta(days=1500)
"""It began with Kubernetes 1.23, which still made a token Secret for every service account."""
_USES_RECORDED = timedelta(days=725)
"""For so long: since the update to 1.28 or so."""
_BOOTSTRAP = Path(__file__).with_name("bootstrap.yaml")
_SILENT = Program(says=())
_CONTROL_PLANE = {
    **{f"registry.k8s.io/{name}:{VERSION}": _SILENT for name in (API_SERVER, MANAGER, SCHEDULER)},
    f"registry.k8s.io/{ETCD}:3.6.8-0": _SILENT,
}
_API_SERVER = How(Writer("kube-apiserver"))


@dataclass
class Machinery:
    """Made as it was on its first day; the clock stands still until the agenda begins."""

    start: datetime
    programs: Mapping[str, Program]
    nodes_wanted: Sequence[str]
    pace: Pace = field(default_factory=Pace)
    clock: Clock = field(default_factory=Clock)
    authority: Authority = field(default_factory=new_authority)
    key: SigningKey = field(default_factory=SigningKey)
    logs: Logs = field(default_factory=Logs)

    def __post_init__(self) -> None:
        self.clock.stopped_at = self.start - _CLUSTER_AGE
        self.agenda = Agenda(self.clock)
        self.store = Store()
        self.registry = Registry(self.store, self.clock)
        self.minter = Minter(self.key, self.clock)
        self.mounts = Mounts(self.store, self.minter)
        self.authenticator = Authenticator(self.registry, [self.key])
        self.authorizer = Authorizer(self.store)
        events = Recorder(self.registry, self.agenda, self.start - LIFE)
        self.context = Context(self.registry, self.agenda, self.clock, events)
        self.nodes = Nodes(self.context)
        self._first_objects()
        pods = self.store.items(r.PODS, "kube-system")
        self.log = ComponentLog(self.logs, self.clock, container_of(pods, API_SERVER))
        self._manager_log = ComponentLog(self.logs, self.clock, container_of(pods, MANAGER))
        self.token_secrets = TokenSecrets(self.context, self.minter, self.authority.pem, self._manager_log)
        world = World(
            clock=self.clock,
            agenda=self.agenda,
            logs=self.logs,
            mounts=self.mounts,
            authenticator=self.authenticator,
            authorizer=self.authorizer,
            api_server_log=self.log,
            history_from=self.start - HISTORY,
        )
        self.processes = Processes(self.store, {**_CONTROL_PLANE, **self.programs}, world)
        self.kubelets = Kubelets(self.context, self.processes, self.pace)
        self._run_controllers()

    def _first_objects(self) -> None:
        """Namespaces, roles, nodes, and the control plane's own pods."""
        with _BOOTSTRAP.open(encoding="utf-8") as file:
            wanted = yaml.safe_load(file)
        create = self.registry.create
        for name in wanted["namespaces"]:
            create(r.NAMESPACES, "", {"metadata": {"name": name}}, _API_SERVER)
        for name, rules in wanted["clusterroles"].items():
            create(r.CLUSTER_ROLES, "", {"metadata": {"name": name}, "rules": rules}, _API_SERVER)
        for name, groups in wanted["clusterrolebindings"].items():
            reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
            subjects = [{"kind": "Group", "name": each} for each in groups]
            manifest = {"metadata": {"name": name}, "roleRef": reference, "subjects": subjects}
            create(r.CLUSTER_ROLE_BINDINGS, "", manifest, _API_SERVER)
        self.agenda.after((_CLUSTER_AGE - _USES_RECORDED).total_seconds(), self._begin_to_record_uses)
        self.nodes.make(self.nodes_wanted)
        self.nodes.make_static_pods()

    def _begin_to_record_uses(self) -> None:
        manifest = {"metadata": {"name": TRACKING}, "data": {"since": self.clock.now().strftime("%Y-%m-%d")}}
        self.registry.create(r.CONFIG_MAPS, "kube-system", manifest, _API_SERVER)

    def _run_controllers(self) -> None:
        """They see what there is already, and every change from now on."""
        context = self.context
        TokenCleaner(context)
        reacting = (
            Accounts(context, self.authority.pem),
            self.token_secrets,
            Scheduler(context),
            self.kubelets,
            ReplicaSets(context),
            Deployments(context),
            StatefulSets(context),
            DaemonSets(context),
            Jobs(context),
            Budgets(context),
            Garbage(context),
        )
        past = [change for resource in (r.NAMESPACES, r.PODS) for change in self.store.since(resource, 0)]
        for controller in reacting:
            for change in past:
                controller.react(change)
            self.store.listeners.append(controller.react)

    def begin(self, host: str) -> None:
        """From now on time passes; `host` is the API server's address and port."""
        self.agenda.play(self.start)
        # The control plane's programs write so much that nothing of last week is left.
        self.logs.rotate(self._manager_log.container, self.start - HISTORY)
        self.nodes.begin_leases(host)
        self._publish_address(host)
        self.store.compact()
        self.agenda.begin()

    def _publish_address(self, host: str) -> None:
        """The EndpointSlice of `default/kubernetes`: where the API servers themselves are reached."""
        address, _, port = host.rpartition(":")
        manifest = {
            "metadata": {"name": "kubernetes", "labels": {"kubernetes.io/service-name": "kubernetes"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": [{"name": "https", "port": int(port), "protocol": "TCP"}],
        }
        self.registry.create(r.ENDPOINT_SLICES, "default", manifest, _API_SERVER)
