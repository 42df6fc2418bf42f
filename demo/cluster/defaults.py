"""What an API server fills in where an object says nothing (`pkg/apis/*/v1/defaults.go`)."""

import base64
from collections.abc import Callable

from demo.cluster import resources as r
from demo.cluster.objects import JsonObject, labels_of, meta, name_of
from demo.cluster.resources import Resource


def complete(resource: Resource, found: JsonObject) -> None:
    """In place; `found` is a copy that nobody else holds."""
    if resource in _FILL:
        _FILL[resource](found)


def _pod(found: JsonObject) -> None:
    fill_pod_spec(found["spec"])
    found["spec"].setdefault("enableServiceLinks", True)


def fill_pod_spec(spec: JsonObject) -> None:
    for name, value in (
        ("dnsPolicy", "ClusterFirst"),
        ("restartPolicy", "Always"),
        ("schedulerName", "default-scheduler"),
        ("terminationGracePeriodSeconds", 30),
    ):
        spec.setdefault(name, value)
    spec.setdefault("securityContext", {})
    if "serviceAccountName" in spec:
        spec["serviceAccount"] = spec["serviceAccountName"]
    elif "serviceAccount" in spec:
        spec["serviceAccountName"] = spec["serviceAccount"]
    for container in (*spec.get("initContainers", []), *spec.get("containers", [])):
        _fill_container(container)
    for volume in spec.get("volumes", []):
        for kind in ("secret", "configMap", "projected", "downwardAPI"):
            if kind in volume:
                volume[kind].setdefault("defaultMode", 420)
        for source in volume.get("projected", {}).get("sources") or []:
            if "serviceAccountToken" in source:
                source["serviceAccountToken"].setdefault("expirationSeconds", 3600)


def _fill_container(container: JsonObject) -> None:
    tag = container.get("image", "").rpartition("/")[2].partition(":")[2]
    container.setdefault("imagePullPolicy", "Always" if tag in {"", "latest"} else "IfNotPresent")
    container.setdefault("resources", {})
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")


def _deployment(found: JsonObject) -> None:
    spec = found["spec"]
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxSurge", "25%")
        rolling.setdefault("maxUnavailable", "25%")
    _template(spec)


def _replica_set(found: JsonObject) -> None:
    found["spec"].setdefault("replicas", 1)
    _template(found["spec"])


def _stateful_set(found: JsonObject) -> None:
    spec = found["spec"]
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    spec.setdefault("persistentVolumeClaimRetentionPolicy", {"whenDeleted": "Retain", "whenScaled": "Retain"})
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    _template(spec)


def _daemon_set(found: JsonObject) -> None:
    spec = found["spec"]
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxSurge", 0)
        rolling.setdefault("maxUnavailable", 1)
    _template(spec)


def _template(spec: JsonObject) -> None:
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    fill_pod_spec(template.setdefault("spec", {}))


def _job(found: JsonObject) -> None:
    spec = found["spec"]
    for name, value in (("parallelism", 1), ("completions", 1), ("backoffLimit", 6), ("suspend", False)):
        spec.setdefault(name, value)
    spec.setdefault("completionMode", "NonIndexed")
    template = spec.setdefault("template", {})
    labels = template.setdefault("metadata", {}).setdefault("labels", {})
    if "selector" not in spec and "uid" in meta(found):
        own = {"batch.kubernetes.io/controller-uid": meta(found)["uid"]}
        labels.update({**own, "batch.kubernetes.io/job-name": name_of(found), "job-name": name_of(found)})
        labels["controller-uid"] = meta(found)["uid"]
        spec["selector"] = {"matchLabels": own}
    _template(spec)


def _cron_job(found: JsonObject) -> None:
    spec = found["spec"]
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)


def _secret(found: JsonObject) -> None:
    """`stringData` is written only."""
    found.setdefault("type", "Opaque")
    if plain := found.pop("stringData", None):
        encoded = {name: base64.b64encode(str(value).encode()).decode() for name, value in plain.items()}
        found["data"] = {**(found.get("data") or {}), **encoded}


def _namespace(found: JsonObject) -> None:
    labels = {**labels_of(found), "kubernetes.io/metadata.name": name_of(found)}
    meta(found)["labels"] = labels
    found.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    found.setdefault("status", {}).setdefault("phase", "Active")


def _binding(found: JsonObject) -> None:
    """Users and groups are of an API group, accounts are not."""
    for subject in found.get("subjects") or []:
        if subject["kind"] in {"User", "Group"}:
            subject.setdefault("apiGroup", r.RBAC)
    found["roleRef"].setdefault("apiGroup", r.RBAC)


_FILL: dict[Resource, Callable[[JsonObject], None]] = {
    r.PODS: _pod,
    r.DEPLOYMENTS: _deployment,
    r.REPLICA_SETS: _replica_set,
    r.STATEFUL_SETS: _stateful_set,
    r.DAEMON_SETS: _daemon_set,
    r.JOBS: _job,
    r.CRON_JOBS: _cron_job,
    r.SECRETS: _secret,
    r.NAMESPACES: _namespace,
    r.ROLE_BINDINGS: _binding,
    r.CLUSTER_ROLE_BINDINGS: _binding,
}
