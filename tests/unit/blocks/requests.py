"""Requests in every state, as people will see them: for the goldens."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from bot.blocks import home, modals, values
from bot.blocks.home import ClusterState
from bot.blocks.limits import Message
from bot.blocks.request import APPROVE, CANCEL, DENY, Shown, decision, outcome, progress, unasked
from bot.errors import TargetNotFoundError
from bot.model import ActionKind, ObjectRef, Person, Plan, Request, Risk, State, Target, TrailEntry, Vote
from config.policy import Rule

NOW = datetime(2026, 11, 22, 13, 5, 9, tzinfo=UTC)
ERIN = Person(id="U0ENGINEER1", name="Erin Engineer")
AVERY = Person(id="U0APPROVER1", name="Avery Approver")
SAM = Person(id="U0APPROVER2", name="Sam Second")
TERMINAL = Person(id="terminal", name="erin@workstation")
THREAD = "https://shop.slack.com/archives/C0INCIDENT1/p1795377581627979"
REF = ObjectRef(
    cluster="prod", api_version="apps/v1", kind="Deployment", namespace="shop", name="checkout", uid="7f0c1d0e-uid"
)
PLAN = Plan(
    kind=ActionKind.RESTART_WORKLOAD,
    ref=REF,
    summary="Restart deployment shop/checkout: 3 pods are made anew",
    difference=(
        "  spec.template.metadata.annotations:",
        "+   kubectl.kubernetes.io/restartedAt: (the time at which it is done)",
        "+   token-doctor.io/request: (this request's id)",
    ),
    fingerprint="0" * 64,
    risk=Risk.LOW,
    notes=(
        "Rolling: 3 pods are replaced, one at a time, each only when a new one is ready: none is missing meanwhile.",
    ),
)
PENDING = Request(
    id="4f34ddaa12",
    plan=PLAN,
    requester=ERIN,
    reason="checkout answers 401 since nine",
    channel="C0INCIDENT1",
    thread_ts="1795377581.627979",
    approval_channel="C0APPROVALS",
    approvals_needed=2,
    rule="policy rule 1",
    cause="service-account-recreated",
    evidence="log of container app, 2026-11-22 13:04:41 UTC:\nfailed to list *v1.ConfigMap: Unauthorized",
    created_at=NOW,
    changed_at=NOW,
    expires_at=NOW + timedelta(minutes=30),
)
YES = Vote(request=PENDING.id, approver=AVERY, approves=True, at=NOW + timedelta(minutes=1), reason="go ahead")
ALSO = Vote(request=PENDING.id, approver=SAM, approves=True, at=NOW + timedelta(minutes=2))
NO = Vote(request=PENDING.id, approver=SAM, approves=False, at=NOW + timedelta(minutes=2), reason="not during the sale")
RULE = Rule(
    actions=("restart-workload",),
    namespaces=("shop-*",),
    requesters=("S012USERGROUP",),
    approvers=("S034USERGROUP", "U0APPROVER2"),
    approvals=2,
    approval_channel="C0APPROVALS",
)
WANTED = values.Wanted(kind=PLAN.kind, ref=REF, cause=PENDING.cause, channel="C0INCIDENT1", thread_ts=PENDING.thread_ts)


def at(state: State, *votes: Vote, end: TrailEntry | None = None, **also: object) -> Shown:
    """The request in this state, five minutes later."""
    request = replace(PENDING, state=state, changed_at=NOW + timedelta(minutes=5), **also)
    return Shown(request, votes, THREAD, end=end)


ASKED = Shown(PENDING, (YES,), THREAD, ("S034USERGROUP", "U0APPROVER2"))
TAKEN_BACK = TrailEntry(
    request=PENDING.id,
    at=NOW,
    who=ERIN.id,
    was=State.PENDING,
    became=State.CANCELLED,
    why="cancelled: it came right by itself",
)
STUCK = "1 of 3 new pods are ready. Held up: pod checkout-x7k2p: ErrImagePull."
NOT_YET = "3 of 3 new pods are ready. No new evidence yet. Looking again in 5 min."
STOPPED = "3 of 3 new pods are ready. The 401s have stopped: its 3 pods have logged for 5 min since without one."
STATES = {
    "pending": ASKED,
    "approved": at(State.APPROVED, YES, ALSO),
    "running": at(State.RUNNING, YES, ALSO, step=STUCK),
    "watched": at(State.RUNNING, YES, ALSO, looks=1, step=NOT_YET),
    "succeeded": at(State.SUCCEEDED, YES, ALSO, outcome=STOPPED),
    "failed": at(State.FAILED, YES, ALSO, outcome="Kubernetes has given it up: ErrImagePull."),
    "denied": at(State.DENIED, YES, NO),
    "expired": at(State.EXPIRED, YES),
    "cancelled": at(State.CANCELLED, end=TAKEN_BACK),
    "stale": at(State.STALE, YES, ALSO, outcome="The pod template was changed since this was approved."),
}


def messages() -> dict[str, tuple[Message, ...]]:
    """For the approvers, for those who asked, and at the end the reply."""
    shown = {
        f"request-{name}": (decision(one), progress(one), *([outcome(one)] if one.request.state.is_final else []))
        for name, one in STATES.items()
    }
    terminal = Shown(replace(PENDING, requester=TERMINAL, channel="", thread_ts=""))
    entries = (
        TrailEntry(request=PENDING.id, at=NOW, who=ERIN.id, was=None, became=State.PENDING, why=PENDING.reason),
        TrailEntry(request=PENDING.id, at=NOW, who="expiry", was=State.PENDING, became=State.EXPIRED, why="too late"),
    )
    ended = STATES["succeeded"].request
    return {
        **shown,
        "request-from-a-terminal": (decision(terminal),),
        "request-unasked": (unasked(ASKED),),
        "requests": (home.requests((PENDING, ended), (PENDING,)), home.requests((), ())),
        "audit": (home.audit(entries, {PENDING.id: PENDING}, "shop/checkout"), home.audit((), {}, "shop/checkout")),
    }


def views() -> dict[str, modals.View]:
    """Modals and Home tabs."""
    targets = (Target(namespace="shop", name="checkout-0", kind="pod"), Target(namespace="shop", name="db"))
    missing = TargetNotFoundError("There is no “chekout” in namespace shop.", nearest=("shop/checkout",))
    clusters = (
        ClusterState("prod", version="v1.36.3", checked_at=NOW),
        ClusterState("stage", trouble="no answer in time"),
    )
    return {
        "modal-loading": modals.loading("Restart a workload"),
        "modal-ask": modals.ask(PLAN, WANTED, RULE, 1),
        "modal-ask-again": modals.ask(PLAN, WANTED, RULE, 1, written="checkout answers 401"),
        "modal-refused": modals.refused(
            "Restart a workload", "policy rule 1 covers it, and Erin is none of its", "Ask."
        ),
        "modal-not-found": modals.failed("Restart a workload", missing),
        "modal-asked": modals.asked(PENDING, joined=False),
        "modal-joined": modals.asked(PENDING, joined=True),
        **{f"modal-{verb}": modals.question(ASKED, verb) for verb in (APPROVE, DENY, CANCEL)},
        "modal-approved": modals.said(STATES["approved"], APPROVE),
        "modal-too-late": modals.present(STATES["denied"], APPROVE, "it is no longer pending: it is denied"),
        "modal-choose": modals.choose(
            values.Chosen(targets=targets, channel="C0INCIDENT1", thread_ts=PENDING.thread_ts)
        ),
        "home": home.home((STATES["running"].request,), (PENDING,), clusters),
        "home-without-a-policy": home.home((), (), clusters[:1], trouble="Nothing may be done from here."),
    }
