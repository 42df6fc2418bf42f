"""Questions to the API server: whose a token is, and who may do what."""

from demo.cluster import failures
from demo.cluster.authentication import Authenticator, RefusedError, User
from demo.cluster.authorization import Attributes, Authorizer
from demo.cluster.objects import JsonObject

_GROUP = "authorization.k8s.io"


def token_review(authenticator: Authenticator, body: JsonObject) -> JsonObject:
    """Raises StatusError (400) where no token is given."""
    spec: JsonObject = body.get("spec") or {}
    if not spec.get("token"):
        raise failures.bad_request("token is required for TokenReview in authentication")
    try:
        judged = authenticator.judge(spec["token"], spec.get("audiences") or ())
    except RefusedError as error:
        status: JsonObject = {"user": {}, "error": str(error)}
    else:
        status = {"authenticated": True, "user": judged.user.body, "audiences": list(judged.audiences)}
    return {**_answer("TokenReview", "authentication.k8s.io/v1", spec), "status": status}


def own_review(user: User) -> JsonObject:
    """SelfSubjectReview: who am I."""
    return {**_answer("SelfSubjectReview", "authentication.k8s.io/v1", None), "status": {"userInfo": user.body}}


def access_review(authorizer: Authorizer, kind: str, body: JsonObject, user: User) -> JsonObject:
    """`user` is who asks: a SelfSubjectAccessReview is about them. Raises StatusError (422)."""
    spec: JsonObject = body.get("spec") or {}
    is_own = kind == "SelfSubjectAccessReview"
    _check(spec, is_own=is_own)
    asked = user if is_own else User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""))
    verdict = authorizer.verdict(asked, _attributes(spec))
    status: JsonObject = {"allowed": verdict.allowed}
    if verdict.reason:
        status["reason"] = verdict.reason
    return {**_answer(kind, f"{_GROUP}/v1", spec), "status": status}


def _check(spec: JsonObject, *, is_own: bool) -> None:
    causes = []
    if bool(spec.get("resourceAttributes")) == bool(spec.get("nonResourceAttributes")):
        told = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        causes.append(failures.invalid_value("spec.resourceAttributes", _Null(), told))
    if not is_own and not spec.get("user") and not spec.get("groups"):
        causes.append(failures.invalid_value("spec.user", "", "at least one of user or group must be specified"))
    if causes:
        error = failures.invalid("", _GROUP, "", causes)
        details = {name: value for name, value in (error.details or {}).items() if name != "kind"}
        raise failures.StatusError(error.code, error.reason, error.message, details)


class _Null:
    """Go's nil in a message."""

    def __str__(self) -> str:
        return "null"


def _attributes(spec: JsonObject) -> Attributes:
    if plain := spec.get("nonResourceAttributes"):
        return Attributes(verb=plain.get("verb", ""), path=plain.get("path", ""))
    named: JsonObject = spec["resourceAttributes"]
    keys = ("verb", "group", "resource", "subresource", "namespace", "name")
    return Attributes(**{key: named.get(key, "") for key in keys})


def _answer(kind: str, version: str, spec: JsonObject | None) -> JsonObject:
    answer: JsonObject = {"kind": kind, "apiVersion": version, "metadata": {}}
    return answer if spec is None else {**answer, "spec": spec}
