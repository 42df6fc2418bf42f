"""What a line of text means: the error catalogue, searched."""

import re
from collections.abc import Iterator

from msgspec import Struct

from bot.messages import authenticators
from bot.messages.table import BARE, Message, Origin
from bot.messages.table import MESSAGES as _OF_TOKENS
from bot.model import Rule

__all__ = ["BARE", "MESSAGES", "Forbidden", "Message", "Origin", "by_cause", "forbidden", "meanings", "rejections"]


MESSAGES: tuple[Message, ...] = (*_OF_TOKENS, *authenticators.MESSAGES)
"""The whole catalogue."""


class Forbidden(Struct, frozen=True):
    """A request that RBAC refused: who asked, and the rule that would have allowed it."""

    user: str
    rule: Rule


def meanings(text: str) -> tuple[Message, ...]:
    """The entries that a line means, in the catalogue's order; () when it means none of them.

    The prefix "invalid bearer token" counts only where it stands alone.
    """
    plain = text.replace('\\"', '"')
    found = tuple(entry for entry in MESSAGES if entry is not BARE and entry.regex.search(plain))
    if not found and BARE.regex.search(plain):
        return (BARE,)
    return found


def rejections(text: str) -> tuple[Message, ...]:
    """The API server's reasons in the text of a TokenReview's error or of a line in its log.

    A webhook that could not be asked is no reason beside another one; alone it means that nobody knew the token.
    """
    said = [entry for entry in meanings(text) if entry.origin is Origin.API_SERVER]
    own = tuple(entry for entry in said if entry not in authenticators.MESSAGES)
    if own:
        return own
    beside = tuple(entry for entry in said if entry in authenticators.REFUSALS and "invalid bearer token" in text)
    is_webhook = any(entry.cause == "webhook-authenticator-failing" for entry in beside)
    return (BARE, *beside) if is_webhook and len(beside) == 1 else beside


_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]+)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)" '
    r'in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]*)"| at the cluster scope)?'
)


def forbidden(text: str) -> Forbidden | None:
    """The refused request in an RBAC 403, None when the text holds none."""
    found = _FORBIDDEN.search(text.replace('\\"', '"'))
    if found is None:
        return None
    rule = Rule(
        verb=found["verb"], resource=found["resource"], group=found["group"], namespace=found["namespace"] or ""
    )
    return Forbidden(user=found["user"], rule=rule)


def by_cause(code: str) -> Iterator[Message]:
    """The lines whose first meaning is this cause."""
    return (entry for entry in MESSAGES if entry.cause == code)
