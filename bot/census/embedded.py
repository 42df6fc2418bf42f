"""Tokens and client certificates inside Secrets: when they end, and who needs them. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from bot.census.facts import Facts
from bot.census.room import Credential, Room
from bot.census.standing import Read
from bot.census.tally import Seen, Words
from bot.census.users import NO_POD, PODS_UNREAD, used_by
from bot.diagnosis.expiry import LEEWAY, is_near
from bot.diagnosis.layouts import renewal
from bot.durations import relative
from bot.embedded import shown
from bot.model import Due, Item, ItemKind, Severity, due

_OWN_WORDS = "So its own claims say: no API server was asked."


def credentials(room: Room, facts: Facts, read: Read) -> Iterator[Seen]:
    """Each of the namespace's credentials once. What ends late is counted only."""
    for credential in room.credentials.values():
        bucket = _bucket(credential, facts)
        is_item = bucket is not Due.LATER
        yield Seen(
            kind=ItemKind.KUBECONFIG_CERTIFICATE if credential.is_certificate else ItemKind.EMBEDDED_TOKEN,
            name=credential.secret,
            place=credential.place,
            severity=_severity(room, credential, bucket),
            ends=credential.ends,
            due=bucket if credential.ends else None,
            make=partial(_item, room, facts, read, credential) if is_item else None,
        )


def _bucket(credential: Credential, facts: Facts) -> Due:
    """How soon it ends.

    One whose whole life is shorter than the window is always within it: whoever renews it does so when four fifths of
    the life are over, so that it is near in the last fifth only.
    """
    ends, begins, now = credential.ends, credential.begins, facts.now
    if ends is None:
        return Due.NEVER
    if not credential.is_certificate and now - LEEWAY <= ends < now:
        return Due.TODAY
    bucket = due(ends, now, facts.window)
    is_short = begins is not None and timedelta() < ends - begins <= facts.window
    return Due.LATER if is_short and bucket is not Due.EXPIRED and not is_near(begins, ends, now) else bucket


def _severity(room: Room, credential: Credential, bucket: Due) -> Severity:
    is_used = credential.secret in room.users or credential.layout.has_controller
    return Severity.CRITICAL if bucket is Due.EXPIRED and is_used else Severity.WARNING


def _item(room: Room, facts: Facts, read: Read, credential: Credential, seen: Seen) -> Item:
    words = _words(credential, seen.due, facts.now)
    return seen.item(room.name, words, owner=credential.owner, used=_used(room, read, credential))


def _words(credential: Credential, bucket: Due | None, now: datetime) -> Words:
    step = renewal(credential.layout)[0].text
    what = f"client certificate of {shown(credential.subject)}" if credential.is_certificate else _token(credential)
    server = f" for {credential.server}" if credential.server else ""
    whose = f"The {what} ({credential.layout.value}{server})"
    if credential.problem:
        return Words(
            f"The credential ({credential.layout.value}) {credential.problem}.", step, "embedded-credential-broken"
        )
    if credential.ends is None:
        return _endless(credential, whose)
    when = relative(credential.ends, now)
    told = f"{whose} expired {when}." if bucket is Due.EXPIRED else f"{whose} expires {when}."
    if credential.is_certificate:
        return Words(f"{told} A certificate has no leeway.", step, "kubeconfig-certificate-expiring")
    is_over = bucket is Due.EXPIRED and credential.layout.is_kubeconfig
    code = "kubeconfig-token-expired" if is_over else "embedded-token-expiring"
    return Words(f"{told} {_OWN_WORDS}", step, code)


def _token(credential: Credential) -> str:
    return f"token of {shown(credential.subject)}" if credential.subject else "token"


def _endless(credential: Credential, whose: str) -> Words:
    copied = f" It is a copy of the one in token Secret {shown(credential.copy_of)}." if credential.copy_of else ""
    step = (
        "Delete that token Secret once nobody needs it, and keep a token here that expires and is renewed."
        if credential.copy_of
        else "Put a token here that expires, and have it renewed."
    )
    return Words(f"{whose} never expires.{copied}", step)


def _used(room: Room, read: Read, credential: Credential) -> str:
    if users := used_by(room.users.get(credential.secret, {})):
        return f"used by {users}"
    if credential.layout.has_controller:
        return f"read by the controller that it is for ({credential.layout.value})"
    return NO_POD if read.pods else PODS_UNREAD
