"""The error catalogue itself: one entry a line of text that Kubernetes or a client writes.

Strings were read in kubernetes/kubernetes (`pkg/serviceaccount/claims.go`, `legacy.go`, `jwt.go`,
`pkg/kubelet/token`), in go-jose and in the client libraries; the `source` of each entry names where.
"""

import re
from enum import StrEnum
from functools import cached_property

from msgspec import Struct


class Origin(StrEnum):
    """Who writes the line."""

    API_SERVER = "API server"
    CLIENT = "client"
    KUBELET = "kubelet"
    CONTROLLER_MANAGER = "controller manager"


class Message(Struct, frozen=True, kw_only=True, dict=True):
    """One entry. `causes` are codes, the likeliest first; `pattern` is a regular expression."""

    pattern: str
    example: str
    causes: tuple[str, ...]
    meaning: str
    source: str
    origin: Origin = Origin.API_SERVER
    versions: str = "all"

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    @property
    def cause(self) -> str:
        return self.causes[0]


BARE = Message(
    pattern=r"(?<!\[)invalid bearer token(?!,)",
    example='err="invalid bearer token"',
    causes=("issuer-unknown", "token-from-another-cluster", "token-malformed"),
    meaning=(
        "With nothing beside it: no authenticator knows this token. Its issuer is another one, "
        "or it is no token at all."
    ),
    source="apiserver pkg/authentication/request/bearertoken",
)
"""The prefix of every rejection; it means something only where it stands alone."""

_REJECTIONS = (
    Message(
        pattern=r"service account token has expired",
        example="service account token has expired",
        causes=("token-expired",),
        meaning="The token's exp is more than 60 s in the past.",
        source="claims.go",
        versions="1.22 and newer",
    ),
    Message(
        pattern=r"\bToken has expired\.?",
        example="Token has expired.",
        causes=("token-expired",),
        meaning="The token's exp is more than 60 s in the past.",
        source="claims.go",
        versions="1.21 and older",
    ),
    Message(
        pattern=r"service account token is not valid yet",
        example="service account token is not valid yet",
        causes=("token-not-yet-valid",),
        meaning="The token's nbf is more than 60 s in the future: two clocks disagree.",
        source="claims.go",
        versions="1.22 and newer",
    ),
    Message(
        pattern=r"Token could not be validated\.",
        example="Token could not be validated.",
        causes=("token-not-yet-valid",),
        meaning="The token's nbf is in the future: two clocks disagree.",
        source="claims.go",
        versions="1.21 and older",
    ),
    Message(
        pattern=r"service account token is issued in the future",
        example="service account token is issued in the future",
        causes=("token-not-yet-valid",),
        meaning="The token's iat is more than 60 s in the future: two clocks disagree.",
        source="claims.go",
        versions="1.27 and newer",
    ),
    Message(
        pattern=r"service account token claims could not be validated",
        example="service account token claims could not be validated due to unexpected validation error",
        causes=("token-malformed",),
        meaning="The token's times could not be compared.",
        source="claims.go",
    ),
    Message(
        pattern=r'serviceaccounts? \\?"(?P<name>[^"\\]+)\\?" not found',
        example='serviceaccounts "checkout" not found',
        causes=("service-account-missing",),
        meaning="The service account of the token does not exist.",
        source="claims.go, legacy.go",
    ),
    Message(
        pattern=r"(?i)service ?account (?P<namespace>[\w.-]+)/(?P<name>[\w.-]+) has been deleted",
        example="service account shop/checkout has been deleted",
        causes=("service-account-terminating",),
        meaning="The service account of the token is being deleted.",
        source="claims.go, legacy.go",
    ),
    Message(
        pattern=r"(?i)service ?account UID \((?P<uid>[^)]*)\) does not match claim \((?P<claim>[^)]*)\)",
        example="service account UID (1805…) does not match claim (0000…)",
        causes=("service-account-recreated",),
        meaning="A service account of this name exists, but it is not the one the token was made for.",
        source="claims.go, legacy.go",
    ),
    Message(
        pattern=r"service account token has been invalidated",
        example="service account token has been invalidated",
        causes=("bound-object-gone",),
        meaning=("The pod, Secret or node that the token is bound to is gone, or is being deleted for more than 60 s."),
        source="claims.go",
        versions="1.22 and newer",
    ),
    Message(
        pattern=r"\bToken has been invalidated",
        example="Token has been invalidated",
        causes=("token-secret-deleted", "bound-object-gone"),
        meaning="The Secret that held the token was deleted; up to 1.21 also: the bound pod is gone.",
        source="legacy.go",
    ),
    Message(
        pattern=(
            r"(?P<kind>[Pp]od|[Ss]ecret|[Nn]ode) UID \((?P<uid>[^)]*)\) does not match (?:service "
            r"account (?P<ref>pod|secret|node) ref )?claim \((?P<claim>[^)]*)\)"
        ),
        example="pod UID (1805…) does not match service account pod ref claim (0000…)",
        causes=("bound-object-recreated",),
        meaning=("An object of the bound name exists, but it is a new one: the token belongs to its predecessor."),
        source="claims.go",
    ),
    Message(
        pattern=r"token is bound to a Node object but the \S+ feature gate is disabled",
        example=(
            "token is bound to a Node object but the ServiceAccountTokenNodeBindingValidation feature gate is disabled"
        ),
        causes=("bound-object-gone",),
        meaning=("The API servers run with different feature gates and this one does not know node-bound tokens."),
        source="claims.go",
        versions="1.29 to 1.31",
    ),
    Message(
        pattern=(
            r"token audiences \[(?P<audiences>[^\]]*)\] is invalid for the target audiences "
            r"\[(?P<wanted>[^\]]*)\]"
        ),
        example=('token audiences ["vault"] is invalid for the target audiences ["https://kubernetes.default.svc"]'),
        causes=("audience-mismatch",),
        meaning="The token was made for somebody else than the API server.",
        source="jwt.go",
    ),
    Message(
        pattern=r"unable to match the audience: ",
        example="unable to match the audience: [vault] , accepted: [https://kubernetes.default.svc]",
        causes=("audience-mismatch",),
        meaning="An authenticator accepted the token, but for another audience.",
        source="apiserver pkg/endpoints/filters/authentication.go",
    ),
    Message(
        pattern=r"invalid signature, no keys found",
        example="invalid signature, no keys found",
        causes=("signing-key-unknown", "token-from-another-cluster"),
        meaning=(
            "None of the API server's keys has the token's kid: the key was rotated, or the token is another cluster's."
        ),
        source="jwt.go",
        versions="1.31 and newer",
    ),
    Message(
        pattern=r"(?:square/go-jose|go-jose/go-jose): error in cryptographic primitive",
        example="go-jose/go-jose: error in cryptographic primitive",
        causes=("signature-invalid", "signing-key-unknown", "token-from-another-cluster"),
        meaning=("The signature is wrong; up to 1.30 also: the key was rotated, or the token is another cluster's."),
        source="go-jose",
    ),
    Message(
        pattern=r"Token does not match server's copy",
        example="Token does not match server's copy",
        causes=("token-secret-replaced",),
        meaning="The Secret holds another token now than the one that was sent.",
        source="legacy.go",
    ),
    Message(
        pattern=(
            r"the token in secret (?P<namespace>[\w.-]+)/(?P<secret>[\w.-]+) for service account "
            r"(?P<of>[\w.-]+)/(?P<name>[\w.-]+) has been marked invalid"
        ),
        example=(
            "the token in secret shop/old for service account shop/checkout has been marked invalid. Use tokens from …"
        ),
        causes=("legacy-token-invalidated",),
        meaning="The cleaner marked the Secret invalid because its token was not used for a long time.",
        source="legacy.go",
        versions="1.28 and newer",
    ),
    Message(
        pattern=(
            r"\bsub claim is "
            r"(?:missing|invalid)|\b(?:namespace|secretName|serviceAccountName|serviceAccountUID) "
            r"claim is missing"
        ),
        example="secretName claim is missing",
        causes=("token-malformed",),
        meaning="A legacy token without one of the claims it must have.",
        source="legacy.go",
    ),
)

_CLIENT_LINES = (
    Message(
        pattern=r'User "system:anonymous" cannot \w+ ',
        example=('User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "shop"'),
        causes=("no-token-sent",),
        meaning="403 for system:anonymous: the request carried no token.",
        source="apiserver pkg/authorization",
        origin=Origin.CLIENT,
    ),
    Message(
        pattern=r'User "(?!system:anonymous)(?P<user>[^"]+)" cannot (?P<verb>\w+) resource',
        example=(
            'User "system:serviceaccount:shop:checkout" cannot list resource "pods" in API group "" '
            'in the namespace "shop"'
        ),
        causes=("rbac-denied",),
        meaning="403: the token is good, the right is missing.",
        source="apiserver pkg/endpoints/handlers/responsewriters/errors.go",
        origin=Origin.CLIENT,
    ),
    Message(
        pattern=(
            r"serviceaccount/token\S*:? (?:no such file|does not exist)|No such file or directory: \S+/token"
            r"|Service token file does not exist|ENOENT\b.*/serviceaccount/token"
        ),
        example="open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory",
        causes=("token-not-mounted",),
        meaning="The client looked for the mounted token and there was no file.",
        source="client-go rest/config.go, kubernetes-client/python incluster_config.py",
        origin=Origin.CLIENT,
    ),
    Message(
        pattern=r"failed to (?:list|watch|get) \S+: Unauthorized",
        example="failed to list *v1.Pod: Unauthorized",
        causes=("api-unauthorized",),
        meaning="401: a token was sent and the API server refused it.",
        source="client-go tools/cache/reflector.go",
        origin=Origin.CLIENT,
    ),
    Message(
        pattern=r"the server has asked for the client to provide credentials",
        example="the server has asked for the client to provide credentials (get pods)",
        causes=("api-unauthorized",),
        meaning="401: a token was sent and the API server refused it.",
        source="apimachinery pkg/api/errors",
        origin=Origin.CLIENT,
    ),
    Message(
        pattern=r"You must be logged in to the server",
        example="error: You must be logged in to the server (Unauthorized)",
        causes=("api-unauthorized",),
        meaning="401: kubectl's credentials were refused.",
        source="kubectl pkg/cmd/util/helpers.go",
        origin=Origin.CLIENT,
    ),
    Message(
        pattern=(
            r'"reason":\s*"Unauthorized".*"code":\s*401|ApiException: \(401\)|ApiException: '
            r"Unauthorized|KubernetesClientException: .*Message: Unauthorized"
        ),
        example='{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}',
        causes=("api-unauthorized",),
        meaning="401: the API server's answer to a token it refuses. It never says why.",
        source="apiserver pkg/endpoints/filters/authentication.go",
        origin=Origin.CLIENT,
    ),
)

_KUBELET_LINES = (
    Message(
        pattern=r"failed to fetch token:",
        example=(
            'MountVolume.SetUp failed for volume "kube-api-access-x": failed to fetch token: '
            'serviceaccounts "x" not found'
        ),
        causes=("token-fetch-failed",),
        meaning="The kubelet cannot get the pod's first token: its containers cannot start.",
        source="pkg/volume/projected",
        origin=Origin.KUBELET,
    ),
    Message(
        pattern=r"Couldn't update token|expired and refresh failed",
        example='"Couldn\'t update token" token="…"',
        causes=("rotation-stalled",),
        meaning="The kubelet cannot refresh the token and keeps the old one.",
        source="pkg/kubelet/token/token_manager.go",
        origin=Origin.KUBELET,
    ),
)

_CONTROLLER_MANAGER_LINES = (
    Message(
        pattern=r"is disabled because there is no private key",
        example='"Controller is disabled because there is no private key" controller="serviceaccount-token-controller"',
        causes=("token-controller-keyless",),
        meaning="--service-account-private-key-file is not given: nobody fills token Secrets.",
        source="cmd/kube-controller-manager/app/service_accounts.go",
        origin=Origin.CONTROLLER_MANAGER,
    ),
    Message(
        pattern=r'controller is disabled" controller="serviceaccount-token(?:-controller)?"',
        example='"Warning: controller is disabled" controller="serviceaccount-token-controller"',
        causes=("token-controller-down",),
        meaning="--controllers leaves the token controller out: nobody fills token Secrets.",
        source="cmd/kube-controller-manager/app/controllermanager.go",
        origin=Origin.CONTROLLER_MANAGER,
        versions="1.30, but not 1.36",
    ),
    Message(
        pattern=r"error reading key for service account token controller",
        example="error reading key for service account token controller: open /etc/kubernetes/pki/sa.key: no such file",
        causes=("token-controller-down",),
        meaning="The file of --service-account-private-key-file cannot be read, and the controller manager ends.",
        source="cmd/kube-controller-manager/app/service_accounts.go",
        origin=Origin.CONTROLLER_MANAGER,
    ),
    Message(
        pattern=r"error parsing root-ca-file at ",
        example="error parsing root-ca-file at /etc/ca.crt: open /etc/ca.crt: no such file or directory",
        causes=("token-controller-down",),
        meaning="The file of --root-ca-file is no certificate authority, and the controller manager ends.",
        source="cmd/kube-controller-manager/app/service_accounts.go",
        origin=Origin.CONTROLLER_MANAGER,
    ),
    Message(
        pattern=r"[Pp]opulating serviceaccount token",
        example='"Populating serviceaccount token" err="…" secret="shop/ci-token" serviceAccount="shop/ci"',
        causes=("secret-unfilled",),
        meaning="It could not write a token into this Secret, and goes on with others. It gives up after ten tries.",
        source="pkg/controller/serviceaccount/tokens_controller.go",
        origin=Origin.CONTROLLER_MANAGER,
    ),
    Message(
        pattern=r"\bleaderelection lost\b",
        example='"leaderelection lost"',
        causes=("token-controller-down",),
        meaning="It could not renew its Lease in time, and ends; another one takes over, or it starts again.",
        source="cmd/kube-controller-manager/app/controllermanager.go",
        origin=Origin.CONTROLLER_MANAGER,
    ),
)

MESSAGES: tuple[Message, ...] = (*_REJECTIONS, BARE, *_CLIENT_LINES, *_KUBELET_LINES, *_CONTROLLER_MANAGER_LINES)
