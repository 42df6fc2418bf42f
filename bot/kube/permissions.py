"""What may be asked of an API server: each operation is both a request's path and the RBAC rule it needs."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from msgspec import Struct

from bot.model import Routes, Rule


class Operation(Struct, frozen=True, kw_only=True):
    """A verb on a resource; `pods/log` is a subresource, a resource that begins with a slash is a bare path."""

    verb: str
    resource: str
    group: str = ""
    namespaced: bool = True

    @property
    def method(self) -> str:
        return {"create": "POST"}.get(self.verb, "GET")

    def path(self, *, namespace: str = "", name: str = "") -> str:
        if self.resource.startswith("/"):
            return self.resource
        resource, _, subresource = self.resource.partition("/")
        parts = [f"/apis/{self.group}/v1" if self.group else "/api/v1"]
        if self.namespaced:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(resource)
        if name:
            parts.append(quote(name, safe=""))
        if subresource:
            parts.append(subresource)
        return "/".join(parts)

    def rule(self, namespace: str = "") -> Rule:
        """The rule that allows it; without a namespace, or where there is none, it needs a ClusterRole."""
        return Rule(verb=self.verb, resource=self.resource, group=self.group, namespace=namespace)


GET_VERSION = Operation(verb="get", resource="/version", namespaced=False)
GET_ISSUER = Operation(verb="get", resource="/.well-known/openid-configuration", namespaced=False)
GET_KEYS = Operation(verb="get", resource="/openid/v1/jwks", namespaced=False)

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
GET_NODE = Operation(verb="get", resource="nodes", namespaced=False)
LIST_ENDPOINT_SLICES = Operation(verb="list", resource="endpointslices", group="discovery.k8s.io")

GET_OWNER = {
    "ReplicaSet": Operation(verb="get", resource="replicasets", group="apps"),
    "Deployment": Operation(verb="get", resource="deployments", group="apps"),
    "StatefulSet": Operation(verb="get", resource="statefulsets", group="apps"),
    "DaemonSet": Operation(verb="get", resource="daemonsets", group="apps"),
    "Job": Operation(verb="get", resource="jobs", group="batch"),
    "CronJob": Operation(verb="get", resource="cronjobs", group="batch"),
    "ReplicationController": Operation(verb="get", resource="replicationcontrollers"),
}

REVIEW_ACCESS = Operation(
    verb="create", resource="subjectaccessreviews", group="authorization.k8s.io", namespaced=False
)
REVIEW_TOKEN = Operation(verb="create", resource="tokenreviews", group="authentication.k8s.io", namespaced=False)
MINT_TOKEN = Operation(verb="create", resource="serviceaccounts/token")
# Opening the websocket is a GET; from Kubernetes 1.35 on it needs `create` as well.
OPEN_EXEC = Operation(verb="get", resource="pods/exec")
CREATE_EXEC = Operation(verb="create", resource="pods/exec")


class Need(Struct, frozen=True, kw_only=True):
    """An operation that reading a facet takes. `where` is a namespace, TARGETS for the pod's own, "" for none.

    `optional` ones only make an answer better; without the others the facet is a Gap.
    """

    facet: str
    operation: Operation
    where: str = ""
    optional: bool = False


TARGETS = "*"
CONTROL_PLANE = "kube-system"
API_SERVERS = "default"

NEEDS: tuple[Need, ...] = (
    Need(facet="resolve", operation=GET_POD, where=TARGETS),
    Need(facet="resolve", operation=LIST_PODS, where=TARGETS, optional=True),
    Need(facet="resolve", operation=GET_NAMESPACE, where=TARGETS, optional=True),
    Need(facet="resolve", operation=LIST_NAMESPACES, optional=True),
    Need(facet="pod", operation=GET_POD, where=TARGETS),
    Need(facet="namespace", operation=GET_NAMESPACE, where=TARGETS),
    *(Need(facet="owners", operation=operation, where=TARGETS) for operation in GET_OWNER.values()),
    Need(facet="node", operation=GET_NODE),
    Need(facet="events", operation=LIST_EVENTS, where=TARGETS),
    Need(facet="logs", operation=GET_LOG, where=TARGETS),
    Need(facet="service_account", operation=GET_SERVICE_ACCOUNT, where=TARGETS),
    Need(facet="namespace_token_secrets", operation=LIST_SECRETS, where=TARGETS),
    Need(facet="referenced_secrets", operation=GET_SECRET, where=TARGETS),
    Need(facet="peers", operation=LIST_PODS, where=TARGETS),
    Need(facet="access", operation=REVIEW_ACCESS),
    Need(facet="version", operation=GET_VERSION),
    Need(facet="discovery", operation=GET_ISSUER),
    Need(facet="discovery", operation=GET_KEYS),
    Need(facet="api_servers", operation=LIST_ENDPOINT_SLICES, where=API_SERVERS),
    Need(facet="api_server_logs", operation=LIST_PODS, where=CONTROL_PLANE),
    Need(facet="api_server_logs", operation=GET_LOG, where=CONTROL_PLANE),
    Need(facet="secret_tokens", operation=GET_SECRET, where=TARGETS),
    Need(facet="secret_tokens", operation=REVIEW_TOKEN),
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
}


def rules(routes: Routes, namespace: str) -> tuple[Rule, ...]:
    """Every rule that a check in the namespace takes with these routes switched on, each once.

    With namespace "" the target's may be any: all of it is for a ClusterRole.
    """
    wanted = (
        need.operation.rule({TARGETS: namespace}.get(need.where, need.where))
        for need in NEEDS
        if need.facet not in _ROUTES or _ROUTES[need.facet](routes)
    )
    return tuple(dict.fromkeys(wanted))
