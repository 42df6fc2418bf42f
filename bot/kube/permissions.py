"""What may be asked of an API server: each operation is both a request's path and the RBAC rule it needs."""

from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote

from msgspec import Struct

from bot.model import POD_MAKERS, ActionKind, Routes, Rule


class Operation(Struct, frozen=True, kw_only=True):
    """A verb on a resource; `pods/log` is a subresource, a resource that begins with a slash is a bare path.

    With a `name` it is of that one object only, and so is the rule.
    """

    verb: str
    resource: str
    group: str = ""
    namespaced: bool = True
    name: str = ""

    @property
    def method(self) -> str:
        return {"create": "POST", "patch": "PATCH", "delete": "DELETE"}.get(self.verb, "GET")

    def path(self, *, namespace: str = "", name: str = "") -> str:
        if self.resource.startswith("/"):
            return self.resource
        resource, _, subresource = self.resource.partition("/")
        parts = [f"/apis/{self.group}/v1" if self.group else "/api/v1"]
        if self.namespaced:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(resource)
        if name or self.name:
            parts.append(quote(name or self.name, safe=""))
        if subresource:
            parts.append(subresource)
        return "/".join(parts)

    def rule(self, namespace: str = "") -> Rule:
        """The rule that allows it; without a namespace, or where there is none, it needs a ClusterRole."""
        return Rule(verb=self.verb, resource=self.resource, group=self.group, namespace=namespace, name=self.name)


GET_VERSION = Operation(verb="get", resource="/version", namespaced=False)
GET_ISSUER = Operation(verb="get", resource="/.well-known/openid-configuration", namespaced=False)
GET_KEYS = Operation(verb="get", resource="/openid/v1/jwks", namespaced=False)
GET_METRICS = Operation(verb="get", resource="/metrics", namespaced=False)

GET_POD = Operation(verb="get", resource="pods")
LIST_PODS = Operation(verb="list", resource="pods")
GET_LOG = Operation(verb="get", resource="pods/log")
LIST_EVENTS = Operation(verb="list", resource="events")
GET_SERVICE_ACCOUNT = Operation(verb="get", resource="serviceaccounts")
GET_SECRET = Operation(verb="get", resource="secrets")
LIST_SECRETS = Operation(verb="list", resource="secrets")
# A namespace is read inside itself (a Role is enough); all of them are listed from outside.
GET_NAMESPACE = Operation(verb="get", resource="namespaces", namespaced=False)
LIST_NAMESPACES = Operation(verb="list", resource="namespaces", namespaced=False)
GET_CONFIG_MAP = Operation(verb="get", resource="configmaps")
GET_ROOT_CA = Operation(verb="get", resource="configmaps", name="kube-root-ca.crt")
GET_TOKEN_TRACKING = Operation(
    verb="get", resource="configmaps", name="kube-apiserver-legacy-service-account-token-tracking"
)
GET_NODE = Operation(verb="get", resource="nodes", namespaced=False)
LIST_ENDPOINT_SLICES = Operation(verb="list", resource="endpointslices", group="discovery.k8s.io")
GET_LEASE = Operation(verb="get", resource="leases", group="coordination.k8s.io")
LIST_LEASES = Operation(verb="list", resource="leases", group="coordination.k8s.io")

GET_OWNER = {
    "ReplicaSet": Operation(verb="get", resource="replicasets", group="apps"),
    "Deployment": Operation(verb="get", resource="deployments", group="apps"),
    "StatefulSet": Operation(verb="get", resource="statefulsets", group="apps"),
    "DaemonSet": Operation(verb="get", resource="daemonsets", group="apps"),
    "Job": Operation(verb="get", resource="jobs", group="batch"),
    "CronJob": Operation(verb="get", resource="cronjobs", group="batch"),
    "ReplicationController": Operation(verb="get", resource="replicationcontrollers"),
}
LIST_OWNED = {
    kind: Operation(verb="list", resource=operation.resource, group=operation.group)
    for kind, operation in GET_OWNER.items()
    if kind != "ReplicationController"
}
"""To find the pods of a workload, the workloads of a namespace, and names that come near."""

LIST_SERVICE_ACCOUNTS = Operation(verb="list", resource="serviceaccounts")
_RBAC = "rbac.authorization.k8s.io"
LIST_ROLE_BINDINGS = Operation(verb="list", resource="rolebindings", group=_RBAC)
LIST_ROLES = Operation(verb="list", resource="roles", group=_RBAC)
LIST_CLUSTER_ROLE_BINDINGS = Operation(verb="list", resource="clusterrolebindings", group=_RBAC, namespaced=False)
LIST_CLUSTER_ROLES = Operation(verb="list", resource="clusterroles", group=_RBAC, namespaced=False)

REVIEW_ACCESS = Operation(
    verb="create", resource="subjectaccessreviews", group="authorization.k8s.io", namespaced=False
)
REVIEW_TOKEN = Operation(verb="create", resource="tokenreviews", group="authentication.k8s.io", namespaced=False)
MINT_TOKEN = Operation(verb="create", resource="serviceaccounts/token")
CREATE_SERVICE_ACCOUNT = Operation(verb="create", resource="serviceaccounts")
DELETE_SERVICE_ACCOUNT = Operation(verb="delete", resource="serviceaccounts")
CREATE_SECRET = Operation(verb="create", resource="secrets")
DELETE_SECRET = Operation(verb="delete", resource="secrets")
PATCH_SECRET = Operation(verb="patch", resource="secrets")
PATCH_WORKLOAD = {
    kind: Operation(verb="patch", resource=GET_OWNER[kind].resource, group=GET_OWNER[kind].group)
    for kind in ("Deployment", "StatefulSet", "DaemonSet")
}
EVICT_POD = Operation(verb="create", resource="pods/eviction")
# Everybody who is authenticated may ask this about themselves (ClusterRole system:basic-user).
REVIEW_OWN_ACCESS = Operation(
    verb="create", resource="selfsubjectaccessreviews", group="authorization.k8s.io", namespaced=False
)
# The same for who they are (Kubernetes 1.28 and newer).
REVIEW_SELF = Operation(verb="create", resource="selfsubjectreviews", group="authentication.k8s.io", namespaced=False)
# Opening the websocket is a GET; from Kubernetes 1.35 on it needs `create` as well.
OPEN_EXEC = Operation(verb="get", resource="pods/exec")
CREATE_EXEC = Operation(verb="create", resource="pods/exec")


class Need(Struct, frozen=True, kw_only=True):
    """An operation that reading a facet takes. `where` is a namespace, TARGETS for the pod's own, "" for none.

    PROBES stands for the namespace of the controller probe.

    `optional` ones only make an answer better; without the others the facet is a Gap.
    """

    facet: str
    operation: Operation
    where: str = ""
    optional: bool = False


TARGETS = "*"
PROBES = "?"
CONTROL_PLANE = "kube-system"
NODE_LEASES = "kube-node-lease"
API_SERVERS = "default"

NEEDS: tuple[Need, ...] = (
    Need(facet="resolve", operation=GET_POD, where=TARGETS),
    *(Need(facet="resolve", operation=operation, where=TARGETS) for operation in GET_OWNER.values()),
    Need(facet="resolve", operation=GET_SERVICE_ACCOUNT, where=TARGETS),
    Need(facet="resolve", operation=LIST_PODS, where=TARGETS, optional=True),
    *(Need(facet="resolve", operation=operation, where=TARGETS, optional=True) for operation in LIST_OWNED.values()),
    Need(facet="resolve", operation=LIST_SERVICE_ACCOUNTS, where=TARGETS, optional=True),
    Need(facet="resolve", operation=GET_NAMESPACE, where=TARGETS, optional=True),
    Need(facet="resolve", operation=LIST_NAMESPACES, optional=True),
    *(Need(facet="manifest", operation=operation, where=TARGETS) for operation in GET_OWNER.values()),
    *(Need(facet="dependents", operation=LIST_OWNED[kind], where=TARGETS) for kind in ("ReplicaSet", "Job")),
    Need(facet="selected_pods", operation=LIST_PODS, where=TARGETS),
    Need(facet="pods", operation=LIST_PODS, where=TARGETS),
    Need(facet="pod", operation=GET_POD, where=TARGETS),
    Need(facet="namespace", operation=GET_NAMESPACE, where=TARGETS),
    *(Need(facet="owners", operation=operation, where=TARGETS) for operation in GET_OWNER.values()),
    Need(facet="node", operation=GET_NODE),
    Need(facet="node_lease", operation=GET_LEASE, where=NODE_LEASES),
    Need(facet="identity_leases", operation=LIST_LEASES, where=CONTROL_PLANE),
    Need(facet="events", operation=LIST_EVENTS, where=TARGETS),
    Need(facet="logs", operation=GET_LOG, where=TARGETS),
    Need(facet="service_account", operation=GET_SERVICE_ACCOUNT, where=TARGETS),
    Need(facet="namespace_token_secrets", operation=LIST_SECRETS, where=TARGETS),
    Need(facet="referenced_secrets", operation=GET_SECRET, where=TARGETS),
    Need(facet="secret", operation=GET_SECRET, where=TARGETS),
    Need(facet="secret_accounts", operation=GET_SERVICE_ACCOUNT, where=TARGETS),
    Need(facet="secret_users", operation=LIST_PODS, where=TARGETS),
    Need(facet="token_tracking", operation=GET_TOKEN_TRACKING, where=CONTROL_PLANE),
    Need(facet="peers", operation=LIST_PODS, where=TARGETS),
    Need(facet="role_bindings", operation=LIST_ROLE_BINDINGS, where=TARGETS),
    Need(facet="roles", operation=LIST_ROLES, where=TARGETS),
    Need(facet="cluster_role_bindings", operation=LIST_CLUSTER_ROLE_BINDINGS),
    Need(facet="cluster_roles", operation=LIST_CLUSTER_ROLES),
    Need(facet="access", operation=REVIEW_ACCESS),
    Need(facet="version", operation=GET_VERSION),
    Need(facet="discovery", operation=GET_ISSUER),
    Need(facet="discovery", operation=GET_KEYS),
    Need(facet="api_servers", operation=LIST_ENDPOINT_SLICES, where=API_SERVERS),
    Need(facet="control_plane_pods", operation=LIST_PODS, where=CONTROL_PLANE),
    Need(facet="controllers", operation=GET_LOG, where=CONTROL_PLANE),
    Need(facet="leader", operation=GET_LEASE, where=CONTROL_PLANE),
    Need(facet="namespace_defaults", operation=GET_SERVICE_ACCOUNT, where=TARGETS),
    Need(facet="namespace_defaults", operation=GET_ROOT_CA, where=TARGETS),
    Need(facet="published_issuer", operation=GET_ISSUER),
    Need(facet="published_issuer", operation=GET_KEYS),
    Need(facet="issuer_publication", operation=REVIEW_ACCESS),
    Need(facet="endpoint_discoveries", operation=GET_ISSUER),
    Need(facet="endpoint_discoveries", operation=GET_KEYS),
    Need(facet="endpoint_discoveries", operation=GET_VERSION),
    *(
        Need(facet="controller_probe", operation=operation, where=PROBES)
        for operation in (
            LIST_SERVICE_ACCOUNTS,
            LIST_SECRETS,
            CREATE_SERVICE_ACCOUNT,
            CREATE_SECRET,
            GET_SECRET,
            DELETE_SECRET,
            DELETE_SERVICE_ACCOUNT,
        )
    ),
    Need(facet="controller_probe", operation=REVIEW_TOKEN),
    Need(facet="authentication", operation=LIST_PODS, where=CONTROL_PLANE),
    # Not `get configmaps`: a ClusterRole would open all of them, for a file that hardly any cluster has there. The Gap
    # names the rule where it is wanted.
    Need(facet="authentication_files", operation=GET_POD, where=CONTROL_PLANE),
    Need(facet="token_counts", operation=GET_METRICS, optional=True),
    Need(facet="api_server_logs", operation=LIST_PODS, where=CONTROL_PLANE),
    Need(facet="api_server_logs", operation=GET_LOG, where=CONTROL_PLANE),
    Need(facet="secret_tokens", operation=GET_SECRET, where=TARGETS),
    Need(facet="secret_tokens", operation=REVIEW_TOKEN),
    Need(facet="embedded", operation=GET_SECRET, where=TARGETS),
    Need(facet="embedded", operation=REVIEW_TOKEN, optional=True),
    Need(facet="exec_tokens", operation=OPEN_EXEC, where=TARGETS),
    Need(facet="exec_tokens", operation=CREATE_EXEC, where=TARGETS),
    Need(facet="exec_tokens", operation=REVIEW_TOKEN),
    Need(facet="probe", operation=MINT_TOKEN, where=TARGETS),
    Need(facet="probe", operation=REVIEW_TOKEN),
)

_ROUTES: Mapping[str, Callable[[Routes], bool]] = {
    "exec_tokens": lambda routes: routes.exec,
    "probe": lambda routes: routes.probe,
    "secret_tokens": lambda routes: routes.secret_data,
    "embedded": lambda routes: routes.secret_data,
    "controller_probe": lambda routes: bool(routes.controller_probe),
}


def rules(routes: Routes, namespace: str) -> tuple[Rule, ...]:
    """Every rule that a check in the namespace takes with these routes switched on, each once.

    With namespace "" the target's may be any: all of it is for a ClusterRole.
    """
    places = {TARGETS: namespace, PROBES: routes.controller_probe}
    wanted = (
        need.operation.rule(places.get(need.where, need.where))
        for need in NEEDS
        if need.facet not in _ROUTES or _ROUTES[need.facet](routes)
    )
    return tuple(dict.fromkeys(wanted))


_RESTARTED = tuple(GET_OWNER[kind] for kind in PATCH_WORKLOAD)
_REVIEWED = (REVIEW_TOKEN, LIST_ENDPOINT_SLICES)

SECRET_USERS = (
    LIST_PODS,
    LIST_SERVICE_ACCOUNTS,
    *(LIST_OWNED[kind] for kind in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")),
)
"""Who may refer to a Secret: pods, accounts (imagePullSecrets), and what pods will be made from."""

EFFECT_NEEDS: Mapping[ActionKind, tuple[Operation, ...]] = {
    ActionKind.RESTART_WORKLOAD: (*PATCH_WORKLOAD.values(), *_RESTARTED, GET_SERVICE_ACCOUNT, LIST_PODS, LIST_EVENTS),
    ActionKind.DELETE_POD: (EVICT_POD, GET_POD, LIST_PODS, *(GET_OWNER[kind] for kind in POD_MAKERS)),
    ActionKind.CREATE_TOKEN_SECRET: (CREATE_SECRET, GET_SERVICE_ACCOUNT, GET_SECRET, *_REVIEWED),
    ActionKind.ROTATE_TOKEN_SECRET: (CREATE_SECRET, GET_SERVICE_ACCOUNT, GET_SECRET, *_REVIEWED, *SECRET_USERS),
    ActionKind.DELETE_LEGACY_SECRET: (DELETE_SECRET, GET_SECRET, *SECRET_USERS, GET_TOKEN_TRACKING),
    ActionKind.REACTIVATE_LEGACY_TOKEN: (PATCH_SECRET, GET_SERVICE_ACCOUNT, GET_SECRET, *_REVIEWED),
    ActionKind.PROBE_TOKEN: (MINT_TOKEN, GET_POD, GET_SERVICE_ACCOUNT, *_REVIEWED),
}
"""What each action takes, from its plan to the end of its following: no more and no less. Its effect comes first."""

_ELSEWHERE = {GET_TOKEN_TRACKING: CONTROL_PLANE, LIST_ENDPOINT_SLICES: API_SERVERS}


def effect_rules(kinds: Iterable[ActionKind], namespace: str) -> tuple[Rule, ...]:
    """Every rule that these actions take in the namespace, each once; with "" all of it is for a ClusterRole."""
    wanted = (operation for kind in kinds for operation in EFFECT_NEEDS[kind])
    return tuple(dict.fromkeys(rule_in(operation, namespace) for operation in wanted))


def rule_in(operation: Operation, namespace: str) -> Rule:
    """The rule that an action on an object of this namespace takes."""
    return operation.rule(_ELSEWHERE.get(operation, namespace) if operation.namespaced else "")
