"""Requests, plans and votes to store."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.model import (
    ActionKind,
    ClusterDigest,
    Digest,
    ItemKind,
    ObjectRef,
    Person,
    Plan,
    Request,
    Risk,
    Tally,
    TrendPoint,
    Vote,
)
from bot.store import Look, Store

NOW = datetime(2026, 3, 29, 9, 0, tzinfo=UTC)
ALICE = Person(id="U0ALICE00", name="alice")
BOB = Person(id="U0BOB0000", name="bob")
CAROL = Person(id="U0CAROL00", name="carol")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def plan(
    name: str = "checkout", *, uid: str = "", fingerprint: str = "f1", parameters: Mapping[str, str] | None = None
) -> Plan:
    return Plan(
        kind=ActionKind.RESTART_WORKLOAD,
        ref=ObjectRef(
            cluster="prod",
            api_version="apps/v1",
            kind="Deployment",
            namespace="shop",
            name=name,
            uid=uid or f"uid-{name}",
        ),
        summary=f"Restart deployment shop/{name}",
        difference=("  template:", '+   restartedAt: "2026-03-29T09:00:00Z"'),
        fingerprint=fingerprint,
        risk=Risk.MEDIUM,
        parameters=parameters or {},
    )


def request(
    id_: str,
    name: str = "",
    *,
    of: Plan | None = None,
    needed: int = 1,
    requester: Person = ALICE,
    reason: str = "the token expired",
    at: datetime = NOW,
    minutes: float = 30,
) -> Request:
    """Each of an object of its own, unless told otherwise."""
    return Request(
        id=id_,
        plan=of or plan(name or f"workload-{id_}"),
        requester=requester,
        reason=reason,
        approvals_needed=needed,
        rule="restart-workload in shop-*",
        created_at=at,
        changed_at=at,
        expires_at=at + timedelta(minutes=minutes),
    )


def vote(id_: str, approver: Person = BOB, *, approves: bool = True, reason: str = "", at: datetime = NOW) -> Vote:
    return Vote(request=id_, approver=approver, approves=approves, at=at, reason=reason)


async def approved(store: Store, id_: str, *, at: datetime = NOW) -> Request:
    """A request that one person asked for and another approved."""
    await store.requests.create(request(id_, at=at), at)
    counted = await store.requests.vote(vote(id_, at=at), at=at)
    assert counted.request is not None
    return counted.request


async def saw(
    store: Store,
    found: Sequence[str],
    *,
    gone: Sequence[str] = (),
    schedule: str = "daily",
    cluster: str = "prod",
    at: datetime = NOW,
    told: bool = True,
) -> str:
    """A slot of the schedule from its claim to its end, at that time; the id of its one digest."""
    minute, worker = at.isoformat(), f"worker-{cluster}"
    totals = Tally(kinds={ItemKind.LEGACY_SECRET: len(found)})
    part = ClusterDigest(
        cluster=cluster,
        taken_at=at,
        window=timedelta(days=14),
        totals=totals,
        trend=(TrendPoint(at=at, totals=totals),),
    )
    id_ = f"{schedule}-{(at - NOW).total_seconds():.0f}"
    digest = Digest(id=id_, schedule=schedule, channel="C1", at=at, minute=minute, clusters=(part,))
    look = Look(cluster=cluster, at=at, complete=True, found=tuple(found), gone=tuple(gone), tallies={"shop": totals})
    assert await store.slots.claim(schedule, minute, worker, at, 60, due_at=at)
    assert await store.digests.record(
        schedule, minute, worker, at=at, looks=[look], digests=[digest], told=["C1"] if told else []
    )
    assert await store.slots.done(schedule, minute, worker, at)
    return id_
