"""The routes to a token: exec, Secret data, probe; and TokenReview at every API server."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from bot.errors import NotATokenError
from bot.kube.client import Cluster, connect
from bot.kube.facets.gather import gather
from bot.kube.gaps import DeniedError
from bot.kube.review import review
from bot.model import TOKEN_TYPE, ClaimsKind, GapKind, ObjectRef, Routes, Rule, SeenToken, Snapshot
from bot.tokens import RawToken
from tests.unit import jwts
from tests.unit.kube import fake_api
from tests.unit.kube.fake_api import (
    NAMESPACE,
    POD,
    POD_PATH,
    UID,
    Answer,
    FakeApi,
    Json,
    forbids,
    healthy,
    refuses,
    says,
    secret,
    served,
)

REF = ObjectRef(cluster="here", api_version="v1", kind="Pod", namespace=NAMESPACE, name=POD)
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
EXEC = f"{POD_PATH}/exec"
MINT = "/api/v1/namespaces/shop/serviceaccounts/checkout/token"
SECRETS = "/api/v1/namespaces/shop/secrets"
TOKEN = jwts.token(jwts.BOUND)
LEGACY = jwts.token(jwts.LEGACY)
FOREIGN = jwts.token({"iss": "https://login.elsewhere.test", "sub": "somebody"})
ACCEPTED = {"status": {"authenticated": True, "user": {"username": "system:serviceaccount:shop:checkout"}}}
EXPIRED = {"status": {"error": "[invalid bearer token, service account token has expired]"}}


async def read(cluster: Cluster, routes: Routes) -> Snapshot:
    now = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
    return await gather(cluster, REF, routes=routes, deadline_seconds=10, log_lines=10, others=[], now=lambda: now)


def with_mounts(*mounts: Json, status: Json | None = None) -> Json:
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"serviceAccountToken": {"path": "vault", "audience": "vault"}},
    ]
    volumes = [{"name": "tokens", "projected": {"sources": sources}}, {"name": "s", "secret": {"secretName": "ci"}}]
    return fake_api.pod(containers=[{"name": "app", "volumeMounts": list(mounts)}], volumes=volumes, status=status)


def runs(stdout: bytes = b"", *, stderr: bytes = b"", status: object = None) -> Answer:
    """The kubelet's side of an exec; the output comes in two pieces."""

    async def answer(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        for channel, data in ((1, stdout[:7]), (1, stdout[7:]), (2, stderr)):
            await socket.send_bytes(bytes([channel]) + data)
        if status is not None:
            await socket.send_bytes(b"\x03" + json.dumps(status).encode())
        await socket.close()
        return socket

    return answer


SUCCESS = {"metadata": {}, "status": "Success"}
NO_CAT = {
    "status": "Failure",
    "message": 'exec failed: "cat": executable file not found in $PATH: unknown',
    "reason": "InternalError",
}


def failed(code: int) -> dict[str, object]:
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}


def reviewed(api: FakeApi) -> list[dict[str, object]]:
    """The specs of the reviews that were asked for."""
    return [
        json.loads(body)["spec"]
        for body, request in zip(api.bodies, api.requests, strict=True)
        if request.path == REVIEWS
    ]


# --- exec ---------------------------------------------------------------------------------------------------


async def exec_tokens(api: FakeApi, cluster: Cluster, *mounts: Json) -> tuple[SeenToken, ...]:
    api.on(POD_PATH, says(with_mounts(*mounts)))
    return (await read(cluster, Routes(exec=True))).exec_tokens.read()


async def test_mounted_tokens_are_read_decoded_and_reviewed(api: FakeApi, cluster: Cluster) -> None:
    api.on(EXEC, runs(TOKEN.encode() + b"\n", status=SUCCESS))
    api.on(REVIEWS, says(ACCEPTED, 201))

    usual, vault = await exec_tokens(api, cluster, {"name": "tokens", "mountPath": "/var/run/secrets/tokens"})

    asked = [request.query.getall("command") for request in api.asked(EXEC)]
    assert sorted(asked) == [["cat", "/var/run/secrets/tokens/token"], ["cat", "/var/run/secrets/tokens/vault"]]
    assert usual.claims is not None
    assert usual.claims.kind is ClaimsKind.BOUND
    assert [(one.endpoint, one.authenticated) for one in usual.reviews] == [(api.url, True)]
    assert [one.audiences for one in vault.reviews] == [(), ("vault",)]
    assert reviewed(api)[0]["token"] == TOKEN


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (runs(status=NO_CAT), "has no `cat`"),
        (runs(stderr=b"cat: /t/token: No such file or directory", status=failed(1)), "there is no file /t/token"),
        (runs(stderr=b"cat: /t/token: Permission denied", status=failed(1)), "may not read /t/token"),
        (runs(stderr=b"odd", status=failed(9)), "failed: odd"),
        (runs(b"x" * 20_000, status=SUCCESS), "larger than 16 KiB"),
        (runs(b"", status=SUCCESS), "empty"),
        (runs(b"hello", status=SUCCESS), "three parts"),
    ],
    ids=["no-cat", "no-file", "denied", "other", "large", "empty", "no-token"],
)
async def test_a_file_that_cannot_be_read_is_a_problem_and_no_gap(
    api: FakeApi, cluster: Cluster, answer: Answer, problem: str
) -> None:
    api.on(EXEC, answer)
    mount = {"name": "tokens", "mountPath": "/t/token", "subPath": "token"}

    (seen,) = await exec_tokens(api, cluster, mount)

    assert problem in seen.problem
    assert seen.path == "/t/token"
    assert seen.claims is None


async def test_an_exec_refused_with_401_is_tried_with_fresh_credentials(
    api: FakeApi, cluster: Cluster, tmp_path: Path
) -> None:
    api.on(REVIEWS, says(ACCEPTED, 201))
    api.on(EXEC, refuses(401, "Unauthorized"), runs(TOKEN.encode(), status=SUCCESS))
    api.kubeconfig(tmp_path, {"token": "newer"})

    (seen,) = await exec_tokens(api, cluster, {"name": "tokens", "mountPath": "/t/token", "subPath": "token"})

    assert seen.claims is not None
    assert [request.headers["Authorization"] for request in api.asked(EXEC)] == ["Bearer a-token", "Bearer newer"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (runs(b"half"), GapKind.UNAVAILABLE),
        (refuses(500, "error dialing backend"), GapKind.UNAVAILABLE),
        (forbids("get", "pods/exec"), GapKind.DENIED),
    ],
    ids=["broken-off", "no-kubelet", "denied"],
)
async def test_an_exec_that_cannot_be_had_is_a_gap(
    api: FakeApi, cluster: Cluster, answer: Answer, kind: GapKind
) -> None:
    api.on(EXEC, answer)
    api.on(POD_PATH, says(with_mounts({"name": "tokens", "mountPath": "/t"})))

    gap = (await read(cluster, Routes(exec=True))).exec_tokens.gap

    assert gap is not None
    assert gap.kind is kind


async def test_only_running_containers_and_token_secrets_are_read(api: FakeApi, cluster: Cluster) -> None:
    api.on(f"{SECRETS}/ci", secret("ci", {}))
    assert await exec_tokens(api, cluster, {"name": "s", "mountPath": "/s"}) == ()

    api.on(f"{SECRETS}/ci", secret("ci", {}, TOKEN_TYPE))
    api.on(EXEC, runs(LEGACY.encode(), status=SUCCESS))
    api.on(REVIEWS, says(EXPIRED, 201))
    (seen,) = await exec_tokens(api, cluster, {"name": "s", "mountPath": "/s"})
    assert (seen.secret, seen.path) == ("ci", "/s/token")

    api.on(
        POD_PATH, says(with_mounts({"name": "s", "mountPath": "/s"}, status={"containerStatuses": [{"name": "app"}]}))
    )
    assert (await read(cluster, Routes(exec=True))).exec_tokens.read() == ()


# --- Secret data, pod spec, probe ---------------------------------------------------------------------------


async def test_a_secret_s_token_is_read_only_when_switched_on(api: FakeApi, cluster: Cluster) -> None:
    api.on(POD_PATH, says(with_mounts()))
    data = {"token": base64.b64encode(LEGACY.encode()).decode(), "other": "AAAA"}
    api.on(f"{SECRETS}/ci", secret("ci", data, TOKEN_TYPE))
    api.on(REVIEWS, says(EXPIRED, 201))

    off = await read(cluster, Routes())
    assert off.secret_tokens.gap is not None
    asked = api.asked(f"{SECRETS}/ci")
    assert {request.headers["Accept"] for request in asked} == {"application/json;as=Table;g=meta.k8s.io;v=v1"}
    assert {request.query_string for request in asked} == {"includeObject=Metadata"}

    on = await read(cluster, Routes(secret_data=True))
    (seen,) = on.secret_tokens.read()
    assert seen.secret == "ci"
    assert seen.reviews[0].error == "[invalid bearer token, service account token has expired]"
    written = msgspec.json.encode(on).decode()
    assert LEGACY not in written
    assert base64.b64encode(LEGACY.encode()).decode()[:40] not in written


async def test_a_secret_without_a_token(api: FakeApi, cluster: Cluster) -> None:
    api.on(POD_PATH, says(with_mounts()))
    api.on(f"{SECRETS}/ci", secret("ci", {}, TOKEN_TYPE))

    (seen,) = (await read(cluster, Routes(secret_data=True))).secret_tokens.read()

    assert seen.problem == "the Secret holds no token"


async def test_a_missing_secret_is_known_as_missing(api: FakeApi, cluster: Cluster) -> None:
    api.on(POD_PATH, says(with_mounts()))

    (referenced,) = (await read(cluster, Routes())).referenced_secrets.read()

    assert (referenced.name, referenced.secret, referenced.is_token) == ("ci", None, False)


async def test_somebody_else_s_token_is_not_handed_to_the_api_server(api: FakeApi, cluster: Cluster) -> None:
    environment = [{"name": "A", "value": FOREIGN}, {"name": "B", "value": TOKEN}]
    api.on(POD_PATH, says(fake_api.pod(containers=[{"name": "app", "env": environment}])))
    api.on(REVIEWS, says(ACCEPTED, 201))

    foreign, own = (await read(cluster, Routes(secret_data=True))).spec_tokens.read()

    assert (foreign.reviews, foreign.place) == ((), "environment variable A of container app")
    assert own.reviews[0].authenticated
    assert [spec["token"] for spec in reviewed(api)] == [TOKEN]


async def test_a_probe_mints_for_this_very_pod_and_reviews_it(api: FakeApi, cluster: Cluster) -> None:
    api.on(MINT, says({"status": {"token": TOKEN}}, 201))
    api.on(REVIEWS, says(ACCEPTED, 201))

    (seen,) = (await read(cluster, Routes(probe=True))).probe.read()

    (sent,) = [json.loads(body) for body, request in zip(api.bodies, api.requests, strict=True) if request.path == MINT]
    assert sent["spec"]["boundObjectRef"] == {"apiVersion": "v1", "kind": "Pod", "name": POD, "uid": UID}
    assert sent["spec"]["expirationSeconds"] == 600
    assert seen.reviews[0].authenticated


async def test_a_probe_for_a_missing_service_account_is_a_problem(api: FakeApi, cluster: Cluster) -> None:
    api.on(MINT, refuses(404, 'serviceaccounts "checkout" not found', "NotFound"))

    (seen,) = (await read(cluster, Routes(probe=True))).probe.read()

    assert seen.problem == 'none could be minted: serviceaccounts "checkout" not found'


async def test_a_review_that_is_denied_names_its_rule(api: FakeApi, cluster: Cluster) -> None:
    api.on(MINT, says({"status": {"token": TOKEN}}, 201))
    api.on(REVIEWS, refuses(403, "", "Forbidden"))

    gap = (await read(cluster, Routes(probe=True))).probe.gap

    assert gap is not None
    assert gap.rule == Rule(verb="create", resource="tokenreviews", group="authentication.k8s.io")


# --- review -------------------------------------------------------------------------------------------------


async def test_each_configured_endpoint_is_asked_and_named(api: FakeApi, tmp_path: Path) -> None:
    second = FakeApi()
    healthy(second)
    server = await served(second)
    api.on(REVIEWS, says(ACCEPTED, 201))
    second.on(REVIEWS, says(EXPIRED, 201))
    endpoints = [second.url, "http://127.0.0.1:1", api.url]
    cluster = await connect("here", kubeconfig=api.kubeconfig(tmp_path), endpoints=endpoints)

    answers = await review(cluster, RawToken(TOKEN))

    assert [(one.endpoint, one.authenticated) for one in answers] == [(api.url, True), (second.url, False)]
    api.on(MINT, says({"status": {"token": TOKEN}}, 201))
    assert (await read(cluster, Routes(probe=True))).endpoints == (api.url, second.url)
    await cluster.close()
    await server.close()


async def test_what_the_server_says_of_a_token_is_redacted(api: FakeApi, cluster: Cluster) -> None:
    api.on(REVIEWS, says({"spec": {"token": TOKEN}, "status": {"error": f"bad token {TOKEN}"}}, 201))
    (answer,) = await review(cluster, RawToken(TOKEN), audiences=["vault"])
    assert TOKEN not in repr(answer)
    assert answer.audiences == ("vault",)


async def test_an_empty_token_is_not_sent(api: FakeApi, cluster: Cluster) -> None:
    with pytest.raises(NotATokenError):
        await review(cluster, RawToken(" \n"))
    assert api.requests == []


async def test_a_denied_review_is_raised(api: FakeApi, cluster: Cluster) -> None:
    api.on(REVIEWS, refuses(403, "", "Forbidden"))
    with pytest.raises(DeniedError) as raised:
        await review(cluster, RawToken(TOKEN))
    assert str(raised.value.rule) == "create tokenreviews.authentication.k8s.io in a ClusterRole"
