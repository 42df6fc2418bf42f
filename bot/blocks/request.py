"""A request as it stands: for the approvers, for those who asked, and how it ended. Verdict first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from bot.blocks import elements as kit
from bot.blocks import values
from bot.blocks.limits import BUDGET, REASON, Block, Message, fallback, size
from bot.model import Offer, Person, Plan, Request, State, TrailEntry, Vote

APPROVE, DENY, CANCEL = "approve", "deny", "cancel"
ACT = "act"
"""What the buttons are called: the action_ids that the handlers listen to."""

_SIGNS = {
    State.PENDING: ("🟡", "Waiting for approval"),
    State.APPROVED: ("🟢", "Approved, about to begin"),
    State.RUNNING: ("⏳", "Under way"),
    State.SUCCEEDED: ("✅", "Done"),
    State.FAILED: ("❌", "Failed"),
    State.DENIED: ("🚫", "Denied"),
    State.EXPIRED: ("⌛", "Expired"),
    State.CANCELLED: ("↩️", "Cancelled"),
    State.STALE: ("⚠️", "Not done: it changed meanwhile"),
}
_AGAIN = {State.STALE, State.EXPIRED}
_SUMMARY = 300
_CALLED = 10
_STEP = 500
_OUTCOME = 900
_NOTE = 300
_DETAIL = ((2_500, 6, 10, 700), (1_200, 4, 10, 350), (600, 2, 4, 200), (300, 1, 2, 100))


@dataclass(frozen=True, slots=True)
class Shown:
    """A request with its votes. `thread` is the address of the message that it is about, "" where there is none.

    `approvers` are the people and user groups who are to decide, `end` is the audit's last line where it was cancelled.
    """

    request: Request
    votes: tuple[Vote, ...] = ()
    thread: str = ""
    approvers: tuple[str, ...] = ()
    end: TrailEntry | None = None


def decision(shown: Shown) -> Message:
    """For the approvers: what exactly would be done, why, and how it goes."""
    request = shown.request
    blocks: list[Block] = []
    for difference, notes, votes, quote in _DETAIL:
        plan = plan_lines(request.plan, difference, 0 if request.state.is_final else notes)
        groups = [
            *_head(request),
            *_called(shown),
            *_course(shown),
            *_voices(shown.votes, votes),
            *plan,
            *_evidence(request, quote),
        ]
        blocks = [kit.rich(*groups), *_buttons(request, decides=True), _small_print(shown, decided_here=True)]
        if size(blocks) <= BUDGET:
            break
    return Message(f"{_text(request)} {' '.join(map(kit.group_mention, _callable(shown)))}".strip(), tuple(blocks))


def progress(shown: Shown) -> Message:
    """Where it was asked for: where it stands, without the difference."""
    request = shown.request
    groups = [*_head(request), *_course(shown), *_voices(shown.votes, 4)]
    blocks = [kit.rich(*groups), *_buttons(request, decides=False), _small_print(shown, decided_here=False)]
    return Message(_text(request), tuple(blocks))


def outcome(shown: Shown) -> Message:
    """The reply at the end. It names the requester and all who had a say: an edited message notifies nobody."""
    request = shown.request
    people = dict.fromkeys([request.requester, *(vote.approver for vote in shown.votes)])
    said = ending(shown)
    groups = [
        kit.line(*_title(request), kit.words(": "), kit.words(request.plan.summary, _SUMMARY)),
        *([kit.line(*kit.prose(said, _OUTCOME))] if said else []),
        kit.line(*[leaf for person in people for leaf in (kit.named(person), kit.words(" "))]),
    ]
    text = fallback(f"{status(request)}: {request.plan.summary}. {said}")
    return Message(f"{text} {' '.join(map(kit.mention, people))}", (kit.rich(*groups), *_again(request)))


def unasked(shown: Shown) -> Message:
    """For the requester alone: nobody can be asked, and what helps."""
    request = shown.request
    channel = request.approval_channel
    groups = [
        kit.line(kit.words("⚠️ "), kit.bold("The approvers cannot be asked")),
        kit.line(kit.words(f"{request.plan.summary}: token-doctor may not post in ", _SUMMARY), kit.channel(channel)),
        kit.line(
            kit.words(
                "Have it invited there; until the request expires it tries again. An approver can also decide in "
            ),
            kit.words("the Home tab of token-doctor."),
        ),
    ]
    return Message(fallback(f"The approvers of “{request.plan.summary}” cannot be asked."), (kit.rich(*groups),))


def ending(shown: Shown) -> str:
    """How it ended, in a sentence; "" for one that is still open."""
    request = shown.request
    if request.outcome or not request.state.is_final:
        return request.outcome if request.state.is_final else ""
    denial = next((vote for vote in shown.votes if not vote.approves), None)
    match request.state:
        case State.DENIED if denial and denial.reason:
            return f"“{denial.reason}”"
        case State.EXPIRED:
            return "It was not approved and begun in time. Nothing was done."
        case State.CANCELLED if shown.end:
            why = shown.end.why.removeprefix("cancelled").removeprefix(": ")
            return f"“{why}”" if why else ""
    return ""


def status(request: Request) -> str:
    """`🟡 Waiting for approval`."""
    return f"{_SIGNS[request.state][0]} {_words(request)}"


def plan_lines(plan: Plan, difference: int, notes: int) -> Iterator[kit.Group]:
    """The difference as it will be, and what else to know."""
    if plan.difference:
        yield kit.quoted("\n".join(plan.difference), difference)
    if plan.notes and notes:
        yield kit.bullets([kit.line(*kit.prose(note, _NOTE)) for note in plan.notes[:notes]])


def where(plan: Plan) -> str:
    """`Deployment shop/checkout, cluster prod`."""
    cluster = f", cluster {plan.ref.cluster}" if plan.ref.cluster else ""
    return f"{plan.ref.kind} {plan.ref.namespace}/{plan.ref.name}{cluster}"


def _words(request: Request) -> str:
    watched = request.state is State.RUNNING and request.looks
    return "Done, looking whether it helped" if watched else _SIGNS[request.state][1]


def _title(request: Request) -> list[kit.Leaf]:
    return [kit.words(f"{_SIGNS[request.state][0]} "), kit.bold(_words(request))]


def _head(request: Request) -> Iterator[kit.Group]:
    yield kit.line(*_title(request), kit.words(": "), kit.words(request.plan.summary, _SUMMARY))
    yield kit.line(
        kit.words(f"{where(request.plan)} · risk {request.plan.risk.value} · asked by ", 500),
        kit.named(request.requester),
        kit.words(", "),
        kit.moment(request.created_at),
        *([kit.words(": “"), kit.words(request.reason, 2 * REASON), kit.words("”")] if request.reason else []),
    )


def _callable(shown: Shown) -> tuple[str, ...]:
    return shown.approvers[:_CALLED] if shown.request.state is State.PENDING else ()


def _called(shown: Shown) -> Iterator[kit.Group]:
    """Those who are to decide, by name: whoever is not named may not be notified."""
    if called := _callable(shown):
        named = [leaf for subject in called for leaf in (kit.words(" "), kit.group(subject))]
        yield kit.line(kit.words("To be decided by"), *named)


def _evidence(request: Request, most: int) -> Iterator[kit.Group]:
    """Only while it is to be decided on: afterwards the thread has it."""
    if request.state is not State.PENDING:
        return
    if request.cause:
        yield kit.line(kit.words("It would mend: "), kit.code(request.cause))
    if request.evidence:
        yield kit.quoted(request.evidence, most)


def _voices(votes: Sequence[Vote], most: int) -> Iterator[kit.Group]:
    for vote in votes[:most]:
        reason = [kit.words(": “"), kit.words(vote.reason, REASON), kit.words("”")] if vote.reason else []
        verb = "✔ approved by " if vote.approves else "✘ denied by "
        yield kit.line(kit.words(verb), kit.named(vote.approver), kit.words(", "), kit.moment(vote.at), *reason)
    if len(votes) > most:
        yield kit.line(kit.words(f"… and {len(votes) - most} more"))


def _course(shown: Shown) -> Iterator[kit.Group]:
    """How far it has come, or how and when it ended."""
    request = shown.request
    if request.state is State.RUNNING and request.step:
        yield kit.line(*kit.prose(request.step, _STEP))
    if request.state.is_final:
        said = ending(shown) if request.state is not State.DENIED else ""
        by = [kit.words("by "), kit.named(Person(id=shown.end.who)), kit.words(", ")] if shown.end else []
        what = [kit.words(" "), *kit.prose(said, _OUTCOME)] if said else []
        yield kit.line(kit.words("Ended "), *by, kit.moment(request.changed_at), kit.words("."), *what)


def _buttons(request: Request, *, decides: bool) -> Iterator[Block]:
    buttons: list[kit.Leaf] = []
    if decides and request.state is State.PENDING:
        buttons.append(kit.button("Approve …", APPROVE, request.id, style="primary"))
        buttons.append(kit.button("Deny …", DENY, request.id, style="danger"))
    if request.state in {State.PENDING, State.APPROVED}:
        buttons.append(kit.button("Cancel …", CANCEL, request.id))
    if buttons:
        yield kit.actions(*buttons)


def _again(request: Request) -> Iterator[Block]:
    """A button to ask anew, of the object that has the name by now, and with the parameters made anew too."""
    if request.state in _AGAIN:
        ref = replace(request.plan.ref, uid="")
        value = values.of_offer(Offer(kind=request.plan.kind, ref=ref, label="", cause=request.cause))
        if value:
            yield kit.actions(kit.button("Look at it anew …", f"{ACT}:0", value))


def _small_print(shown: Shown, *, decided_here: bool) -> Block:
    request = shown.request
    leaves = [kit.words(" · ".join([*_count(shown), f"request {request.id}"]), 300)]
    if request.state in {State.PENDING, State.APPROVED}:
        leaves += [kit.words(" · expires "), kit.moment(request.expires_at)]
        if request.approval_channel and not decided_here:
            leaves += [kit.words(" · decided in "), kit.channel(request.approval_channel)]
    if shown.thread:
        leaves += [kit.words(" · "), kit.link(shown.thread, "what it is about")]
    return kit.rich(kit.line(*leaves))


def _count(shown: Shown) -> Iterator[str]:
    """`1 of 2 approvals (policy rule 3)`, while it counts."""
    request = shown.request
    if request.state is State.PENDING:
        said, needed = sum(vote.approves for vote in shown.votes), request.approvals_needed
        rule = f" ({request.rule})" if request.rule else ""
        yield f"{said} of {needed} approval{'s' * (needed != 1)}{rule}"


def _text(request: Request) -> str:
    asked = kit.mention(request.requester)
    return f"{fallback(f'{status(request)}: {request.plan.summary}.')} Asked by {asked}"
