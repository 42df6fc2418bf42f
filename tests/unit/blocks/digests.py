"""Digests as people will see them: for the goldens."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from bot.blocks import census, modals, snoozing, values
from bot.blocks import digest as blocks
from bot.blocks.limits import Message
from bot.model import (
    ActionKind,
    ClusterDigest,
    Digest,
    Due,
    Item,
    ItemKind,
    ObjectRef,
    Offer,
    Person,
    Resolved,
    Scanned,
    Severity,
    Snooze,
    Snoozed,
    Tally,
    TrendPoint,
    Unscanned,
)

MONDAY = datetime(2026, 11, 23, 8, 0, 4, tzinfo=UTC)
FRIDAY = datetime(2026, 11, 20, 8, 0, 4, tzinfo=UTC)
WINDOW = timedelta(days=14)
ERIN = Person(id="U0ENGINEER1", name="Erin Engineer")

LEGACY_WHY = "Its token never expires, and whoever has a copy of it is let in until the Secret is deleted."
LEGACY_NEXT = "Move the client to a token of the TokenRequest API, then delete the Secret."


def legacy(namespace: str, name: str, *, owner: str = "", used: str = "", offers: tuple[Offer, ...] = ()) -> Item:
    return Item(
        kind=ItemKind.LEGACY_SECRET,
        namespace=namespace,
        object_kind="Secret",
        name=name,
        owner=owner,
        severity=Severity.WARNING,
        why=LEGACY_WHY,
        next_step=LEGACY_NEXT,
        used=used or "mounted by no pod; last used 2026-02-03",
        cause="legacy-secret-mounted",
        offers=offers,
    )


UNUSED = ObjectRef(
    cluster="prod", api_version="v1", kind="Secret", namespace="shop", name="ci-token-x7k2p", uid="a-uid"
)
DELETE = Offer(kind=ActionKind.DELETE_LEGACY_SECRET, ref=UNUSED, label="Delete unused Secret ci-token-x7k2p")
ARGO = Item(
    kind=ItemKind.EMBEDDED_TOKEN,
    namespace="argocd",
    object_kind="Secret",
    name="cluster-stage",
    place="config.bearerToken",
    owner="team-platform",
    severity=Severity.CRITICAL,
    why="The token in it ends, and nothing renews it: Argo CD can then no longer reach cluster stage.",
    next_step="Write a fresh token into the Secret, and have it renewed from now on.",
    used="Argo CD, cluster stage",
    ends=MONDAY + timedelta(hours=20),
    cause="embedded-token-expiring",
)
KUBECONFIG = replace(
    ARGO,
    namespace="fleet",
    name="edge-7-kubeconfig",
    place="value, user admin",
    owner="",
    severity=Severity.WARNING,
    why="The token of this kubeconfig ends, and what connects with it fails from then on.",
    used="",
    ends=MONDAY + timedelta(days=5, hours=3),
)
CI = legacy("shop", "ci-token-x7k2p", owner="team-shop", offers=(DELETE,))
BUILD = Item(
    kind=ItemKind.MANUAL_SECRET,
    namespace="shop",
    object_kind="Secret",
    name="build-robot",
    owner="erin@shop.example",
    severity=Severity.WARNING,
    why="Its token never expires.",
    next_step="Give the build a token that ends, with `kubectl create token`.",
    used="read by deployment shop/builder",
    cause="legacy-secret-mounted",
)
REST = tuple(legacy("pay", f"old-{name}-token-{index}", owner="team-pay") for index, name in enumerate(("api", "job")))
SNOOZE = Snooze(until=MONDAY + timedelta(days=8), by=ERIN, reason="goes with the old cluster in December")
ACKNOWLEDGED = Snooze(
    until=MONDAY + timedelta(days=30), by=Person(id="U0APPROVER1", name="Avery"), reason="PAY-311", acknowledged=True
)
TOTALS = Tally(
    kinds={
        ItemKind.LEGACY_SECRET: 11,
        ItemKind.MANUAL_SECRET: 1,
        ItemKind.EMBEDDED_TOKEN: 4,
        ItemKind.SUBPATH_MOUNT: 2,
    },
    due={Due.TODAY: 1, Due.WEEK: 1, Due.LATER: 2},
)
SECRET_DATA = Unscanned(
    what="tokens and certificates in other Secrets",
    kinds=(ItemKind.EMBEDDED_TOKEN, ItemKind.KUBECONFIG_CERTIFICATE),
    reason="reading Secrets' data is switched off",
    mend="`checks.read_secret_data: true` switches it on.",
    by_choice=True,
)
DENIED = Unscanned(
    what="pods",
    kinds=(ItemKind.SUBPATH_MOUNT,),
    reason="token-doctor may not list pods",
    mend="Allow it with `token-doctor rbac --features digest`.",
    namespaces=("vault", "pay"),
    count=2,
)


def earlier(days: int, legacy_count: int, near: int, *, complete: bool = True) -> TrendPoint:
    totals = Tally(kinds={ItemKind.LEGACY_SECRET: legacy_count, ItemKind.MANUAL_SECRET: 1}, due={Due.WEEK: near})
    return TrendPoint(at=MONDAY - timedelta(days=days), totals=totals, complete=complete)


PROD = ClusterDigest(
    cluster="prod",
    taken_at=MONDAY,
    window=WINDOW,
    new=(ARGO, CI),
    due=(KUBECONFIG,),
    lapsed=(Snoozed(item=BUILD, snooze=replace(SNOOZE, until=MONDAY - timedelta(hours=9))),),
    snoozed=(
        Snoozed(item=legacy("pay", "bank-token-9x2vq", owner="team-pay"), snooze=ACKNOWLEDGED),
        Snoozed(item=legacy("shop", "mail-token-q8w7e"), snooze=SNOOZE),
    ),
    rest=REST,
    resolved=(
        Resolved(
            kind=ItemKind.LEGACY_SECRET, namespace="shop", object_kind="Secret", name="cart-token-2", first_seen=FRIDAY
        ),
    ),
    totals=TOTALS,
    trend=(
        earlier(6, 14, 3),
        earlier(5, 13, 3),
        earlier(4, 13, 2),
        TrendPoint(at=FRIDAY, totals=earlier(3, 12, 2).totals),
        TrendPoint(at=MONDAY, totals=TOTALS),
    ),
    scanned=Scanned(namespaces=41, token_secrets=212, service_accounts=1_420, pods=9_870, secrets=3_114),
)
DAILY = Digest(
    id="4f34ddaa12c0ffee",
    schedule="daily",
    channel="C0TOKENS001",
    at=MONDAY,
    timezone="Europe/Berlin",
    minute="2026-11-23T09:00",
    due_at=MONDAY - timedelta(seconds=4),
    clusters=(PROD,),
    next_at=MONDAY + timedelta(days=1),
)
STAGE = ClusterDigest(
    cluster="stage",
    taken_at=MONDAY,
    window=WINDOW,
    is_first=True,
    rest=(legacy("shop", "ci-token-abcde"),),
    totals=Tally(kinds={ItemKind.LEGACY_SECRET: 1}),
    trend=(TrendPoint(at=MONDAY, totals=Tally(kinds={ItemKind.LEGACY_SECRET: 1})),),
    scanned=Scanned(namespaces=3, token_secrets=1, service_accounts=9, pods=12),
    unscanned=(DENIED, SECRET_DATA),
)
EDGE = ClusterDigest(
    cluster="edge",
    taken_at=MONDAY,
    window=WINDOW,
    unreachable="no answer from https://10.0.0.1:6443",
    mend="Check the network between token-doctor and the API server.",
)
QUIET = ClusterDigest(cluster="prod", taken_at=MONDAY, window=WINDOW, scanned=PROD.scanned, unscanned=(SECRET_DATA,))


def messages() -> dict[str, tuple[Message, ...]]:
    """The channel's message, and its thread."""
    missed = replace(
        DAILY,
        clusters=(PROD, STAGE, EDGE),
        at=MONDAY + timedelta(hours=2),
        missed=("2026-11-21T09:00", "2026-11-22T09:00"),
        missed_count=2,
        elsewhere={"C0SHOP00001": 3},
    )
    asked = replace(DAILY, schedule="", minute="", due_at=None, next_at=None, clusters=(STAGE,))
    beat = replace(DAILY, clusters=(QUIET,), heartbeat=True, quiet_since=FRIDAY)
    shown = blocks.messages(DAILY, acts=True)
    later = {("prod", CI.key): replace(SNOOZE, reason="the build moves next week"), ("prod", BUILD.key): ACKNOWLEDGED}
    return {
        "digest": shown,
        "digest-without-charts": (Message(shown[0].text, shown[0].instead),),
        "digest-snoozed-since": blocks.messages(DAILY, later, acts=True),
        "digest-of-several-clusters": blocks.messages(missed),
        "digest-on-demand": blocks.messages(
            replace(asked, asker="U0ENGINEER1", about="the token Secrets of namespace shop")
        ),
        "digest-nothing": blocks.messages(replace(DAILY, clusters=(QUIET,))),
        "digest-heartbeat": blocks.messages(beat),
        "digest-missed": blocks.messages(replace(missed, clusters=())),
        "census-reading": (
            census.reading("all namespaces", "U0ENGINEER1"),
            census.reading("all namespaces", "U0ENGINEER1", {"prod": census.far(PROD.scanned, 12, 41)}),
        ),
        "census-failed": (census.failed("namespace shop", "U0ENGINEER1", "Nothing may be read.", "Allow it."),),
        "digest-unreachable": blocks.messages(replace(DAILY, clusters=(EDGE,))),
    }


def views() -> dict[str, modals.View]:
    """The form behind an item's buttons, and what comes of it."""
    watched = values.Watched(digest=DAILY.id, schedule="daily", cluster="prod", key=CI.key)
    name = "Secret shop/ci-token-x7k2p"
    tomorrow = (MONDAY + timedelta(days=1)).date()
    taken_on = replace(watched, acknowledged=True)
    return {
        "modal-snooze": snoozing.ask(watched, name, CI.why, tomorrow, present=None),
        "modal-acknowledge-again": snoozing.ask(taken_on, name, CI.why, tomorrow, present=ACKNOWLEDGED),
        "modal-snoozed": snoozing.kept(name, SNOOZE),
        "modal-woken": snoozing.woken(name),
        "modal-gone": snoozing.gone(name, "2 d ago"),
        "modal-unseen": snoozing.gone(name, ""),
    }
