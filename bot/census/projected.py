"""Workloads: projected tokens at risk, and tokens of the default service account. Pure."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from bot.census.facts import Facts
from bot.census.room import Room
from bot.census.tally import Seen, Words
from bot.census.workloads import Mounted, Workload
from bot.diagnosis.lifetimes import IN_SIGHT, sight
from bot.durations import relative, span, utc
from bot.model import ActionKind, Item, ItemKind, ObjectRef, Offer, Severity, due

_RESTARTABLE = frozenset({"Deployment", "StatefulSet", "DaemonSet"})


class _Place(NamedTuple):
    """A token file of a workload: `where` is its container and path, `ends` when it stops working."""

    facts: Facts
    where: str
    mounted: Mounted
    ends: datetime | None = None


def workloads(room: Room, facts: Facts) -> Iterator[Seen]:
    """What is at risk in each of the namespace's workloads, its replicas taken together."""
    for workload in room.workloads.values():
        for seen, words in _risks(workload, facts):
            yield Seen(
                kind=seen.kind,
                name=workload.maker.name,
                object_kind=workload.maker.kind,
                severity=seen.severity,
                place=seen.place,
                ends=seen.ends,
                due=due(seen.ends, facts.now, facts.window) if seen.ends else None,
                make=partial(_item, room, facts, workload, words),
            )


class _Risk(NamedTuple):
    kind: ItemKind
    severity: Severity
    place: str = ""
    ends: datetime | None = None


def _risks(workload: Workload, facts: Facts) -> Iterator[tuple[_Risk, Callable[[], Words]]]:
    if workload.on_default_account:
        yield _Risk(ItemKind.DEFAULT_ACCOUNT, Severity.INFO), _on_the_default_account
    for where, mounted in workload.risks.items():
        place = _Place(facts, where, mounted)
        if mounted.mount.sub_path:
            yield _copied(place)
        elif facts.is_capped(mounted.mount):
            yield _Risk(ItemKind.CAPPED_LIFETIME, Severity.INFO, where), partial(_capped, place)
    if cliff := _next_cliff(workload, facts):
        severity = Severity.WARNING if (facts.extension or timedelta()) > IN_SIGHT else Severity.INFO
        yield _Risk(ItemKind.EXTENDED_CLIFF, severity, "", cliff.ends), partial(_cliff, cliff)


def _copied(place: _Place) -> tuple[_Risk, Callable[[], Words]]:
    """A copy of the container's start, which may have been as old as four fifths of its life then."""
    mounted, facts = place.mounted, place.facts
    ends = mounted.since + facts.life(mounted.mount) if mounted.since else None
    severity = Severity.CRITICAL if ends and ends < facts.now else Severity.WARNING
    return _Risk(ItemKind.SUBPATH_MOUNT, severity, place.where, ends), partial(_by_sub_path, place._replace(ends=ends))


def _next_cliff(workload: Workload, facts: Facts) -> _Place | None:
    """The first that is in sight. One that is past has harmed nobody, or has been noticed."""
    ahead = []
    for where, mounted in workload.risks.items():
        longer = facts.extended(mounted.mount)
        if longer is None or mounted.since is None or mounted.mount.sub_path:
            continue
        ends = mounted.since + longer
        if facts.now < ends <= facts.now + min(facts.window, sight(longer)):
            ahead.append(_Place(facts, where, mounted, ends))
    return min(ahead, key=lambda place: (place.ends, place.where), default=None)


def _on_the_default_account() -> Words:
    return Words(
        "Its pods have a token of the namespace's default service account: what is granted to that account is granted "
        "to every pod that names none.",
        "Give it a service account of its own, or set automountServiceAccountToken: false.",
        "default-service-account",
    )


def _by_sub_path(place: _Place) -> Words:
    ends, now = place.ends, place.facts.now
    until = ""
    if ends:
        life = span(place.facts.life(place.mounted.mount))
        told = "expired" if ends < now else "expires"
        until = f" The oldest copy {told} {relative(ends, now)} at the latest, {life} after its container's start."
    return Words(
        f"The token is mounted with subPath: the kubelet's fresh ones never reach the container.{until}",
        "Mount the whole volume at a folder of its own. Until then a restart gives a fresh copy.",
        "token-mounted-by-subpath",
    )


def _capped(place: _Place) -> Words:
    mount = place.mounted.mount
    asked = span(timedelta(seconds=mount.expiration_seconds))
    return Words(
        f"It asks for a token of {asked}, and the API server gives {span(place.facts.life(mount))} at most.",
        "Count on the token's own exp, and read the file again before it.",
        "token-lifetime-capped",
    )


def _cliff(place: _Place) -> Words:
    ends, now, since = place.ends or place.facts.now, place.facts.now, place.mounted.since
    running = f" (running since {utc(since)})" if since else ""
    longer = span(place.facts.extended(place.mounted.mount) or timedelta())
    return Words(
        f"If container {place.where.partition(':')[0]}{running} reads its token only at its start, it breaks "
        f"{relative(ends, now)}, or up to an hour before: the API server extends a default token to {longer}, and no "
        "further. Nothing shows whether it is such a client.",
        "Restart it before that day, or make sure that its client reads the file again.",
        "extended-token-cliff",
    )


def _item(room: Room, facts: Facts, workload: Workload, words: Callable[[], Words], seen: Seen) -> Item:
    told, pods = words(), workload.pods
    may_restart = seen.kind in {ItemKind.SUBPATH_MOUNT, ItemKind.EXTENDED_CLIFF} and _is_restartable(room, workload)
    return seen.item(
        room.name,
        told,
        owner=workload.owner,
        used="" if seen.object_kind == "Pod" else f"{pods} pod{'' if pods == 1 else 's'}",
        offers=(_restart(room, facts, workload, told.cause),) if may_restart else (),
    )


def _is_restartable(room: Room, workload: Workload) -> bool:
    """Without its service account, as far as those were read, a restart would take away what still works."""
    account = room.accounts.get(workload.account)
    has_account = account is not None and account.deleted is None
    return workload.maker.kind in _RESTARTABLE and (has_account or not room.accounts)


def _restart(room: Room, facts: Facts, workload: Workload, cause: str) -> Offer:
    kind, name = workload.maker
    ref = ObjectRef(cluster=facts.cluster, api_version="apps/v1", kind=kind, namespace=room.name, name=name)
    return Offer(kind=ActionKind.RESTART_WORKLOAD, ref=ref, label=f"Restart {kind.lower()} {name}", cause=cause)
