"""Faults of Secrets: the token controller cannot fill them, the cleaner takes them, a credential in them runs out."""

import base64
import datetime as dt
import json
from typing import Literal

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.cluster.api import JsonObject
from tests.cluster.faults.scene import TOKEN_FILE, Scene
from tests.cluster.faults.token import with_token_in_environment
from tests.cluster.tokens import legacy_claims
from tests.cluster.waiting import eventually
from tests.cluster.workloads import path_of

TOKEN_SECRET = "kubernetes.io/service-account-token"
TRACKING = "/api/v1/namespaces/kube-system/configmaps/kube-apiserver-legacy-service-account-token-tracking"
ELSEWHERE = "https://api.staging.shop.example:6443"
YEAR = dt.timedelta(days=365)


async def _create(
    scene: Scene, name: str, data: JsonObject | None = None, kind: str = "Opaque", **metadata: object
) -> JsonObject:
    """A Secret; `data` is plain text."""
    body = {"apiVersion": "v1", "kind": "Secret", "type": kind, "stringData": data or {}}
    return await scene.plane.workloads.create(
        {**body, "metadata": {"name": name, "namespace": scene.namespace, **metadata}}
    )


async def _account_secret(scene: Scene, *, finalizer: bool = False) -> JsonObject:
    """A filled token Secret of an account of its own; with a finalizer nobody can delete it for good."""
    await scene.account()
    secret = await scene.token_secret()
    if finalizer:
        await scene.plane.api.patch(path_of(secret), {"metadata": {"finalizers": ["shop.example/keep"]}})
    return secret


def _account_path(scene: Scene) -> str:
    return f"/api/v1/namespaces/{scene.namespace}/serviceaccounts/checkout"


# --- the token controller -----------------------------------------------------------------------------------


async def unfilled_secret(scene: Scene) -> JsonObject:
    """The controller manager is down, and the Secret was created a while ago."""
    await scene.account()
    await scene.plane.stop("kube-controller-manager")
    annotations = {"kubernetes.io/service-account.name": "checkout"}
    secret = await _create(scene, "checkout-token", kind=TOKEN_SECRET, annotations=annotations)
    await scene.plane.etcd.age(path_of(secret), by=dt.timedelta(minutes=10))
    return secret


async def token_taken_out(scene: Scene) -> JsonObject:
    """Somebody has taken data.token out, to have it signed anew, while the controller manager is down."""
    secret = await _account_secret(scene)
    await scene.plane.stop("kube-controller-manager")
    await scene.plane.api.patch(path_of(secret), {"data": {"token": None}})
    await scene.plane.etcd.age(path_of(secret), by=dt.timedelta(days=3))
    return secret


async def pod_with_unfilled_secret(scene: Scene) -> JsonObject:
    """The pod mounts a token Secret that nobody has filled."""
    pod = await scene.pod(_mounting("checkout-token"))
    await scene.plane.stop("kube-controller-manager")
    annotations = {"kubernetes.io/service-account.name": "checkout"}
    secret = await _create(scene, "checkout-token", kind=TOKEN_SECRET, annotations=annotations)
    await scene.plane.etcd.age(path_of(secret), by=dt.timedelta(minutes=10))
    text = f"panic: open {TOKEN_FILE}: no such file or directory"
    scene.repeats(pod, text)
    return pod


async def secret_of_an_earlier_account(scene: Scene) -> JsonObject:
    """The account was created again, and a finalizer holds the Secret of the one before."""
    secret = await _account_secret(scene, finalizer=True)
    await scene.plane.api.delete(_account_path(scene))
    await scene.account()
    return await _leaving(scene, secret)


async def secret_of_no_account(scene: Scene) -> JsonObject:
    """The account was deleted, and a finalizer holds its Secret."""
    secret = await _account_secret(scene, finalizer=True)
    await scene.plane.api.delete(_account_path(scene))
    return await _leaving(scene, secret)


async def secret_of_no_account_stays(scene: Scene) -> JsonObject:
    """The same without a controller manager that would delete it."""
    secret = await _account_secret(scene)
    await scene.plane.stop("kube-controller-manager")
    await scene.plane.api.delete(_account_path(scene))
    return secret


async def pod_with_secret_of_an_earlier_account(scene: Scene) -> JsonObject:
    """The pod has its token from such a Secret, and is refused."""
    secret = await _account_secret(scene, finalizer=True)
    token = scene.plane.tokens.sign(legacy_claims(secret))
    pod = await scene.pod(with_token_in_environment())
    await scene.plane.api.delete(_account_path(scene))
    await scene.account()
    await _leaving(scene, secret)
    await scene.refused(pod, token)
    return pod


async def _leaving(scene: Scene, secret: JsonObject) -> JsonObject:
    """Once somebody has wanted to delete it."""
    live = await eventually(
        lambda: scene.plane.api.get(path_of(secret)),
        lambda found: "deletionTimestamp" in found["metadata"],
        "the Secret is being deleted",
    )
    return {**secret, **live}


async def secret_held_by_a_finalizer(scene: Scene) -> JsonObject:
    """Somebody has deleted the Secret; its account lives."""
    secret = await _account_secret(scene, finalizer=True)
    await scene.plane.api.delete(path_of(secret))
    return await _leaving(scene, secret)


# --- of another type ----------------------------------------------------------------------------------------


async def type_forgotten(scene: Scene) -> JsonObject:
    """The manifest has the annotation, and no `type:`."""
    await scene.account()
    return await _create(scene, "checkout-api", annotations={"kubernetes.io/service-account.name": "checkout"})


async def type_forgotten_and_mounted(scene: Scene) -> JsonObject:
    """Such a Secret stands where the client looks for its token."""
    await scene.account()
    await _create(scene, "checkout-api", annotations={"kubernetes.io/service-account.name": "checkout"})
    pod = await scene.pod({"automountServiceAccountToken": False, **_mounting("checkout-api")})
    text = f"panic: open {TOKEN_FILE}: no such file or directory"
    scene.repeats(pod, text)
    return pod


def _mounting(secret: str, folder: str = TOKEN_FILE.removesuffix("/token")) -> JsonObject:
    mount = {"name": "credentials", "mountPath": folder}
    return {
        "automountServiceAccountToken": False,
        "volumes": [{"name": "credentials", "secret": {"secretName": secret}}],
        "containers": [{"name": "app", "image": "shop/checkout:1.4", "volumeMounts": [mount]}],
    }


# --- the cleaner --------------------------------------------------------------------------------------------


async def _listed(
    scene: Scene, *, since: dt.timedelta, age: dt.timedelta, labels: JsonObject | None = None
) -> JsonObject:
    """A Secret in its account's `secrets`; uses have been recorded that long."""
    secret = await _account_secret(scene)
    day = (scene.now() - since).date().isoformat()
    await scene.plane.api.patch(TRACKING, {"data": {"since": day}})
    await scene.plane.api.patch(_account_path(scene), {"secrets": [{"name": "checkout-token"}]})
    await scene.plane.api.patch(path_of(secret), {"metadata": {"labels": labels}})
    await scene.plane.etcd.age(path_of(secret), by=age)
    return secret


def _days_ago(scene: Scene, days: int) -> str:
    return (scene.now() - dt.timedelta(days=days)).date().isoformat()


async def cleaner_is_due(scene: Scene) -> JsonObject:
    """Never used since uses are recorded, for longer than a year."""
    return await _listed(scene, since=2 * YEAR, age=3 * YEAR)


async def cleaner_comes_soon(scene: Scene) -> JsonObject:
    """Last used almost a year ago."""
    labels = {"kubernetes.io/legacy-token-last-used": _days_ago(scene, 360)}
    return await _listed(scene, since=2 * YEAR, age=3 * YEAR, labels=labels)


async def used_after_it_was_marked(scene: Scene) -> JsonObject:
    labels = {
        "kubernetes.io/legacy-token-invalid-since": _days_ago(scene, 40),
        "kubernetes.io/legacy-token-last-used": _days_ago(scene, 2),
    }
    return await _listed(scene, since=2 * YEAR, age=3 * YEAR, labels=labels)


async def cleaner_would_delete_soon(scene: Scene) -> JsonObject:
    """Its service account is what was asked about."""
    labels = {"kubernetes.io/legacy-token-invalid-since": _days_ago(scene, 360)}
    await _listed(scene, since=3 * YEAR, age=3 * YEAR, labels=labels)
    return {"apiVersion": "v1", "kind": "ServiceAccount", **await scene.plane.api.get(_account_path(scene))}


async def tracking_is_young(scene: Scene) -> JsonObject:
    """Without a last use, while uses have been recorded for a week: unknown, not unused."""
    return await _listed(scene, since=dt.timedelta(days=7), age=3 * YEAR)


async def marked_tomorrow_while_a_pod_mounts_it(scene: Scene) -> JsonObject:
    """Due for the cleaner, but in use."""
    secret = await _listed(scene, since=2 * YEAR, age=3 * YEAR)
    await scene.plane.workloads.run_pod(scene.namespace, spec=_mounting("checkout-token"))
    return secret


# --- kubeconfigs --------------------------------------------------------------------------------------------


def _kubeconfig(scene: Scene, user: JsonObject, server: str = "") -> str:
    """With one user, for this cluster or another one."""
    authority = base64.b64encode(scene.plane.layout.authority.certificate.read_bytes()).decode()
    own: JsonObject = {"server": scene.plane.api.url, "certificate-authority-data": authority}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "shop",
            "clusters": [{"name": "shop", "cluster": {"server": server} if server else own}],
            "contexts": [{"name": "shop", "context": {"cluster": "shop", "user": "deployer"}}],
            "users": [{"name": "deployer", "user": user}],
        }
    )


async def _token(
    scene: Scene, lasts: dt.timedelta, *, of: dt.timedelta = YEAR, key: Literal["own", "foreign"] = "own"
) -> str:
    """Of an account of this cluster, or as another one with the same issuer would sign it."""
    path = f"/api/v1/namespaces/{scene.namespace}/serviceaccounts"
    if "deployer" not in {each["metadata"]["name"] for each in (await scene.plane.api.get(path))["items"]}:
        await scene.account("deployer")
    claims = await scene.plane.tokens.bound_claims(scene.namespace, "deployer")
    ends = claims["iat"] + int(lasts.total_seconds())
    born = ends - int(of.total_seconds())
    tokens = scene.plane.tokens
    signer = tokens.foreign_key if key == "foreign" else tokens.key
    return tokens.sign({**claims, "iat": born, "nbf": born, "exp": ends}, key=signer)


def _certificate(lasts: dt.timedelta, of: dt.timedelta = YEAR) -> JsonObject:
    """A kubeconfig's user with a client certificate and its key."""
    private, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
            x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes-admin"),
        ]
    )
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now + lasts - of).not_valid_after(now + lasts)
    pem = builder.sign(private, hashes.SHA256()).public_bytes(Encoding.PEM)
    key = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    encoded = {"client-certificate-data": pem, "client-key-data": key}
    return {name: base64.b64encode(value).decode() for name, value in encoded.items()}


async def mounted_kubeconfig_expired(scene: Scene) -> JsonObject:
    """The pod talks to its own API server with a kubeconfig whose token has run out, and is refused."""
    expired = await _token(scene, dt.timedelta(hours=-2), of=dt.timedelta(days=30))
    await _create(scene, "deployer-kubeconfig", {"kubeconfig": _kubeconfig(scene, {"token": expired})})
    pod = await scene.pod({**_mounting("deployer-kubeconfig", "/etc/kube"), "automountServiceAccountToken": True})
    await scene.refused(pod, expired)
    return pod


async def cluster_api_kubeconfig_expired(scene: Scene) -> JsonObject:
    expired = await _token(scene, dt.timedelta(days=-1))
    labels = {"cluster.x-k8s.io/cluster-name": "shop"}
    data = {"value": _kubeconfig(scene, {"token": expired})}
    return await _create(scene, "shop-kubeconfig", data, "cluster.x-k8s.io/secret", labels=labels)


async def kubeconfig_elsewhere_expired(scene: Scene) -> JsonObject:
    """For a cluster that nobody has configured: only its own claims speak."""
    expired = await _token(scene, dt.timedelta(days=-1), key="foreign")
    return await _create(scene, "staging", {"value": _kubeconfig(scene, {"token": expired}, ELSEWHERE)})


async def sveltos_token_runs_out(scene: Scene) -> JsonObject:
    soon = await _token(scene, dt.timedelta(hours=2), of=dt.timedelta(hours=24))
    config = _kubeconfig(scene, {"token": soon})
    return await _create(scene, "shop-sveltos-kubeconfig", {"re-kubeconfig": config, "kubeconfig": config})


async def kamaji_certificate_runs_out(scene: Scene) -> JsonObject:
    config = _kubeconfig(scene, _certificate(dt.timedelta(days=3)), ELSEWHERE)
    return await _create(scene, "shop-admin-kubeconfig", {"admin.conf": config})


async def cluster_api_certificate_expired(scene: Scene) -> JsonObject:
    config = _kubeconfig(scene, _certificate(dt.timedelta(days=-3)), ELSEWHERE)
    labels = {"cluster.x-k8s.io/cluster-name": "shop"}
    return await _create(scene, "shop-kubeconfig", {"value": config}, "cluster.x-k8s.io/secret", labels=labels)


async def kubeconfig_is_no_yaml(scene: Scene) -> JsonObject:
    """A template was never filled in."""
    labels = {"cluster.x-k8s.io/cluster-name": "shop"}
    broken = "apiVersion: v1\nkind: Config\nusers: [{name: admin, user: {token: {{ .Token }}\n"
    return await _create(scene, "shop-kubeconfig", {"value": broken}, "cluster.x-k8s.io/secret", labels=labels)


# --- Argo CD and others -------------------------------------------------------------------------------------


async def _argo_cd(scene: Scene, bearer: str, server: str = "https://kubernetes.default.svc") -> JsonObject:
    config = {"bearerToken": bearer, "tlsClientConfig": {"insecure": False}}
    data = {"name": "shop", "server": server, "config": json.dumps(config)}
    return await _create(scene, "cluster-shop", data, labels={"argocd.argoproj.io/secret-type": "cluster"})


async def argo_cd_token_runs_out(scene: Scene) -> JsonObject:
    return await _argo_cd(scene, await _token(scene, dt.timedelta(days=5)))


async def argo_cd_token_expired(scene: Scene) -> JsonObject:
    return await _argo_cd(scene, await _token(scene, dt.timedelta(days=-5)))


async def argo_cd_account_deleted(scene: Scene) -> JsonObject:
    """Its token is good for months, and its account is gone."""
    secret = await _argo_cd(scene, await _token(scene, dt.timedelta(days=200)))
    await scene.plane.api.delete(f"/api/v1/namespaces/{scene.namespace}/serviceaccounts/deployer")
    return secret


async def token_in_a_secret_runs_out(scene: Scene) -> JsonObject:
    """A bare token that a CI job reads through the API."""
    soon = await _token(scene, dt.timedelta(hours=20), of=dt.timedelta(days=30))
    return await _create(scene, "ci", {"KUBE_TOKEN": soon})


# --- healthy ones -------------------------------------------------------------------------------------------


async def opaque_of_somebody_else(scene: Scene) -> JsonObject:
    """Passwords, a TLS key, another product's token."""
    return await _create(scene, "payments", {"password": "hunter2", "token": "sk_live_0123456789", "url": "https://db"})


async def manual_token_secret(scene: Scene) -> JsonObject:
    secret = await _account_secret(scene)
    await scene.plane.etcd.age(path_of(secret), by=dt.timedelta(days=500))
    return secret


async def generated_secret_in_use(scene: Scene) -> JsonObject:
    """As 1.23 made it: listed on its account, used yesterday and mounted by a pod."""
    secret = await _account_secret(scene)
    await scene.plane.api.patch(_account_path(scene), {"secrets": [{"name": "checkout-token"}]})
    labels = {"kubernetes.io/legacy-token-last-used": _days_ago(scene, 1)}
    await scene.plane.api.patch(path_of(secret), {"metadata": {"labels": labels}})
    await scene.plane.etcd.age(path_of(secret), by=dt.timedelta(days=900))
    await scene.plane.workloads.run_pod(scene.namespace, spec=_mounting("checkout-token", "/etc/legacy"))
    return secret


async def account_with_a_secret(scene: Scene) -> JsonObject:
    await manual_token_secret(scene)
    return {"apiVersion": "v1", "kind": "ServiceAccount", **await scene.plane.api.get(_account_path(scene))}


async def kubeconfig_elsewhere_good(scene: Scene) -> JsonObject:
    """For a cluster that nobody has configured, good for most of a year."""
    good = await _token(scene, dt.timedelta(days=300), key="foreign")
    user = {"token": good, **_certificate(dt.timedelta(days=300))}
    return await _create(scene, "staging", {"value": _kubeconfig(scene, user, ELSEWHERE)})


async def argo_cd_token_good(scene: Scene) -> JsonObject:
    return await _argo_cd(scene, await _token(scene, dt.timedelta(days=300)))


async def sveltos_token_of_an_hour(scene: Scene) -> JsonObject:
    """It always ends within the hour, and is always renewed in time."""
    fresh = await _token(scene, dt.timedelta(minutes=40), of=dt.timedelta(hours=1))
    return await _create(scene, "shop-sveltos-kubeconfig", {"kubeconfig": _kubeconfig(scene, {"token": fresh})})


async def image_pull_secret(scene: Scene) -> JsonObject:
    """Its password is a token too, of the registry."""
    auths = {"auths": {"registry.shop.example": {"username": "ci", "password": "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln"}}}
    data = {".dockerconfigjson": json.dumps(auths)}
    return await _create(scene, "registry", data, "kubernetes.io/dockerconfigjson")


async def pod_with_kubeconfig(scene: Scene) -> JsonObject:
    """It deploys to its own cluster and to another one."""
    good = await _token(scene, dt.timedelta(days=200))
    await _create(scene, "deployer-kubeconfig", {"kubeconfig": _kubeconfig(scene, {"token": good})})
    pod = await scene.pod({**_mounting("deployer-kubeconfig", "/etc/kube"), "automountServiceAccountToken": True})
    scene.log(pod, scene.worked(scene.now()))
    return pod
