"""What the API server's other authenticators write: OpenID Connect and a webhook.

They are asked after the service account authenticator has not accepted a token, OpenID Connect only for its own
issuer's tokens, a webhook for every one (`pkg/kubeapiserver/authenticator/config.go`). So beside a reason that concerns
a service account's token their words say nothing of it.
"""

from bot.messages.table import Message

REFUSALS = (
    Message(
        pattern=r"\boidc: verify token: oidc: token is expired",
        example="oidc: verify token: oidc: token is expired (Token Expiry: 2026-11-22 13:00:00 +0000 UTC)",
        causes=("token-expired",),
        meaning="A token of the OpenID Connect issuer has expired: its client must fetch a new one there.",
        source="go-oidc verify.go",
    ),
    Message(
        pattern=r"\boidc: (?!verify token: oidc: token is expired|token is expired|provider )(?P<why>[^\],]+)",
        example="oidc: authenticator not initialized",
        causes=("oidc-misconfigured",),
        meaning="The token is of the configured OpenID Connect issuer, and the API server could not check or use it.",
        source="apiserver plugin/pkg/authenticator/token/oidc/oidc.go",
    ),
    Message(
        pattern=r'invalid bearer token, (?:.*, )?Post "(?P<url>[^"]+)": (?P<why>[^\]]+)',
        example=(
            '[invalid bearer token, Post "https://auth.shop.example/token?timeout=30s": dial tcp 10.0.0.9:443: '
            "connect: connection refused]"
        ),
        causes=("webhook-authenticator-failing",),
        meaning="The webhook that is asked about tokens which nobody else accepts could not be reached.",
        source="apiserver plugin/pkg/authenticator/token/webhook/webhook.go",
    ),
)
"""In the reason of a refusal: each counts only where no other reason stands beside it."""

TROUBLES = (
    Message(
        pattern=(
            r"oidc authenticator: (?:initializing plugin|async token verifier|error getting JWKS URL)\b.*?: (?P<why>.+)"
        ),
        example=(
            'oidc authenticator: initializing plugin: Get "https://dex.shop.example/.well-known/openid-configuration": '
            "dial tcp: lookup dex.shop.example: no such host"
        ),
        causes=("oidc-misconfigured",),
        meaning="The API server cannot read its OpenID Connect issuer's keys: nobody can sign in with its tokens.",
        source="apiserver plugin/pkg/authenticator/token/oidc/oidc.go",
    ),
    Message(
        pattern=r"Failed to make webhook authenticator request: (?P<why>.+)",
        example='Failed to make webhook authenticator request: Post "https://auth.shop.example/token": i/o timeout',
        causes=("webhook-authenticator-failing",),
        meaning="The webhook for tokens did not answer: each token that nobody else accepts waits for it in vain.",
        source="apiserver plugin/pkg/authenticator/token/webhook/webhook.go",
    ),
)
"""Lines of their own: they speak of no request in particular."""

MESSAGES = (*REFUSALS, *TROUBLES)
