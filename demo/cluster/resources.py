"""The resources that this API server has."""

from dataclasses import dataclass

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, eq=False, kw_only=True)
class Resource:
    """One kind of object; compared by identity, for there is one of each."""

    kind: str
    plural: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    short: tuple[str, ...] = ()
    has_status: bool = False
    subresources: tuple[tuple[str, str], ...] = ()
    """Names, each with the kind that it takes and gives."""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """As messages name it: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


PODS = Resource(
    kind="Pod",
    plural="pods",
    short=("po",),
    has_status=True,
    subresources=(("log", "Pod"), ("exec", "PodExecOptions"), ("eviction", "Eviction")),
)
NAMESPACES = Resource(kind="Namespace", plural="namespaces", namespaced=False, short=("ns",), has_status=True)
NODES = Resource(kind="Node", plural="nodes", namespaced=False, short=("no",), has_status=True)
SECRETS = Resource(kind="Secret", plural="secrets")
CONFIG_MAPS = Resource(kind="ConfigMap", plural="configmaps", short=("cm",))
SERVICE_ACCOUNTS = Resource(
    kind="ServiceAccount", plural="serviceaccounts", short=("sa",), subresources=(("token", "TokenRequest"),)
)
EVENTS = Resource(kind="Event", plural="events", short=("ev",))
SERVICES = Resource(kind="Service", plural="services", short=("svc",), has_status=True)
REPLICATION_CONTROLLERS = Resource(
    kind="ReplicationController", plural="replicationcontrollers", short=("rc",), has_status=True
)
DEPLOYMENTS = Resource(kind="Deployment", plural="deployments", group="apps", short=("deploy",), has_status=True)
REPLICA_SETS = Resource(kind="ReplicaSet", plural="replicasets", group="apps", short=("rs",), has_status=True)
STATEFUL_SETS = Resource(kind="StatefulSet", plural="statefulsets", group="apps", short=("sts",), has_status=True)
DAEMON_SETS = Resource(kind="DaemonSet", plural="daemonsets", group="apps", short=("ds",), has_status=True)
JOBS = Resource(kind="Job", plural="jobs", group="batch", has_status=True)
CRON_JOBS = Resource(kind="CronJob", plural="cronjobs", group="batch", short=("cj",), has_status=True)
BUDGETS = Resource(
    kind="PodDisruptionBudget", plural="poddisruptionbudgets", group="policy", short=("pdb",), has_status=True
)
RBAC = "rbac.authorization.k8s.io"
ROLES = Resource(kind="Role", plural="roles", group=RBAC)
ROLE_BINDINGS = Resource(kind="RoleBinding", plural="rolebindings", group=RBAC)
CLUSTER_ROLES = Resource(kind="ClusterRole", plural="clusterroles", group=RBAC, namespaced=False)
CLUSTER_ROLE_BINDINGS = Resource(kind="ClusterRoleBinding", plural="clusterrolebindings", group=RBAC, namespaced=False)
LEASES = Resource(kind="Lease", plural="leases", group="coordination.k8s.io")
ENDPOINT_SLICES = Resource(kind="EndpointSlice", plural="endpointslices", group="discovery.k8s.io")

STORED = (
    PODS,
    NAMESPACES,
    NODES,
    SECRETS,
    CONFIG_MAPS,
    SERVICE_ACCOUNTS,
    EVENTS,
    SERVICES,
    REPLICATION_CONTROLLERS,
    DEPLOYMENTS,
    REPLICA_SETS,
    STATEFUL_SETS,
    DAEMON_SETS,
    JOBS,
    CRON_JOBS,
    BUDGETS,
    ROLES,
    ROLE_BINDINGS,
    CLUSTER_ROLES,
    CLUSTER_ROLE_BINDINGS,
    LEASES,
    ENDPOINT_SLICES,
)

TOKEN_REVIEWS = Resource(kind="TokenReview", plural="tokenreviews", group="authentication.k8s.io", namespaced=False)
ACCESS_REVIEWS = Resource(
    kind="SubjectAccessReview", plural="subjectaccessreviews", group="authorization.k8s.io", namespaced=False
)
LOCAL_ACCESS_REVIEWS = Resource(
    kind="LocalSubjectAccessReview", plural="localsubjectaccessreviews", group="authorization.k8s.io"
)
OWN_ACCESS_REVIEWS = Resource(
    kind="SelfSubjectAccessReview", plural="selfsubjectaccessreviews", group="authorization.k8s.io", namespaced=False
)
OWN_REVIEWS = Resource(
    kind="SelfSubjectReview", plural="selfsubjectreviews", group="authentication.k8s.io", namespaced=False
)
REVIEWS = (TOKEN_REVIEWS, OWN_REVIEWS, ACCESS_REVIEWS, LOCAL_ACCESS_REVIEWS, OWN_ACCESS_REVIEWS)
"""Questions: created only, and kept nowhere."""

BY_PATH = {(each.group, each.version, each.plural): each for each in (*STORED, *REVIEWS)}
BY_KIND = {(each.api_version, each.kind): each for each in (*STORED, *REVIEWS)}
