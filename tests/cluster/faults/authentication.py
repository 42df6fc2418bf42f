"""Faults in how the API server authenticates, and settings of it that are none.

Nearly all need a control plane of their own: the API server is started again with other flags, as
its static pod would be after an edit of its manifest.
"""

import asyncio
import json
import socket
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.cluster.api import Api, ApiError, JsonObject
from tests.cluster.commands import ISSUER, Flags
from tests.cluster.faults.scene import CLIENT_GO_401, TOKEN_FILE, Scene
from tests.cluster.second import second_api_server

_NOBODY = "https://127.0.0.1:9"
"""The discard port: no connection is taken there."""
_NEW_ISSUER = "https://issuer.shop.example"
_OPAQUE = "a-session-of-the-company-directory"


async def webhook_refuses(scene: Scene) -> JsonObject:
    """The process sends a token that only the webhook knows, and nobody listens there."""
    await _restarted(scene, _webhook(scene, _NOBODY))
    pod = await scene.pod()
    await scene.refused(pod, _OPAQUE)
    return pod


async def webhook_hangs_beside_an_expired_token(scene: Scene) -> JsonObject:
    """It takes the connection and says nothing: the refusal of an expired token waits for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        await _restarted(scene, _webhook(scene, f"https://127.0.0.1:{silent.getsockname()[1]}"))
        pod, claims = await scene.pod_and_claims()
        await scene.refused(pod, scene.plane.tokens.sign({**claims, "exp": claims["exp"] - 7200}), times=1)
    return pod


async def issuer_unknown_beside_a_dead_webhook(scene: Scene) -> JsonObject:
    """The token is another cluster's: the webhook was only asked because nobody else knew it."""
    await _restarted(scene, _webhook(scene, _NOBODY))
    pod, claims = await scene.pod_and_claims()
    await scene.sends(pod, scene.plane.tokens.sign({**claims, "iss": "https://issuer.other.example"}))
    return pod


async def oidc_issuer_unreachable(scene: Scene) -> JsonObject:
    """The process sends a token of the OpenID Connect issuer, whose keys the API server cannot read."""
    await _restarted(scene, _oidc())
    pod, claims = await scene.pod_and_claims()
    tokens = scene.plane.tokens
    await scene.refused(pod, tokens.sign({**claims, "iss": f"{_NOBODY}/dex"}, key=tokens.foreign_key))
    return pod


async def expired_beside_an_unreachable_oidc_issuer(scene: Scene) -> JsonObject:
    await _restarted(scene, _oidc())
    pod, claims = await scene.pod_and_claims()
    await scene.refused(pod, scene.plane.tokens.sign({**claims, "exp": claims["exp"] - 7200}))
    return pod


async def api_audiences_changed(scene: Scene) -> JsonObject:
    """The pod still holds the token of before; the kubelet has not refreshed it yet."""
    pod, token = await _with_its_token(scene)
    await _restarted(scene, {"api-audiences": "https://api.shop.example"})
    await scene.sends(pod, token)
    return pod


async def own_audience_is_foreign_now(scene: Scene) -> JsonObject:
    """The projection names the API server's audience, and the API server has another one."""
    source = {"serviceAccountToken": {"path": "token", "audience": ISSUER, "expirationSeconds": 3600}}
    mount = {"name": "token", "mountPath": TOKEN_FILE.removesuffix("/token")}
    await _restarted(scene, {"api-audiences": "https://api.shop.example"})
    pod = await scene.pod(
        {
            "automountServiceAccountToken": False,
            "volumes": [{"name": "token", "projected": {"sources": [source]}}],
            "containers": [{"name": "app", "image": "shop/checkout:1.4", "volumeMounts": [mount]}],
        }
    )
    await scene.refused(pod, await scene.plane.tokens.mint(scene.namespace, "checkout", audiences=[ISSUER]))
    return pod


async def issuer_changed(scene: Scene) -> JsonObject:
    """The former issuer is not accepted beside the new one."""
    pod, token = await _with_its_token(scene)
    await _restarted(scene, {"service-account-issuer": _NEW_ISSUER, "api-audiences": ISSUER})
    await scene.sends(pod, token)
    return pod


async def nothing_sent_and_nothing_logged(scene: Scene) -> JsonObject:
    """The client forgets the header. Without anonymous requests that is a 401, of which the log says nothing."""
    await _restarted(scene, {"anonymous-auth": "false"})
    pod = await scene.pod()
    said = [(scene.now(), await scene.answer("", f"/api/v1/namespaces/{scene.namespace}/pods")) for _ in range(3)]
    assert all('"code":401' in answer for _, answer in said)
    scene.log(pod, [*scene.worked(said[0][0]), *((at, CLIENT_GO_401) for at, _ in said)])
    return pod


async def cached_without_extension(scene: Scene) -> JsonObject:
    """A client that reads its token once breaks after its hour where nothing is extended."""
    await _restarted(scene, {"service-account-extend-token-expiration": "false"})
    pod, claims = await scene.pod_and_claims()
    assert claims["exp"] - claims["iat"] < 2 * 3600
    await scene.refused(pod, scene.plane.tokens.sign({**claims, "exp": claims["exp"] - 7200}))
    return pod


async def api_servers_differ_in_issuer(scene: Scene) -> JsonObject:
    """One of two API servers was given the new issuer alone, so it refuses what the other one signs."""
    pod, token = await _with_its_token(scene)
    changes = {"service-account-issuer": _NEW_ISSUER, "api-audiences": ISSUER}
    async with second_api_server(scene.plane, other_keys=False, changes=changes) as other:
        moments = [await _refused_by(replace(other, token=token), scene) for _ in range(3)]
    scene.log(pod, [*scene.worked(moments[0]), *((at, CLIENT_GO_401) for at in moments)])
    return pod


async def stale_token_sent(scene: Scene) -> JsonObject:
    """A client of the account lives on the extension: its token is past its hour."""
    _, claims = await scene.pod_and_claims()
    times = {name: claims[name] - 7200 for name in ("iat", "nbf")}
    bound = {**claims["kubernetes.io"], "warnafter": claims["iat"] - 3600}
    token = scene.plane.tokens.sign({**claims, **times, "exp": claims["exp"] + 3600, "kubernetes.io": bound})
    assert await scene.plane.tokens.authenticate(token) != 401
    account = await scene.plane.api.get(f"/api/v1/namespaces/{scene.namespace}/serviceaccounts/checkout")
    return {"kind": "ServiceAccount", **account}


async def _refused_by(client: Api, scene: Scene) -> datetime:
    with pytest.raises(ApiError, match="401"):
        await client.get("/api")
    moment = scene.now()
    await asyncio.sleep(0.2)
    return moment


# --- settings that are no fault ---


async def behind_a_dead_webhook(scene: Scene) -> JsonObject:
    """A good service account token never gets there."""
    pod, token = await _with_its_token(scene)
    await _restarted(scene, _webhook(scene, _NOBODY))
    return await _works(scene, pod, token)


async def beside_an_unreachable_oidc_issuer(scene: Scene) -> JsonObject:
    pod, token = await _with_its_token(scene)
    await _restarted(scene, _oidc())
    return await _works(scene, pod, token)


async def without_anonymous_requests(scene: Scene) -> JsonObject:
    pod, token = await _with_its_token(scene)
    await _restarted(scene, {"anonymous-auth": "false"})
    return await _works(scene, pod, token)


async def issuer_changed_and_the_former_kept(scene: Scene) -> JsonObject:
    """The new one signs, both are accepted."""
    pod, token = await _with_its_token(scene)
    await _restarted(scene, {"service-account-issuer": (_NEW_ISSUER, ISSUER)})
    return await _works(scene, pod, token)


async def under_a_ceiling(scene: Scene) -> JsonObject:
    """An hour at most: the default token's 3607 s are cut a little, and it is not extended."""
    await _restarted(scene, {"service-account-max-token-expiration": "1h"})
    return await _works(scene, *await _with_its_token(scene))


async def old_without_extension(scene: Scene) -> JsonObject:
    """A container of almost a year has no cliff before it where nothing is extended: it reads its file again."""
    await _restarted(scene, {"service-account-extend-token-expiration": "false"})
    pod = await scene.pod(age=timedelta(days=350))
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def with_an_authentication_file(scene: Scene) -> JsonObject:
    """A file of the host: nobody can read it through the API, and it is no reason for a doubt."""
    pod, token = await _with_its_token(scene)
    path = scene.plane.layout.folder / "authentication.yaml"
    says = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration"}
    path.write_text(json.dumps({**says, "anonymous": {"enabled": True}}))
    await _restarted(scene, {"authentication-config": str(path)})
    return await _works(scene, pod, token)


async def _works(scene: Scene, pod: JsonObject, token: str) -> JsonObject:
    assert await scene.plane.tokens.authenticate(token) != 401
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def _with_its_token(scene: Scene) -> tuple[JsonObject, str]:
    """A running pod, and a token of it that is good now."""
    pod = await scene.pod()
    return pod, await scene.plane.tokens.mint(scene.namespace, "checkout", bound_to=pod)


async def _restarted(scene: Scene, changes: Flags) -> None:
    await scene.plane.start("kube-apiserver", changes)


def _oidc() -> Flags:
    return {"oidc-issuer-url": f"{_NOBODY}/dex", "oidc-client-id": "kubernetes"}


def _webhook(scene: Scene, address: str) -> Flags:
    path = scene.plane.layout.folder / "webhook.kubeconfig"
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "it", "cluster": {"server": f"{address}/authenticate"}}],
                "users": [{"name": "nobody", "user": {}}],
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "nobody"}}],
                "current-context": "it",
            }
        )
    )
    return {"authentication-token-webhook-config-file": str(path)}
