"""What happens to an object before it is stored: namespaces' lives, service accounts of pods, a policy's no."""

from dataclasses import dataclass

from demo.cluster import resources as r
from demo.cluster.failures import StatusError, forbidden, not_found
from demo.cluster.objects import JsonObject, is_leaving, meta, name_of, random_suffix
from demo.cluster.resources import Resource
from demo.cluster.store import Store

TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105  # a folder
_MIRROR = "kubernetes.io/config.mirror"


@dataclass(frozen=True)
class Denial:
    """A policy that refuses to let a writer write one kind of object in a namespace."""

    namespace: str
    resource: Resource
    writer: str
    message: str


def admit(store: Store, resource: Resource, namespace: str, found: JsonObject) -> None:
    """Completes a new object in place. Raises StatusError."""
    if resource.namespaced:
        _check_namespace(store, resource, namespace, found)
    if resource is r.PODS:
        _admit_pod(store, namespace, found)


def refuse(denials: list[Denial], resource: Resource, namespace: str, name: str, writer: str) -> None:
    """Raises StatusError (403), in the words that a webhook's refusal is passed on with."""
    for each in denials:
        if (each.namespace, each.resource, each.writer) == (namespace, resource, writer):
            message = f'admission webhook "validate.kyverno.svc-fail" denied the request: {each.message}'
            raise StatusError(403, "Forbidden", message, {"name": name, "kind": resource.plural})


def _check_namespace(store: Store, resource: Resource, namespace: str, found: JsonObject) -> None:
    place = store.get(r.NAMESPACES, "", namespace)
    if place is None:
        raise not_found(r.NAMESPACES, namespace)
    if is_leaving(place):
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        error = forbidden(resource.plural, resource.group, name_of(found), why)
        told = f"namespace {namespace} is being terminated"
        cause = {"reason": "NamespaceTerminating", "message": told, "field": "metadata.namespace"}
        raise StatusError(error.code, error.reason, error.message, {**(error.details or {}), "causes": [cause]})


def _admit_pod(store: Store, namespace: str, found: JsonObject) -> None:
    """As the plugin ServiceAccount does (`plugin/pkg/admission/serviceaccount`), and the defaults of others."""
    spec = found["spec"]
    if _MIRROR not in (meta(found).get("annotations") or {}):
        name = spec.setdefault("serviceAccountName", "default") or "default"
        spec["serviceAccount"] = name
        account = store.get(r.SERVICE_ACCOUNTS, namespace, name)
        if account is None:
            why = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
            raise forbidden("pods", "", name_of(found), why)
        if _mounts_token(spec, account):
            _mount_token(spec)
    spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    spec["tolerations"] = [
        *(spec.get("tolerations") or []),
        *(
            {"key": f"node.kubernetes.io/{what}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            for what in ("not-ready", "unreachable")
        ),
    ]


def _mounts_token(spec: JsonObject, account: JsonObject) -> bool:
    said = spec.get("automountServiceAccountToken")
    return bool(account.get("automountServiceAccountToken", True) if said is None else said)


def _mount_token(spec: JsonObject) -> None:
    name = f"kube-api-access-{random_suffix()}"
    wanted = False
    for container in (*spec.get("initContainers", []), *spec.get("containers", [])):
        mounts = container.setdefault("volumeMounts", [])
        if not any(each["mountPath"] == TOKEN_FOLDER for each in mounts):
            mounts.append({"name": name, "readOnly": True, "mountPath": TOKEN_FOLDER})
            wanted = True
    if wanted:
        spec["volumes"] = [*(spec.get("volumes") or []), _volume(name)]


def _volume(name: str) -> JsonObject:
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": 420}}
