"""What token-doctor's account might send to the API server, and what the admission policy says to it.

Each refused attempt differs in one thing from one that is let through.
"""

from copy import deepcopy
from dataclasses import dataclass, replace

from config.policy import PROTECTED
from tests.cluster.api import JsonObject
from tests.cluster.installed import HOME, PROBES

RESTARTED_AT, REQUEST = "kubectl.kubernetes.io/restartedAt", "token-doctor.io/request"
INVALID_SINCE, PROBE = "kubernetes.io/legacy-token-invalid-since", "token-doctor.io/probe"
TOKEN_TYPE = "kubernetes.io/service-account-token"
OF_ACCOUNT = {"kubernetes.io/service-account.name": "checkout", "kubernetes.io/service-account.uid": "a-uid"}
RESTART: JsonObject = {
    "spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: "2026-11-22T09:00:00Z", REQUEST: "r-2"}}}}
}
UNMARK: JsonObject = {"metadata": {"labels": {INVALID_SINCE: None}, "annotations": {REQUEST: "r-2"}}}
SECRET: JsonObject = {
    "apiVersion": "v1",
    "kind": "Secret",
    "type": TOKEN_TYPE,
    "metadata": {"name": "fresh", "annotations": {**OF_ACCOUNT, REQUEST: "r-2"}},
}
THROWAWAY: JsonObject = {
    **SECRET,
    "metadata": {
        "name": "throwaway",
        "labels": {PROBE: "controller"},
        "annotations": {"kubernetes.io/service-account.name": "throwaway"},
    },
}
LABELLED: JsonObject = {"metadata": {"labels": {PROBE: "controller"}}}
PROBE_ACCOUNT: JsonObject = {"metadata": {"name": "throwaway", "labels": {PROBE: "controller"}}}


def patched(base: JsonObject, change: JsonObject) -> JsonObject:
    """One merge patch laid over another: a None stays, and takes something off."""
    found = deepcopy(base)
    for key, value in change.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = patched(found[key], value) if both else value
    return found


def merged(base: JsonObject, change: JsonObject) -> JsonObject:
    """A manifest with a merge patch laid over it."""
    return _without_none(patched(base, change))


def _without_none(found: JsonObject) -> JsonObject:
    kept = {key: value for key, value in found.items() if value is not None}
    return {key: _without_none(value) if isinstance(value, dict) else value for key, value in kept.items()}


@dataclass(frozen=True)
class Attempt:
    """A request by the account; `says` is what the policy answers, "" where it lets it through.

    In `path`, {shop} is the namespace with the objects below, {deployment} and the like their paths.
    """

    what: str
    method: str
    path: str
    body: JsonObject | None = None
    says: str = ""
    dry_run: bool = True

    def __str__(self) -> str:
        return self.what.replace(" ", "-")


def restart(what: str, change: JsonObject, says: str, kind: str = "deployment") -> Attempt:
    return Attempt(what, "PATCH", f"{{{kind}}}", patched(RESTART, change), says)


def create(what: str, change: JsonObject, says: str, namespace: str = "{shop}") -> Attempt:
    return Attempt(what, "POST", f"/api/v1/namespaces/{namespace}/secrets", merged(SECRET, change), says)


def probe(what: str, change: JsonObject, says: str, namespace: str = PROBES) -> Attempt:
    return Attempt(what, "POST", f"/api/v1/namespaces/{namespace}/secrets", merged(THROWAWAY, change), says)


def unmark(what: str, change: JsonObject, says: str, secret: str = "marked") -> Attempt:
    return Attempt(what, "PATCH", f"{{{secret}}}", patched(UNMARK, change), says)


def never(what: str, method: str, path: str, body: JsonObject | None = None) -> Attempt:
    return Attempt(what, method, path, body, "token-doctor never does this")


def container(**change: object) -> JsonObject:
    return {"spec": {"template": {"spec": {"containers": [{"name": "c0", "image": "shop/checkout:1.4", **change}]}}}}


def template(**annotations: str | None) -> JsonObject:
    return {"spec": {"template": {"metadata": {"annotations": annotations}}}}


ONLY_RESTARTS = "token-doctor only restarts; this would change "
ONLY_UNMARKS = f"token-doctor changes nothing of a Secret but to take its label {INVALID_SINCE} off"
ONLY_TOKENS = "token-doctor creates only Secrets of type kubernetes.io/service-account-token, and without data"
ONLY_REQUESTED = "token-doctor creates token Secrets only for a request"
ONLY_PROBES = "in its namespace for probes token-doctor makes only throw-away token Secrets"
ONLY_THROWAWAYS = "token-doctor creates and deletes only its own throw-away service accounts"
FOR_A_REQUEST = "token-doctor restarts only for a request"
SHOP, PROBING = "/api/v1/namespaces/{shop}", f"/api/v1/namespaces/{PROBES}"


def uid(name: str) -> JsonObject:
    return {"preconditions": {"uid": f"{{{name}_uid}}"}}


def token_request(seconds: int) -> JsonObject:
    return {"spec": {"audiences": [], "expirationSeconds": seconds}}


def eviction(**options: object) -> JsonObject:
    meta = {"name": "{pod_name}", "namespace": "{shop}"}
    return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta, "deleteOptions": {**DRY, **options}}


DRY = {"dryRun": ["All"]}
ALLOWED = (
    *(restart(f"restart a {kind}", {}, "", kind) for kind in ("deployment", "statefulset", "daemonset")),
    restart("try a restart", template(**{REQUEST: "planned"}), ""),
    create("create a token secret", {}, ""),
    create("try to create a token secret", {"metadata": {"annotations": {REQUEST: "planned"}}}, ""),
    unmark("reactivate a legacy token", {}, ""),
    unmark("try to reactivate", {"metadata": {"annotations": {REQUEST: "planned"}}}, ""),
    Attempt("delete a token secret", "DELETE", "{marked}", {**DRY, **uid("marked")}),
    Attempt("evict a pod", "POST", "{pod}/eviction", eviction(**uid("pod"))),
    Attempt("mint a token", "POST", f"{SHOP}/serviceaccounts/checkout/token", token_request(600)),
    probe("make a throw-away secret", {}, ""),
    Attempt("make a throw-away account", "POST", f"{PROBING}/serviceaccounts", PROBE_ACCOUNT),
    Attempt("remove a throw-away secret", "DELETE", f"{PROBING}/secrets/left", DRY),
    Attempt("remove a throw-away account", "DELETE", f"{PROBING}/serviceaccounts/left", DRY),
)
IMAGE = container(image="shop/checkout:6.6.6")
REFUSED = (
    restart("another image beside", IMAGE, f"{ONLY_RESTARTS}spec.template.spec"),
    restart("another image of a statefulset", IMAGE, f"{ONLY_RESTARTS}spec.template.spec", "statefulset"),
    restart("another image of a daemonset", IMAGE, f"{ONLY_RESTARTS}spec.template.spec", "daemonset"),
    restart("another variable beside", container(env=[]), f"{ONLY_RESTARTS}spec.template.spec"),
    restart("more replicas beside", {"spec": {"replicas": 9}}, f"{ONLY_RESTARTS}spec.replicas"),
    restart("paused beside", {"spec": {"paused": True}}, f"{ONLY_RESTARTS}spec.paused"),
    restart(
        "a label of the pods beside",
        {"spec": {"template": {"metadata": {"labels": {"tier": "gold"}}}}},
        f"{ONLY_RESTARTS}spec.template.metadata.labels",
    ),
    restart(
        "another annotation of the pods",
        template(team="evil"),
        f"{ONLY_RESTARTS}spec.template.metadata.annotations.team",
    ),
    restart(
        "an annotation taken from the pods",
        template(team=None),
        f"{ONLY_RESTARTS}spec.template.metadata.annotations.team",
    ),
    restart("a label beside", {"metadata": {"labels": {"tier": "gold"}}}, f"{ONLY_RESTARTS}metadata.labels"),
    restart(
        "an annotation beside", {"metadata": {"annotations": {"a": "b"}}}, f"{ONLY_RESTARTS}metadata.annotations.a"
    ),
    restart("a finalizer beside", {"metadata": {"finalizers": ["a/b"]}}, f"{ONLY_RESTARTS}metadata.finalizers"),
    restart(
        "an old template generation forged",
        {"metadata": {"annotations": {"deprecated.daemonset.template.generation": "7"}}},
        f"{ONLY_RESTARTS}metadata.annotations.deprecated.daemonset.template.generation",
    ),
    restart("no request", template(**{REQUEST: None}), FOR_A_REQUEST),
    restart("the request of before", template(**{REQUEST: "r-1"}), FOR_A_REQUEST),
    restart("an empty request", template(**{REQUEST: ""}), FOR_A_REQUEST),
    restart("no restart", template(**{RESTARTED_AT: None}), FOR_A_REQUEST),
    replace(restart("a dry run's request", template(**{REQUEST: "planned"}), FOR_A_REQUEST), dry_run=False),
    replace(restart("more replicas in earnest", {"spec": {"replicas": 9}}, ONLY_RESTARTS), dry_run=False),
    never("scale", "PATCH", "{deployment}/scale", {"spec": {"replicas": 0}}),
    never("change a status", "PATCH", "{deployment}/status", {"status": {"observedGeneration": 99}}),
    never("delete a deployment", "DELETE", "{deployment}", DRY),
    create("an opaque secret", {"type": "Opaque"}, ONLY_TOKENS),
    create("a secret with data", {"data": {"token": "eA=="}}, ONLY_TOKENS),
    create("a secret with text", {"stringData": {"token": "x"}}, ONLY_TOKENS),
    create("a token secret for no request", {"metadata": {"annotations": {REQUEST: None}}}, ONLY_REQUESTED),
    create(
        "a token secret without its account's uid",
        {"metadata": {"annotations": {"kubernetes.io/service-account.uid": None}}},
        ONLY_REQUESTED,
    ),
    replace(
        create("a dry run's token secret", {"metadata": {"annotations": {REQUEST: "planned"}}}, ONLY_REQUESTED),
        dry_run=False,
    ),
    *(
        create(f"a token secret in {namespace}", {}, f"does nothing in the protected namespace {namespace}", namespace)
        for namespace in sorted({*PROTECTED, HOME, "kube-public"})
    ),
    unmark(
        "another label too", {"metadata": {"labels": {"tier": "gold"}}}, f"{ONLY_UNMARKS}; this would change metadata"
    ),
    unmark("another mark", {"metadata": {"labels": {INVALID_SINCE: "2027-01-01"}}}, ONLY_UNMARKS),
    unmark("new data too", {"data": {"token": "eA=="}}, f"{ONLY_UNMARKS}; this would change data"),
    unmark("data taken out too", {"data": {"token": None}}, f"{ONLY_UNMARKS}; this would change data"),
    unmark("immutable too", {"immutable": True}, f"{ONLY_UNMARKS}; this would change immutable"),
    unmark(
        "another account too",
        {"metadata": {"annotations": {"kubernetes.io/service-account.name": "default"}}},
        f"{ONLY_UNMARKS}; this would change metadata.annotations.kubernetes.io/service-account.name",
    ),
    unmark("no request for it", {"metadata": {"annotations": {REQUEST: None}}}, "only for a request"),
    unmark("nothing to take off", {}, ONLY_UNMARKS, "opaque"),
    unmark("a marked secret that is none of a token", {}, "changes token Secrets only", "marked_opaque"),
    Attempt(
        "delete an opaque secret",
        "DELETE",
        "{opaque}",
        {**DRY, **uid("opaque")},
        "token-doctor deletes only Secrets of type",
    ),
    Attempt("delete whichever secret is there", "DELETE", "{marked}", DRY, "deletes only the very Secret"),
    Attempt("evict whichever pod is there", "POST", "{pod}/eviction", eviction(), "evicts only the very pod"),
    Attempt(
        "kill a pod at once",
        "POST",
        "{pod}/eviction",
        eviction(**uid("pod"), gracePeriodSeconds=0),
        "leaves it its time to end",
    ),
    never("delete a pod past its budget", "DELETE", "{pod}", DRY),
    never(
        "create a pod",
        "POST",
        f"{SHOP}/pods",
        {"metadata": {"name": "x"}, "spec": {"containers": [{"name": "x", "image": "x"}]}},
    ),
    never("run a command by an ephemeral container", "PATCH", "{pod}/ephemeralcontainers", {"spec": {}}),
    Attempt(
        "make an account elsewhere", "POST", f"{SHOP}/serviceaccounts", {"metadata": {"name": "x"}}, ONLY_THROWAWAYS
    ),
    Attempt("make a labelled account elsewhere", "POST", f"{SHOP}/serviceaccounts", PROBE_ACCOUNT, ONLY_THROWAWAYS),
    Attempt("delete an account elsewhere", "DELETE", f"{SHOP}/serviceaccounts/checkout", DRY, ONLY_THROWAWAYS),
    Attempt(
        "make an account without the label",
        "POST",
        f"{PROBING}/serviceaccounts",
        {"metadata": {"name": "x"}},
        ONLY_THROWAWAYS,
    ),
    Attempt("delete somebody else's account", "DELETE", f"{PROBING}/serviceaccounts/stays", DRY, ONLY_THROWAWAYS),
    never("label somebody else's account", "PATCH", f"{PROBING}/serviceaccounts/stays", LABELLED),
    probe("a labelled secret elsewhere", {}, ONLY_REQUESTED, "{shop}"),
    probe(
        "a probe without the label",
        {"metadata": {"labels": None, "annotations": {**OF_ACCOUNT, REQUEST: "r-2"}}},
        ONLY_PROBES,
    ),
    probe(
        "a probe of somebody else's account",
        {"metadata": {"annotations": {"kubernetes.io/service-account.name": "stays"}}},
        ONLY_PROBES,
    ),
    Attempt(
        "delete somebody else's secret",
        "DELETE",
        f"{PROBING}/secrets/stays",
        {**DRY, **uid("stays")},
        "deletes only Secrets",
    ),
    Attempt(
        "mint a token for an hour", "POST", f"{SHOP}/serviceaccounts/checkout/token", token_request(3600), "ten minutes"
    ),
    Attempt(
        "mint a token of the control plane's",
        "POST",
        "/api/v1/namespaces/kube-system/serviceaccounts/default/token",
        token_request(600),
        "protected namespace kube-system",
    ),
    Attempt("run a shell", "POST", "{pod}/exec?command=sh&stdout=true", None, "runs nothing in a container but `cat"),
    Attempt(
        "type into a container",
        "POST",
        "{pod}/exec?command=cat&command=/x&stdin=true",
        None,
        "runs nothing in a container",
    ),
    never("make a config map", "POST", f"{SHOP}/configmaps", {"metadata": {"name": "x"}}),
    never(
        "give itself rights",
        "POST",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        {
            "metadata": {"name": "x"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        },
    ),
    never("make a namespace", "POST", "/api/v1/namespaces", {"metadata": {"name": "token-doctor-x"}}),
)
