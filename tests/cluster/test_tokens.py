"""Signed tokens are refused in the API server's own words: those that the diagnosis rests on."""

import base64
import re
from collections.abc import Callable

import jwt
import pytest

from tests.cluster.api import JsonObject
from tests.cluster.plane import Plane
from tests.cluster.tokens import key_id, legacy_claims
from tests.cluster.waiting import eventually
from tests.cluster.workloads import path_of

HOUR = 3600
UID = "00000000-0000-0000-0000-000000000000"


def _with_account_uid(claims: JsonObject) -> JsonObject:
    bound = {**claims["kubernetes.io"], "serviceaccount": {"name": "default", "uid": UID}}
    return {**claims, "kubernetes.io": bound}


def _with_pod_uid(claims: JsonObject) -> JsonObject:
    return {**claims, "kubernetes.io": {**claims["kubernetes.io"], "pod": {"name": "app", "uid": UID}}}


def _of_missing_account(claims: JsonObject) -> JsonObject:
    subject = claims["sub"].replace(":default", ":gone")
    bound = {**claims["kubernetes.io"], "serviceaccount": {"name": "gone", "uid": UID}}
    return {**claims, "sub": subject, "kubernetes.io": bound}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda claims: {**claims, "exp": claims["iat"] - HOUR}, "service account token has expired"),
        (lambda claims: {**claims, "nbf": claims["iat"] + HOUR}, "service account token is not valid yet"),
        (
            lambda claims: {**claims, "aud": ["vault"]},
            'token audiences ["vault"] is invalid for the target audiences ["https://kubernetes.default.svc"]',
        ),
        (_with_account_uid, "service account UID (…) does not match claim (0000…)"),
        (_with_pod_uid, "pod UID (…) does not match service account pod ref claim (0000…)"),
        (_of_missing_account, 'serviceaccounts "gone" not found'),
    ],
)
async def test_a_changed_claim_is_refused(
    plane: Plane, namespace: str, change: Callable[[JsonObject], JsonObject], error: str
) -> None:
    pod = await plane.workloads.run_pod(namespace)
    claims = await plane.tokens.bound_claims(namespace, "default", pod=pod)
    assert (await plane.tokens.review(plane.tokens.sign(claims)))["authenticated"] is True

    review = await plane.tokens.review(plane.tokens.sign(change(claims)))

    told = re.sub(r"\((?!0000)[0-9a-f]{4}[0-9a-f-]+\)", "(…)", review["error"])
    told = told.replace(UID, "0000…")
    assert told == f"[invalid bearer token, {error}]"


async def test_another_cluster_s_key_is_refused(plane: Plane, namespace: str) -> None:
    claims = await plane.tokens.bound_claims(namespace, "default")
    foreign = plane.tokens.sign(claims, key=plane.tokens.foreign_key)
    forged = plane.tokens.sign(claims, key=plane.tokens.foreign_key, kid=key_id(plane.tokens.key))
    elsewhere = plane.tokens.sign({**claims, "iss": "https://elsewhere.example"})

    assert (await plane.tokens.review(foreign))["error"] == "[invalid bearer token, invalid signature, no keys found]"
    assert "go-jose" in (await plane.tokens.review(forged))["error"]
    assert (await plane.tokens.review(elsewhere))["error"] == "invalid bearer token"


async def test_signed_claims_are_those_that_the_api_server_mints(plane: Plane, namespace: str) -> None:
    pod = await plane.workloads.run_pod(namespace)
    minted = await plane.tokens.mint(namespace, "default", bound_to=pod)
    ours = plane.tokens.sign(await plane.tokens.bound_claims(namespace, "default", pod=pod))

    assert jwt.get_unverified_header(minted) == {"alg": "RS256", "kid": key_id(plane.tokens.key)}
    theirs = jwt.decode(minted, options={"verify_signature": False})
    signed = jwt.decode(ours, options={"verify_signature": False})
    volatile = {"iat", "nbf", "exp", "jti"}
    assert {**theirs, **dict.fromkeys(volatile)} == {**signed, **dict.fromkeys(volatile)}
    assert theirs["exp"] - theirs["iat"] == signed["exp"] - signed["iat"] == HOUR


async def test_a_token_secret_is_filled_with_the_legacy_claims(plane: Plane, namespace: str) -> None:
    secret = await plane.workloads.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": "manual",
                "namespace": namespace,
                "annotations": {"kubernetes.io/service-account.name": "default"},
            },
            "type": "kubernetes.io/service-account-token",
        }
    )
    filled = await eventually(
        lambda: plane.api.get(path_of(secret)), lambda found: "token" in found.get("data", {}), "the token is there"
    )

    token = plane.tokens.sign(legacy_claims(filled))
    assert token == base64.b64decode(filled["data"]["token"]).decode()
    assert (await plane.tokens.review(token))["user"]["username"] == f"system:serviceaccount:{namespace}:default"


async def test_a_refused_client_is_audited(plane: Plane, namespace: str) -> None:
    claims = await plane.tokens.bound_claims(namespace, "default")
    assert await plane.tokens.authenticate(plane.tokens.sign(claims)) == 200
    expired = plane.tokens.sign({**claims, "exp": claims["iat"] - HOUR})
    agent = f"{namespace}/1.0"

    assert await plane.tokens.authenticate(expired, user_agent=agent) == 401

    async def audited() -> list[JsonObject]:
        return [each for each in plane.audit_events() if each.get("userAgent") == agent]

    (event,) = await eventually(audited, bool, "the refusal is audited")
    assert event["responseStatus"]["code"] == 401
    assert event["user"] == {}
    assert event["sourceIPs"] == ["127.0.0.1"]
