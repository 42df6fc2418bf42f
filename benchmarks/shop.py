"""What a team runs in its namespace: a Deployment of the size that they have in real clusters, and its Secrets."""

from tests.cluster.api import JsonObject

ACCOUNT_LABEL = {"app.kubernetes.io/part-of": "shop", "app.kubernetes.io/managed-by": "Helm"}
REPLICAS = 20


def labels(name: str) -> dict[str, str]:
    """As Helm sets them."""
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/version": "1.4.2",
        "helm.sh/chart": "shop-7.1.0",
        **ACCOUNT_LABEL,
    }


def account(name: str) -> JsonObject:
    """The manifest of a service account, labelled as Helm does it."""
    return {"metadata": {"name": name, "labels": labels(name)}}


def token_secret(name: str, service_account: str) -> JsonObject:
    """A legacy token Secret, to be filled by the token controller."""
    annotations = {"kubernetes.io/service-account.name": service_account}
    metadata = {"name": name, "labels": labels(service_account), "annotations": annotations}
    return {"metadata": metadata, "type": "kubernetes.io/service-account-token"}


def opaque_secret(name: str, application: str) -> JsonObject:
    """About 1.6 KB as stored."""
    settings = {f"SETTING_{number:02d}": f"value-{number:02d}-" + "x" * 60 for number in range(6)}
    return {"metadata": {"name": name, "labels": labels(application)}, "type": "Opaque", "stringData": settings}


def deployment(name: str, service_account: str, secret: str) -> JsonObject:
    """Two containers with environment, probes and volumes."""
    selector = {"app.kubernetes.io/name": name}
    spec = {
        "serviceAccountName": service_account,
        "containers": [_application(name, secret), _proxy()],
        "volumes": [{"name": "certificate", "secret": {"secretName": secret}}, {"name": "scratch", "emptyDir": {}}],
    }
    annotations = {"checksum/config": "9f" * 32, "prometheus.io/scrape": "true", "prometheus.io/port": "9090"}
    return {
        "metadata": {"name": name, "labels": labels(name)},
        "spec": {
            "replicas": REPLICAS,
            "selector": {"matchLabels": selector},
            "template": {"metadata": {"labels": labels(name), "annotations": annotations}, "spec": spec},
        },
    }


def _application(name: str, secret: str) -> JsonObject:
    plain = [{"name": f"FEATURE_{number:02d}", "value": f"https://{name}.example/{number}"} for number in range(10)]
    password = {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": secret, "key": "SETTING_00"}}}
    own = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return {
        "name": "app",
        "image": f"registry.example/shop/{name}:1.4.2",
        "args": ["serve", "--listen=:8080", "--metrics=:9090", "--log-format=json"],
        "env": [*plain, password, own],
        "ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9090}],
        "livenessProbe": {"httpGet": {"path": "/live", "port": "http"}, "periodSeconds": 10, "failureThreshold": 6},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
        "startupProbe": {"httpGet": {"path": "/live", "port": "http"}, "failureThreshold": 30},
        "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {"readOnlyRootFilesystem": True, "runAsNonRoot": True, "runAsUser": 10001},
        "volumeMounts": [
            {"name": "certificate", "mountPath": "/etc/shop/tls", "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108  # a path inside of a container
        ],
    }


def _proxy() -> JsonObject:
    return {
        "name": "proxy",
        "image": "registry.example/mesh/proxy:3.2.1",
        "args": ["--config=/etc/proxy.yaml", "--admin=:15000"],
        "env": [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "ports": [{"name": "admin", "containerPort": 15000}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "admin"}, "periodSeconds": 5},
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
    }
