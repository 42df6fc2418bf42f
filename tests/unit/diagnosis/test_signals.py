"""Who said no, line by line."""

import pytest

from bot.diagnosis.signals import SignalKind, scan
from bot.model import ContainerLog, LogLine

API = frozenset({"10.0.0.1", "api.prod.example"})
K = SignalKind

LINES = [
    ("failed to list *v1.ConfigMap: Unauthorized", K.UNAUTHORIZED, ""),
    ("error: the server has asked for the client to provide credentials (get pods)", K.UNAUTHORIZED, ""),
    ("kubernetes.client.exceptions.ApiException: (401)", K.UNAUTHORIZED, ""),
    ('{"kind":"Status","status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}',
     K.UNAUTHORIZED, ""),
    ("GET https://10.0.0.1:443/readyz: 401 Unauthorized", K.UNAUTHORIZED, "10.0.0.1"),
    ("GET https://10.96.0.1/api/v1/namespaces/shop/pods returned status=401", K.UNAUTHORIZED, "10.96.0.1"),
    ("PUT https://kubernetes.default.svc/apis/apps/v1/namespaces/shop/deployments/x 401 Unauthorized",
     K.UNAUTHORIZED, "kubernetes.default.svc"),
    ("request failed: 401 Unauthorized", K.AMBIGUOUS, ""),
    ("upstream said HTTP 401", K.AMBIGUOUS, ""),
    ("GET https://payments.example/api/v1/orders: 401 Unauthorized", K.ELSEWHERE, "payments.example"),
    ("GET https://vault.shop.example:8200/v1/secret/data/x: 401 Unauthorized", K.ELSEWHERE, "Vault"),
    ("unauthorized: authentication required", K.ELSEWHERE, "a container registry"),
    ("An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation",
     K.ELSEWHERE, "AWS STS"),
    ("AADSTS700211: No matching federated identity record found", K.ELSEWHERE, "Microsoft Entra ID"),
    ('{"msg":"vault refused","path":"/v1/secret/data/checkout","status":401}', K.ELSEWHERE, "Vault"),
    ("msg=refused method=GET path=/api/v1/namespaces/shop/pods status=401", K.AMBIGUOUS, ""),
    ("msg=refused method=GET url=https://payments.example/orders path=/orders status=401", K.ELSEWHERE,
     "payments.example"),
    ('User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "shop"', K.ANONYMOUS, ""),
    ('User "system:serviceaccount:shop:x" cannot get resource "pods" in API group "" in the namespace "shop"',
     K.FORBIDDEN, ""),
    ("open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory", K.MISSING_FILE, ""),
    ("kubernetes.config.config_exception.ConfigException: Service token file does not exist.", K.MISSING_FILE, ""),
    ('Get "https://10.0.0.1:443/api": dial tcp 10.0.0.1:443: connect: connection refused', K.UNREACHABLE, "10.0.0.1"),
    ("dial tcp: lookup kubernetes.default.svc on 10.0.0.10:53: no such host", K.UNREACHABLE, "kubernetes.default.svc"),
]  # fmt: skip

NOTHING = [
    '10.1.2.3 - - [22/Nov/2026:13:00:00 +0000] "GET /login HTTP/1.1" 401 12 "-" "curl/8.5"',
    '10.1.2.3 "POST /login HTTP/1.1" 401 Unauthorized 3ms',
    '{"level":"info","method":"GET","path":"/login","status":401,"remote_ip":"10.1.2.3","latency_ms":3}',
    "level=info msg=served method=POST uri=/session status=401 duration=2ms remote=10.1.2.3",
    "10.1.2.3:51000 - - [2026/11/22 13:00:00] [AuthFailure] Invalid authentication via OAuth2: unauthorized",
    "dial tcp 10.9.8.7:5432: connect: connection refused",
    'Get "https://payments.example/": dial tcp 10.9.8.7:443: i/o timeout',
    "processed 401 orders",
    "order 401 shipped",
    "open /etc/shop/config.yaml: no such file or directory",
    "GET /cart 200 3ms",
]


@pytest.mark.parametrize(("text", "kind", "host"), LINES)
def test_a_telling_line(text: str, kind: SignalKind, host: str) -> None:
    found = scan([ContainerLog(container="app", lines=(LogLine(text=text),))], API)
    assert [(signal.kind, signal.host) for signal in found] == [(kind, host)]


@pytest.mark.parametrize("text", NOTHING)
def test_a_line_that_says_nothing_of_tokens(text: str) -> None:
    assert scan([ContainerLog(container="app", lines=(LogLine(text=text),))], API) == ()
