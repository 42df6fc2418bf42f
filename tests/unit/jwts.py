"""Tokens made by hand, without any JWT library: what a test plants and then looks for."""

import base64
import json
from collections.abc import Mapping

HEADER = {"alg": "RS256", "kid": "Zk3-kid"}
SIGNATURE = "c2lnbmF0dXJl"
MARK = "leakmarker7f3a9"
"""Planted in claims; it must never be seen in a message."""

BOUND: dict[str, object] = {
    "iss": "https://kubernetes.default.svc.cluster.local",
    "sub": "system:serviceaccount:shop:checkout",
    "aud": ["https://kubernetes.default.svc.cluster.local"],
    "iat": 1_763_812_800,  # 2025-11-22 12:00:00 UTC
    "nbf": 1_763_812_800,
    "exp": 1_795_348_800,  # 365 d later
    "jti": "1f0a5c1e-0000-4000-8000-000000000001",
    "kubernetes.io": {
        "namespace": "shop",
        "serviceaccount": {"name": "checkout", "uid": "sa-uid-1"},
        "pod": {"name": "checkout-7d9f8-abcde", "uid": "pod-uid-1"},
        "node": {"name": "worker-1", "uid": "node-uid-1"},
        "warnafter": 1_763_816_407,
    },
}
LEGACY: dict[str, object] = {
    "iss": "kubernetes/serviceaccount",
    "kubernetes.io/serviceaccount/namespace": "shop",
    "kubernetes.io/serviceaccount/secret.name": "ci-token",
    "kubernetes.io/serviceaccount/service-account.name": "ci",
    "kubernetes.io/serviceaccount/service-account.uid": "sa-uid-2",
    "sub": "system:serviceaccount:shop:ci",
}


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(claims: object, header: Mapping[str, object] | None = None, signature: str = SIGNATURE) -> str:
    return ".".join(
        (
            encoded(json.dumps(HEADER if header is None else header).encode()),
            encoded(json.dumps(claims).encode()),
            signature,
        )
    )


def token_of(payload: bytes, signature: str = SIGNATURE) -> str:
    """A token with a payload that is perhaps no JSON."""
    return ".".join((encoded(json.dumps(HEADER).encode()), encoded(payload), signature))
