"""Faults of the token itself, injected into the real control plane."""

from datetime import timedelta

from bot.model import Certainty
from tests.cluster.api import JsonObject
from tests.cluster.faults.scene import TOKEN_FILE, Scene
from tests.cluster.tokens import legacy_claims
from tests.cluster.workloads import path_of


async def expired_and_cached(scene: Scene) -> JsonObject:
    """The process read its token at the start; the file beside it has been refreshed since."""
    pod, claims = await scene.pod_and_claims()
    await scene.refused(pod, scene.plane.tokens.sign({**claims, "exp": claims["exp"] - 7200}))
    return pod


async def not_yet_valid(scene: Scene) -> JsonObject:
    """An API server whose clock is ten minutes ahead has minted the token; the one that is asked is not."""
    pod, claims = await scene.pod_and_claims()
    token = scene.plane.tokens.sign({**claims, "nbf": claims["nbf"] + 600, "iat": claims["iat"] + 600})
    await scene.sends(pod, token)
    return pod


async def wrong_audience(scene: Scene) -> JsonObject:
    """The process sends the API server the token that was made for Vault."""
    pod = await scene.pod()
    await scene.refused(pod, await scene.plane.tokens.mint(scene.namespace, "checkout", audiences=["vault"]))
    return pod


async def only_a_vault_token(scene: Scene) -> JsonObject:
    """The one projected token is for Vault, and stands where clients look for theirs."""
    source = {"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": 3600}}
    pod = await scene.pod(
        {
            "automountServiceAccountToken": False,
            "volumes": [{"name": "vault", "projected": {"sources": [source]}}],
            "containers": [
                {
                    "name": "app",
                    "image": "shop/checkout:1.4",
                    "volumeMounts": [{"name": "vault", "mountPath": TOKEN_FILE.removesuffix("/token")}],
                }
            ],
        }
    )
    await scene.refused(pod, await scene.plane.tokens.mint(scene.namespace, "checkout", audiences=["vault"]))
    return pod


async def foreign_token(scene: Scene) -> JsonObject:
    """Another cluster with the same issuer, as kubeadm makes them, has signed the token."""
    pod, claims = await scene.pod_and_claims()
    token = scene.plane.tokens.sign(claims, key=scene.plane.tokens.foreign_key)
    await scene.sends(pod, token)
    return pod


async def unknown_issuer(scene: Scene) -> JsonObject:
    pod, claims = await scene.pod_and_claims()
    token = scene.plane.tokens.sign({**claims, "iss": "https://issuer.other.example"})
    await scene.sends(pod, token)
    return pod


async def kid_unknown(scene: Scene) -> JsonObject:
    """The signing key was rotated and the old public key taken away."""
    pod, claims = await scene.pod_and_claims()
    token = scene.plane.tokens.sign(claims, kid="a-key-of-last-year")
    await scene.sends(pod, token)
    return pod


async def tampered_signature(scene: Scene) -> JsonObject:
    pod = await scene.pod()
    token = await scene.plane.tokens.mint(scene.namespace, "checkout", bound_to=pod)
    head, payload, signature = token.split(".")
    tampered = f"{head}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    await scene.sends(pod, tampered)
    return pod


async def garbage(scene: Scene) -> JsonObject:
    """The file holds the token in base64 once more."""
    pod = await scene.pod()
    await scene.sends(pod, "not-a-token-but-a-password-that-somebody-put-there")
    return pod


async def account_deleted(scene: Scene) -> JsonObject:
    pod = await scene.pod()
    token = await scene.plane.tokens.mint(scene.namespace, "checkout", bound_to=pod)
    await scene.plane.api.delete(f"/api/v1/namespaces/{scene.namespace}/serviceaccounts/checkout")
    await scene.refused(pod, token)
    return pod


async def account_recreated(scene: Scene) -> JsonObject:
    """A Helm hook deletes and creates the account; the pod still holds a token of the old one."""
    pod = await scene.pod()
    token = await scene.plane.tokens.mint(scene.namespace, "checkout", bound_to=pod)
    await scene.plane.api.delete(f"/api/v1/namespaces/{scene.namespace}/serviceaccounts/checkout")
    await scene.account()
    await scene.refused(pod, token)
    return pod


async def account_terminating(scene: Scene) -> JsonObject:
    """A finalizer holds the account since a quarter of an hour."""
    pod = await scene.pod()
    token = await scene.plane.tokens.mint(scene.namespace, "checkout", bound_to=pod)
    path = f"/api/v1/namespaces/{scene.namespace}/serviceaccounts/checkout"
    await scene.plane.api.patch(path, {"metadata": {"finalizers": ["shop.example/audit"]}})
    await scene.plane.api.delete(path)
    await scene.plane.etcd.age(path, by=timedelta(minutes=15))
    await scene.refused(pod, token)
    return pod


async def bound_pod_gone(scene: Scene) -> JsonObject:
    """The process sends a token that was copied out of a pod which is gone."""
    other = await scene.plane.workloads.run_pod(scene.namespace, "worker", spec={"serviceAccountName": "default"})
    token = await scene.plane.tokens.mint(scene.namespace, "default", bound_to=other)
    pod = await scene.pod()
    await scene.plane.api.delete(path_of(other), {"gracePeriodSeconds": 0})
    await scene.sends(pod, token)
    return pod


async def bound_pod_recreated(scene: Scene) -> JsonObject:
    """A StatefulSet's pod was re-created; somebody sends the token of its predecessor."""
    pod, claims = await scene.pod_and_claims()
    bound = {**claims["kubernetes.io"], "pod": {"name": "app", "uid": "11111111-2222-3333-4444-555555555555"}}
    await scene.refused(pod, scene.plane.tokens.sign({**claims, "kubernetes.io": bound}))
    return pod


def with_token_in_environment(secret: str = "checkout-token") -> JsonObject:
    source = {"secretKeyRef": {"name": secret, "key": "token"}}
    container = {"name": "app", "image": "shop/checkout:1.4", "env": [{"name": "KUBE_TOKEN", "valueFrom": source}]}
    return {"automountServiceAccountToken": False, "containers": [container]}


async def _with_secret(scene: Scene) -> tuple[JsonObject, JsonObject, str]:
    await scene.plane.etcd.age(path_of(await scene.account()), by=timedelta(days=90))
    secret = await scene.token_secret()
    pod = await scene.pod(with_token_in_environment())
    return pod, secret, scene.plane.tokens.sign(legacy_claims(secret))


async def token_in_environment(scene: Scene) -> JsonObject:
    """An hour's token was written into an ordinary Secret and from there into the environment; it has run out."""
    claims_of = await scene.account()
    await scene.plane.etcd.age(path_of(claims_of), by=timedelta(days=90))
    await scene.token_secret()
    pod = await scene.pod(with_token_in_environment())
    claims = await scene.plane.tokens.bound_claims(scene.namespace, "checkout")
    await scene.refused(pod, scene.plane.tokens.sign({**claims, "exp": claims["exp"] - 7200}))
    return pod


async def secret_deleted(scene: Scene) -> JsonObject:
    pod, secret, token = await _with_secret(scene)
    await scene.plane.api.delete(path_of(secret))
    await scene.refused(pod, token)
    return pod


async def secret_replaced(scene: Scene) -> JsonObject:
    """The Secret was edited by hand; the process has the token of before in its environment."""
    pod, secret, token = await _with_secret(scene)
    await scene.plane.api.patch(path_of(secret), {"stringData": {"token": "somebody pasted another one here"}})
    await scene.refused(pod, token)
    return pod


async def legacy_invalidated(scene: Scene) -> JsonObject:
    """The cleaner has marked the Secret after a year without use."""
    pod, secret, token = await _with_secret(scene)
    label = {"kubernetes.io/legacy-token-invalid-since": "2026-01-01"}
    await scene.plane.api.patch(path_of(secret), {"metadata": {"labels": label}})
    await scene.refused(pod, token)
    return pod


LIKELY, PROVEN = Certainty.LIKELY, Certainty.PROVEN
