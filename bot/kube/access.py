"""SubjectAccessReview: what the API server's own authorizers say that somebody, or the bot itself, may do."""

from collections.abc import Sequence

from msgspec import Struct, field

from bot.kube import read
from bot.kube.connection import Connection
from bot.kube.gaps import AbsentError, DeniedError, shortened
from bot.kube.permissions import REVIEW_ACCESS, REVIEW_OWN_ACCESS, REVIEW_SELF
from bot.model import Access, Rule


class _Verdict(Struct, frozen=True):
    allowed: bool = False
    reason: str = ""


class _AccessReview(Struct, frozen=True):
    status: _Verdict = _Verdict()


class _UserInfo(Struct, frozen=True):
    username: str = ""


class _Self(Struct, frozen=True):
    user: _UserInfo = field(default=_UserInfo(), name="userInfo")


class _SelfReview(Struct, frozen=True):
    status: _Self = _Self()


async def whoami(connection: Connection) -> str:
    """Who the API server takes the bot for, "" where it does not say. Raises as below."""
    try:
        review = await read.create(connection, REVIEW_SELF, _SelfReview, {})
    except (AbsentError, DeniedError):
        return ""
    return shortened(review.status.user.username)


async def review_access(connection: Connection, user: str, groups: Sequence[str], rule: Rule) -> Access:
    """Whether this user, in these groups, may do what the rule says.

    Every authenticated user is in system:authenticated: name it among the groups. Raises UnreadableError and
    ClusterUnreachableError.
    """
    spec = {"user": user, "groups": list(groups), **_attributes(rule)}
    review = await read.create(connection, REVIEW_ACCESS, _AccessReview, {"spec": spec})
    return Access(user=user, rule=rule, allowed=review.status.allowed, reason=shortened(review.status.reason))


async def account_access(connection: Connection, *, namespace: str, account: str, rule: Rule) -> Access:
    """Whether this service account may. Raises as above."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return await review_access(connection, f"system:serviceaccount:{namespace}:{account}", groups, rule)


async def may(connection: Connection, rule: Rule) -> bool:
    """Whether the bot itself may do what the rule says. Raises as above."""
    review = await read.create(connection, REVIEW_OWN_ACCESS, _AccessReview, {"spec": _attributes(rule)})
    return review.status.allowed


def _attributes(rule: Rule) -> dict[str, object]:
    if rule.resource.startswith("/"):
        return {"nonResourceAttributes": {"path": rule.resource, "verb": rule.verb}}
    resource, _, subresource = rule.resource.partition("/")
    attributes = {
        "verb": rule.verb,
        "group": rule.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": rule.namespace,
        "name": rule.name,
    }
    return {"resourceAttributes": attributes}
