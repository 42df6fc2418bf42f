"""Bound tokens: requested, reviewed, and refused each for its reason."""

import re
from collections.abc import Callable

import jwt
import pytest

from tests.cluster.api import JsonObject
from tests.cluster.tokens import key_id
from tests.contract.cluster.side import Refusal, Side, refused

HOUR = 3600
UID = "00000000-0000-0000-0000-000000000000"
AUDIENCE = "https://kubernetes.default.svc"
GROUP = "authentication.k8s.io"


async def request(side: Side, spec: JsonObject, account: str = "default", **metadata: str) -> JsonObject:
    body = {"metadata": metadata, "spec": spec}
    return await side.api.post(f"{side.root}/serviceaccounts/{account}/token", body)


def claims_of(token: str) -> JsonObject:
    claims: JsonObject = jwt.decode(token, options={"verify_signature": False})
    return claims


async def test_a_token_is_minted_as_it_was_asked_for(side: Side) -> None:
    answer = await request(side, {"audiences": ["vault"], "expirationSeconds": 7200})
    assert (answer["kind"], answer["apiVersion"]) == ("TokenRequest", f"{GROUP}/v1")
    assert answer["metadata"]["name"] == "default"
    claims = claims_of(answer["status"]["token"])
    account = await side.api.get(f"{side.root}/serviceaccounts/default")
    assert {**claims, "jti": "", "iat": 0, "nbf": 0, "exp": claims["exp"] - claims["iat"]} == {
        "aud": ["vault"],
        "exp": 7200,
        "iat": 0,
        "iss": AUDIENCE,
        "jti": "",
        "kubernetes.io": {
            "namespace": side.namespace,
            "serviceaccount": {"name": "default", "uid": account["metadata"]["uid"]},
        },
        "nbf": 0,
        "sub": f"system:serviceaccount:{side.namespace}:default",
    }
    header = jwt.get_unverified_header(answer["status"]["token"])
    assert header == {"alg": "RS256", "kid": key_id(side.tokens.key)}


async def test_a_pod_s_usual_token_lives_a_year_and_its_request_does_not_say_so(side: Side) -> None:
    pod = await side.pod("app")
    bound = {"apiVersion": "v1", "kind": "Pod", "name": "app", "uid": pod["metadata"]["uid"]}
    answer = await request(side, {"expirationSeconds": 3607, "boundObjectRef": bound})
    claims = claims_of(answer["status"]["token"])
    assert claims["exp"] - claims["iat"] == 365 * 24 * HOUR
    own = claims["kubernetes.io"]
    assert own["warnafter"] - claims["iat"] == 3607
    assert own["pod"] == {"name": "app", "uid": pod["metadata"]["uid"]}
    assert own["node"]["name"] == pod["spec"]["nodeName"]
    other = claims_of((await request(side, {"expirationSeconds": 3600, "boundObjectRef": bound}))["status"]["token"])
    assert other["exp"] - other["iat"] == HOUR
    assert "warnafter" not in other["kubernetes.io"]


CASES: dict[str, tuple[JsonObject, dict[str, str], Refusal]] = {
    "too short": (
        {"expirationSeconds": 10},
        {},
        Refusal(
            422,
            "Invalid",
            f'TokenRequest.{GROUP} "" is invalid: spec.expirationSeconds: Invalid value: 10: may not specify a '
            "duration less than 10 minutes",
            {
                "group": GROUP,
                "kind": "TokenRequest",
                "causes": [
                    {
                        "reason": "FieldValueInvalid",
                        "message": "Invalid value: 10: may not specify a duration less than 10 minutes",
                        "field": "spec.expirationSeconds",
                    }
                ],
            },
        ),
    ),
    "a missing pod": (
        {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "none"}},
        {},
        Refusal(404, "NotFound", 'pods "none" not found', {"name": "none", "kind": "pods"}),
    ),
    "another pod": (
        {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "app", "uid": UID}},
        {},
        Refusal(
            409,
            "Conflict",
            f'Operation cannot be fulfilled on Pod "app": the UID in the bound object reference ({UID}) does not match '
            "the UID in record. The object might have been deleted and then recreated",
            {"name": "app", "kind": "Pod"},
        ),
    ),
    "a ConfigMap": (
        {"boundObjectRef": {"kind": "ConfigMap", "apiVersion": "v1", "name": "x"}},
        {},
        Refusal(400, "BadRequest", "cannot bind token to object of type /v1, Kind=ConfigMap", {}),
    ),
    "another account's uid": (
        {},
        {"uid": UID},
        Refusal(
            409,
            "Conflict",
            f'Operation cannot be fulfilled on TokenRequest.{GROUP} "default": the UID in the token request ({UID}) '
            "does not match the UID of the service account (UID)",
            {"name": "default", "group": GROUP, "kind": "TokenRequest"},
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_token_request_is_refused(side: Side, name: str) -> None:
    spec, metadata, expected = CASES[name]
    await side.pod("app")
    account = await side.api.get(f"{side.root}/serviceaccounts/default")
    found = await refused(request(side, spec, **metadata))
    message = found.message.replace(account["metadata"]["uid"], "UID")
    assert Refusal(found.code, found.reason, message, found.details) == expected


async def test_a_token_of_a_missing_account_is_refused(side: Side) -> None:
    found = await refused(request(side, {}, account="none"))
    assert (found.code, found.message) == (404, 'serviceaccounts "none" not found')


async def test_a_token_is_bound_only_to_a_pod_of_its_account(side: Side) -> None:
    await side.pod("app")
    await side.account("other")
    spec = {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "app"}}
    found = await refused(request(side, spec, account="other"))
    assert (found.code, found.message) == (
        400,
        'cannot bind token for serviceaccount "other" to pod running with different serviceaccount name.',
    )


async def test_a_good_token_s_review(side: Side) -> None:
    pod = await side.pod("app")
    token = await side.tokens.mint(side.namespace, "default", bound_to=pod)
    review = await side.tokens.review(token)
    claims, account = claims_of(token), claims_of(token)["kubernetes.io"]["serviceaccount"]
    extra = {
        "credential-id": f"JTI={claims['jti']}",
        "node-name": pod["spec"]["nodeName"],
        "node-uid": claims["kubernetes.io"]["node"]["uid"],
        "pod-name": "app",
        "pod-uid": pod["metadata"]["uid"],
    }
    assert review == {
        "authenticated": True,
        "user": {
            "username": f"system:serviceaccount:{side.namespace}:default",
            "uid": account["uid"],
            "groups": ["system:serviceaccounts", f"system:serviceaccounts:{side.namespace}", "system:authenticated"],
            "extra": {f"authentication.kubernetes.io/{name}": [value] for name, value in extra.items()},
        },
        "audiences": [AUDIENCE],
    }
    foreign = await side.tokens.mint(side.namespace, "default", audiences=["vault", "bank"])
    assert (await side.tokens.review(foreign, ["bank", "x"]))["audiences"] == ["bank"]


def _account_uid(claims: JsonObject) -> JsonObject:
    bound = {**claims["kubernetes.io"], "serviceaccount": {"name": "default", "uid": UID}}
    return {**claims, "kubernetes.io": bound}


def _pod_uid(claims: JsonObject) -> JsonObject:
    return {**claims, "kubernetes.io": {**claims["kubernetes.io"], "pod": {"name": "app", "uid": UID}}}


def _bound_to(kind: str) -> Callable[[JsonObject], JsonObject]:
    def change(claims: JsonObject) -> JsonObject:
        own = {name: value for name, value in claims["kubernetes.io"].items() if name not in {"pod", "node"}}
        return {**claims, "kubernetes.io": {**own, kind: {"name": "none", "uid": UID}}}

    return change


def _missing_account(claims: JsonObject) -> JsonObject:
    bound = {**claims["kubernetes.io"], "serviceaccount": {"name": "gone", "uid": UID}}
    return {**claims, "sub": claims["sub"].replace(":default", ":gone"), "kubernetes.io": bound}


REASONS: dict[str, tuple[Callable[[JsonObject], JsonObject], str]] = {
    "expired": (lambda claims: {**claims, "exp": claims["iat"] - HOUR}, "service account token has expired"),
    "not yet": (lambda claims: {**claims, "nbf": claims["iat"] + HOUR}, "service account token is not valid yet"),
    "in the future": (
        lambda claims: {**claims, "iat": claims["iat"] + HOUR},
        "service account token is issued in the future",
    ),
    "audience": (
        lambda claims: {**claims, "aud": ["vault", "bank"]},
        f'token audiences ["vault" "bank"] is invalid for the target audiences ["{AUDIENCE}"]',
    ),
    "audience before time": (
        lambda claims: {**claims, "aud": ["vault"], "exp": claims["iat"] - HOUR},
        f'token audiences ["vault"] is invalid for the target audiences ["{AUDIENCE}"]',
    ),
    "time before account": (
        lambda claims: {**_missing_account(claims), "exp": claims["iat"] - HOUR},
        "service account token has expired",
    ),
    "account's uid": (_account_uid, "service account UID (UID) does not match claim (0000)"),
    "account": (_missing_account, 'serviceaccounts "gone" not found'),
    "pod's uid": (_pod_uid, "pod UID (UID) does not match service account pod ref claim (0000)"),
    "pod": (_bound_to("pod"), "service account token has been invalidated"),
    "secret": (_bound_to("secret"), "service account token has been invalidated"),
    "node": (_bound_to("node"), "service account token has been invalidated"),
}


@pytest.mark.parametrize("name", REASONS)
async def test_a_bound_token_is_refused_for_its_reason(side: Side, name: str) -> None:
    change, expected = REASONS[name]
    pod = await side.pod("app")
    claims = await side.tokens.bound_claims(side.namespace, "default", pod=pod)
    review = await side.tokens.review(side.tokens.sign(change(claims)))
    told = review["error"].replace(UID, "0000")
    told = re.sub(r"\((?!0000)[0-9a-f]{8}-[0-9a-f-]+\)", "(UID)", told)
    assert told == f"[invalid bearer token, {expected}]"
    assert review["user"] == {}
    assert "authenticated" not in review


async def test_a_minute_s_leeway(side: Side) -> None:
    claims = await side.tokens.bound_claims(side.namespace, "default")
    late = {**claims, "iat": claims["iat"] - HOUR, "nbf": claims["nbf"] - HOUR, "exp": claims["iat"] - 30}
    assert (await side.tokens.review(side.tokens.sign(late)))["authenticated"] is True


async def test_foreign_tokens(side: Side) -> None:
    claims = await side.tokens.bound_claims(side.namespace, "default")
    foreign = side.tokens.sign(claims, key=side.tokens.foreign_key)
    forged = side.tokens.sign(claims, key=side.tokens.foreign_key, kid=key_id(side.tokens.key))
    elsewhere = side.tokens.sign({**claims, "iss": "https://elsewhere.example"})
    good = side.tokens.sign(claims)
    errors = {name: (await side.tokens.review(token)).get("error") for name, token in {
        "foreign": foreign, "forged": forged, "elsewhere": elsewhere, "garbage": "not-a-token", "cut": good[:-20],
        "three": "a.b.c",
    }.items()}  # fmt: skip
    crypto = "[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]"
    assert errors == {
        "foreign": "[invalid bearer token, invalid signature, no keys found]",
        "forged": crypto,
        "elsewhere": "invalid bearer token",
        "garbage": "invalid bearer token",
        "cut": crypto,
        "three": "invalid bearer token",
    }


async def test_an_empty_review_is_refused(side: Side) -> None:
    path = f"/apis/{GROUP}/v1/tokenreviews"
    found = await refused(side.api.post(path, {"spec": {}}))
    assert (found.code, found.message) == (400, "token is required for TokenReview in authentication")


async def test_a_refused_token_gets_a_bare_401(side: Side) -> None:
    claims = await side.tokens.bound_claims(side.namespace, "default")
    expired = side.api.as_bearer(side.tokens.sign({**claims, "exp": claims["iat"] - HOUR}))
    assert await refused(expired.get("/api")) == Refusal(401, "Unauthorized", "Unauthorized", {})


async def test_an_account_that_was_made_again_is_another(side: Side) -> None:
    await side.account("robot")
    token = await side.tokens.mint(side.namespace, "robot")
    old = claims_of(token)["kubernetes.io"]["serviceaccount"]["uid"]
    await side.api.delete(f"{side.root}/serviceaccounts/robot")
    new = (await side.account("robot"))["metadata"]["uid"]
    assert (await side.tokens.review(token))["error"] == (
        f"[invalid bearer token, service account UID ({new}) does not match claim ({old})]"
    )
