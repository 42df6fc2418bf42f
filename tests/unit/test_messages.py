"""The error catalogue: each entry knows its own example, and means a cause that exists."""

import pytest

from bot.diagnosis import CAUSES
from bot.messages import BARE, MESSAGES, Message, Origin, forbidden, meanings, rejections
from bot.model import Rule

# Written by the API server or a client of the version named, as facts and not by this program.
SEEN = [
    ('"Unable to authenticate the request" err="[invalid bearer token, service account token has expired]"',
     "token-expired"),  # 1.36.3
    ("Unable to authenticate the request due to an error: [invalid bearer token, Token has expired.]",
     "token-expired"),  # 1.20
    (('[invalid bearer token, token audiences ["vault"] is invalid for the target audiences '
     '["https://kubernetes.default.svc"]]'), "audience-mismatch"),  # TokenReview, 1.36.3
    (('err="[invalid bearer token, token audiences [\\"vault\\"] is invalid for the target audiences '
     '[\\"https://kubernetes.default.svc\\"]]"'), "audience-mismatch"),  # the log escapes quotes
    ('err="[invalid bearer token, serviceaccounts \\"gone\\" not found]"', "service-account-missing"),
    ("[invalid bearer token, service account UID (1805a) does not match claim (0000b)]", "service-account-recreated"),
    ("ServiceAccount UID (1805a) does not match claim (0000b)", "service-account-recreated"),  # ≤ 1.21
    ("Pod UID (1805a) does not match claim (0000b)", "bound-object-recreated"),  # ≤ 1.21
    ("secret UID (1805a) does not match service account secret ref claim (0000b)", "bound-object-recreated"),
    ("[invalid bearer token, invalid signature, no keys found]", "signing-key-unknown"),  # ≥ 1.31
    ("[invalid bearer token, square/go-jose: error in cryptographic primitive]", "signature-invalid"),  # ≤ 1.32
    ("[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]", "signature-invalid"),  # ≥ 1.33
    ("Token has been invalidated", "token-secret-deleted"),
    ("service account token has been invalidated", "bound-object-gone"),
    ("error: You must be logged in to the server (Unauthorized)", "api-unauthorized"),
    ('err="failed to list *v1.Pod: Unauthorized" reflector="k8s.io/client-go" type="*v1.Pod"', "api-unauthorized"),
    (('pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace '
     '"shop"'), "no-token-sent"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "cause"), SEEN)
def test_what_was_seen_is_understood(text: str, cause: str) -> None:
    assert [message.cause for message in meanings(text)] == [cause]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.example[:40])
def test_each_entry_matches_its_example(message: Message) -> None:
    assert message in meanings(message.example)
    assert set(message.causes) <= set(CAUSES)


def test_the_prefix_means_something_only_alone() -> None:
    assert meanings('err="invalid bearer token"') == (BARE,)
    assert meanings("invalid bearer token") == (BARE,)
    assert meanings('err="[invalid bearer token, some new reason]"') == ()
    both = meanings('"invalid bearer token" and then: service account token has expired')
    assert [message.cause for message in both] == ["token-expired"]


@pytest.mark.parametrize(
    "text",
    ["", "GET /cart 200 3ms", "token refreshed", 'User "alice" logged in', "the token bucket is empty", "no such file"],
)
def test_ordinary_lines_mean_nothing(text: str) -> None:
    assert meanings(text) == ()


def test_only_the_api_server_gives_reasons() -> None:
    assert {message.origin for message in rejections("Token has expired. failed to list *v1.Pod: Unauthorized")} == {
        Origin.API_SERVER
    }


def test_a_refused_request_is_read_whole() -> None:
    text = (
        'deployments.apps is forbidden: User "system:serviceaccount:shop:checkout" cannot patch resource '
        '"deployments/scale" in API group "apps" in the namespace "shop"'
    )
    found = forbidden(text)
    assert found
    assert found.user == "system:serviceaccount:shop:checkout"
    assert found.rule == Rule(verb="patch", resource="deployments/scale", group="apps", namespace="shop")


def test_a_refused_request_for_the_whole_cluster_has_no_namespace() -> None:
    found = forbidden('User \\"x\\" cannot list resource \\"nodes\\" in API group \\"\\" at the cluster scope')
    assert found
    assert found.rule == Rule(verb="list", resource="nodes")


DEAD_WEBHOOK = (
    'Post \\"https://127.0.0.1:9/authenticate?timeout=30s\\": dial tcp 127.0.0.1:9: connect: connection refused'
)


# Each written by kube-apiserver 1.36.3, in its log or as a TokenReview's error.
@pytest.mark.parametrize(
    ("text", "causes"),
    [
        (f'err="[invalid bearer token, service account token has expired, {DEAD_WEBHOOK}]"', ["token-expired"]),
        (f'err="[invalid bearer token, {DEAD_WEBHOOK}]"', ["issuer-unknown", "webhook-authenticator-failing"]),
        (
            f"[invalid bearer token, {DEAD_WEBHOOK}]".replace("\\", ""),
            ["issuer-unknown", "webhook-authenticator-failing"],
        ),
        ('err="[invalid bearer token, oidc: authenticator not initialized]"', ["oidc-misconfigured"]),
        (
            f'err="[invalid bearer token, oidc: authenticator not initialized, {DEAD_WEBHOOK}]"',
            ["oidc-misconfigured", "webhook-authenticator-failing"],
        ),
        (
            'err="[invalid bearer token, oidc: verify token: oidc: token is expired (Token Expiry: 2026-11-22)]"',
            ["token-expired"],
        ),
        (f"webhook.go:154] Failed to make webhook authenticator request: {DEAD_WEBHOOK}".replace("\\", ""), []),
        (
            (
                'oidc.go:433] oidc authenticator: initializing plugin: Get "https://127.0.0.1:9/dex/.well-known/'
                'openid-configuration": dial tcp 127.0.0.1:9: connect: connection refused'
            ),
            [],
        ),
    ],
)
def test_other_authenticators_give_a_reason_only_where_there_is_no_better_one(text: str, causes: list[str]) -> None:
    assert [message.cause for message in rejections(text)] == causes


def test_an_authenticators_own_trouble_is_understood_though_it_refuses_nobody() -> None:
    assert [found.cause for found in meanings(f"Failed to make webhook authenticator request: {DEAD_WEBHOOK}")] == [
        "webhook-authenticator-failing"
    ]
