"""Who a request is from: bearer tokens, judged in the order and in the words of `pkg/serviceaccount`."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from demo.cluster import resources as r
from demo.cluster.failures import StatusError
from demo.cluster.issuing import ISSUER, LEGACY_ISSUER, PREFIX
from demo.cluster.keys import SigningKey, parsed
from demo.cluster.managed_fields import Writer
from demo.cluster.objects import JsonObject, is_leaving, labels_of, meta, moment_of, name_of, uid_of
from demo.cluster.registry import How, Registry
from demo.cluster.secret_data import token_in

LAST_USED = "kubernetes.io/legacy-token-last-used"
INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"

_LEEWAY = 60
_API_SERVER = How(Writer("kube-apiserver"))


@dataclass(frozen=True)
class User:
    """`extra` is what a token says beside the name."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, list[str]] = field(default_factory=dict)

    @property
    def body(self) -> JsonObject:
        found: JsonObject = {"username": self.name}
        if self.uid:
            found["uid"] = self.uid
        if self.groups:
            found["groups"] = list(self.groups)
        return {**found, "extra": self.extra} if self.extra else found


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


class RefusedError(Exception):
    """The token is nobody's: the text is what the API server's log says of it."""


class _Refusal(Exception):  # noqa: N818  # the reason inside of a RefusedError
    """One authenticator's reason."""


@dataclass(frozen=True)
class Judged:
    """Whose a token is, and for which of the audiences that were asked for."""

    user: User
    audiences: tuple[str, ...]


@dataclass
class Counts:
    """What the API server's metrics tell of tokens."""

    valid: int = 0
    stale: int = 0
    legacy: int = 0
    legacy_manual: int = 0
    legacy_generated: int = 0
    legacy_invalid: int = 0
    refused: int = 0
    accepted: int = 0


class Authenticator:
    """`users` are those of a static token file, by token; `keys` those whose signatures count."""

    def __init__(self, registry: Registry, keys: Sequence[SigningKey]) -> None:
        self._registry = registry
        self.keys = list(keys)
        self.users: dict[str, User] = {}
        self.counts = Counts()

    def judge(self, token: str, audiences: Sequence[str] = ()) -> Judged:
        """Raises RefusedError."""
        wanted = tuple(audiences) or (ISSUER,)
        for known, user in self.users.items():
            if hmac.compare_digest(known.encode(), token.encode()):
                self.counts.accepted += 1
                return Judged(user, wanted)
        try:
            judged = self._of_account(token, wanted)
        except _Refusal as refusal:
            self.counts.refused += 1
            raise RefusedError(f"[invalid bearer token, {refusal}]") from None
        if judged is None:
            self.counts.refused += 1
            raise RefusedError("invalid bearer token")
        self.counts.accepted += 1
        return judged

    def _of_account(self, token: str, wanted: tuple[str, ...]) -> Judged | None:
        """None: no token of this cluster's service accounts."""
        found = parsed(token)
        if found is None or found[1].get("iss") not in {ISSUER, LEGACY_ISSUER}:
            return None
        header, claims = found
        keys = [key for key in self.keys if header.get("kid") in {None, "", key.id}]
        if not keys:
            raise _Refusal("invalid signature, no keys found")
        if not any(key.has_signed(token) for key in keys):
            raise _Refusal("go-jose/go-jose: error in cryptographic primitive")
        made_for = claims.get("aud") or [ISSUER]
        shared = tuple(each for each in made_for if each in wanted)
        if not shared:
            raise _Refusal(f"token audiences {_quoted(made_for)} is invalid for the target audiences {_quoted(wanted)}")
        if claims["iss"] == LEGACY_ISSUER:
            return Judged(self._legacy(token, claims), shared)
        return Judged(self._bound(claims), shared)

    def _bound(self, claims: JsonObject) -> User:
        self._check_times(claims)
        own = claims["kubernetes.io"]
        namespace, account = own["namespace"], own["serviceaccount"]
        found = self._account(namespace, account["name"])
        if uid_of(found) != account["uid"]:
            raise _Refusal(f"service account UID ({uid_of(found)}) does not match claim ({account['uid']})")
        if self._left_long_ago(found):
            raise _Refusal(f"service account {namespace}/{account['name']} has been deleted")
        for kind, resource in (("secret", r.SECRETS), ("pod", r.PODS)):
            if kind in own:
                self._check_bound(kind, self._registry.store.get(resource, namespace, own[kind]["name"]), own[kind])
        if "node" in own and "pod" not in own:
            self._check_bound("node", self._registry.store.get(r.NODES, "", own["node"]["name"]), own["node"])
        if "warnafter" in own:
            is_stale = self._registry.clock.seconds() > own["warnafter"]
            self.counts.stale += is_stale
            self.counts.valid += not is_stale
        return _user(namespace, account["name"], account["uid"], _extra(claims))

    def _check_times(self, claims: JsonObject) -> None:
        now = self._registry.clock.seconds()
        if now + _LEEWAY < claims.get("nbf", 0):
            raise _Refusal("service account token is not valid yet")
        if "exp" in claims and now - _LEEWAY > claims["exp"]:
            raise _Refusal("service account token has expired")
        if now + _LEEWAY < claims.get("iat", 0):
            raise _Refusal("service account token is issued in the future")

    def _account(self, namespace: str, name: str) -> JsonObject:
        try:
            return self._registry.get(r.SERVICE_ACCOUNTS, namespace, name)
        except StatusError as error:
            raise _Refusal(error.message) from None

    def _left_long_ago(self, found: JsonObject) -> bool:
        if not is_leaving(found):
            return False
        left = moment_of(meta(found)["deletionTimestamp"])
        return left < self._registry.clock.now() - timedelta(seconds=_LEEWAY)

    def _check_bound(self, kind: str, found: JsonObject | None, claim: JsonObject) -> None:
        if found is None or (uid_of(found) == claim["uid"] and self._left_long_ago(found)):
            raise _Refusal("service account token has been invalidated")
        if uid_of(found) != claim["uid"]:
            told = f"{kind} UID ({uid_of(found)}) does not match service account {kind} ref claim ({claim['uid']})"
            raise _Refusal(told)

    def _legacy(self, token: str, claims: JsonObject) -> User:
        self.counts.legacy += 1
        namespace, secret_name, account_name, uid = _legacy_claims(claims)
        secret = self._registry.store.get(r.SECRETS, namespace, secret_name)
        if secret is None or is_leaving(secret):
            raise _Refusal("Token has been invalidated")
        if token_in(secret) != token:
            raise _Refusal("Token does not match server's copy")
        account = self._account(namespace, account_name)
        if is_leaving(account):
            raise _Refusal(f"ServiceAccount {namespace}/{account_name} has been deleted")
        if uid_of(account) != uid:
            raise _Refusal(f"ServiceAccount UID ({uid_of(account)}) does not match claim ({uid})")
        self._use(secret)
        if labels_of(secret).get(INVALID_SINCE):
            self.counts.legacy_invalid += 1
            raise _Refusal(
                f"the token in secret {namespace}/{secret_name} for service account {namespace}/{account_name} has "
                "been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, "
                f"or remove the '{INVALID_SINCE}' label from the secret to temporarily allow use of this token"
            )
        generated = any(each["name"] == secret_name for each in account.get("secrets") or [])
        self.counts.legacy_generated += generated
        self.counts.legacy_manual += not generated
        return _user(namespace, account_name, uid, {})

    def _use(self, secret: JsonObject) -> None:
        """Writes the day into the label; today or tomorrow stand for another zone's today."""
        now = self._registry.clock.now()
        days = [(now + timedelta(days=ahead)).strftime("%Y-%m-%d") for ahead in (0, 1)]
        if labels_of(secret).get(LAST_USED) in days:
            return

        def used(found: JsonObject) -> JsonObject:
            meta(found)["labels"] = {**labels_of(found), LAST_USED: days[0]}
            return found

        self._registry.change(r.SECRETS, meta(secret)["namespace"], name_of(secret), used, _API_SERVER)


def _legacy_claims(claims: JsonObject) -> tuple[str, str, str, str]:
    """Namespace, Secret, account and its uid. Raises _Refusal."""
    names = {"namespace": "namespace", "secret.name": "secretName", "service-account.name": "serviceAccountName",
             "service-account.uid": "serviceAccountUID"}  # fmt: skip
    if not claims.get("sub"):
        raise _Refusal("sub claim is missing")
    for name, told in names.items():
        if not claims.get(f"{PREFIX}/{name}"):
            raise _Refusal(f"{told} claim is missing")
    namespace, secret, account, uid = (str(claims[f"{PREFIX}/{name}"]) for name in names)
    if claims["sub"] != f"system:serviceaccount:{namespace}:{account}":
        raise _Refusal("sub claim is invalid")
    return namespace, secret, account, uid


def account_groups(namespace: str) -> tuple[str, ...]:
    return "system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"


def _user(namespace: str, name: str, uid: str, extra: dict[str, list[str]]) -> User:
    return User(f"system:serviceaccount:{namespace}:{name}", account_groups(namespace), uid, extra)


def _extra(claims: JsonObject) -> dict[str, list[str]]:
    own, extra = claims["kubernetes.io"], {}
    if claims.get("jti"):
        extra["authentication.kubernetes.io/credential-id"] = [f"JTI={claims['jti']}"]
    for kind in ("node", "pod"):
        if kind in own:
            extra[f"authentication.kubernetes.io/{kind}-name"] = [own[kind]["name"]]
            extra[f"authentication.kubernetes.io/{kind}-uid"] = [own[kind]["uid"]]
    return extra


def _quoted(audiences: Sequence[str]) -> str:
    return "[" + " ".join(f'"{each}"' for each in audiences) + "]"
