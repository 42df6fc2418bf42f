"""Modals: what is asked before anything is requested, decided or checked. One step at a time, the answer first."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from bot.blocks import elements as kit
from bot.blocks import values
from bot.blocks.limits import METADATA, REASON, Block, cut, weight
from bot.blocks.request import APPROVE, CANCEL, DENY, Shown, ending, plan_lines, status, where
from bot.errors import DoctorError, TargetNotFoundError
from bot.model import ActionKind, Plan, Request
from config.policy import Rule

View = dict[str, Any]

ASK, DECIDE, CHOOSE = "ask", "decide", "choose"
"""The callback_ids that the handlers listen to."""
WHY, TARGET = "reason", "target"
"""The fields' names."""

_DIFFERENCE = 2_900
_NOTES = 8
_NEAREST = 8
_SUBJECTS = 10

TITLES = {
    ActionKind.RESTART_WORKLOAD: "Restart a workload",
    ActionKind.DELETE_POD: "Delete a pod",
    ActionKind.CREATE_TOKEN_SECRET: "Create a token Secret",
    ActionKind.ROTATE_TOKEN_SECRET: "Rotate a token Secret",
    ActionKind.DELETE_LEGACY_SECRET: "Delete a token Secret",
    ActionKind.REACTIVATE_LEGACY_TOKEN: "Reactivate a token",
    ActionKind.PROBE_TOKEN: "Try a fresh token",
}
_VERBS = {APPROVE: "Approve", DENY: "Deny", CANCEL: "Cancel the request"}


def loading(title: str, what: str = "Looking at it …") -> View:
    """Shown at once: what opened it is good for three seconds only."""
    return modal(title, [kit.rich(kit.line(kit.words(f"⏳ {what}")))])


def refused(title: str, sentence: str, next_step: str = "", nearest: Sequence[str] = ()) -> View:
    """Why it cannot be done, and what to do instead."""
    groups = [kit.line(kit.words("✋ "), *kit.prose(kit.sentence(sentence)))]
    if next_step:
        groups.append(kit.line(*kit.prose(next_step)))
    if nearest:
        items = [kit.line(kit.code(name)) for name in nearest[:_NEAREST]]
        groups += [kit.line(kit.words("Close to it:")), kit.bullets(items)]
    return modal(title, [kit.rich(*groups)])


def failed(title: str, error: DoctorError) -> View:
    nearest = error.unsaid if isinstance(error, TargetNotFoundError) else ()
    return refused(title, str(error), error.next_step, nearest)


def unknown() -> View:
    """A button or a form that another version of the bot has made."""
    return refused(
        "token-doctor",
        "This was made by another version of token-doctor, and cannot be read any more.",
        "Have it checked again: the new answer has buttons that work.",
    )


def ask(plan: Plan, asked: values.Wanted, rule: Rule, number: int, *, written: str = "") -> View:
    """The plan, who has to agree by the rule of this number, and a field for the reason.

    With a reason `written` already it is not the plan that the person has just agreed to.
    """
    groups: list[kit.Group] = []
    if written:
        groups.append(kit.line(kit.bold("It changed while you wrote: this is what would be done now.")))
    groups += [
        kit.line(kit.bold(plan.summary)),
        kit.line(kit.words(f"{where(plan)} · risk {plan.risk.value}", 500)),
        *plan_lines(plan, _DIFFERENCE, _NOTES),
        _deciders(rule, number, rule.approval_channel or asked.channel),
    ]
    reason = kit.text_field(
        WHY, "Why", most=REASON, given=written, hint="The approvers read it, and it is kept. Never write a token here."
    )
    return modal(
        TITLES[plan.kind],
        [kit.rich(*groups), reason],
        callback=ASK,
        submit="Ask for approval",
        metadata=values.wanted(plan, asked),
    )


def asked(request: Request, *, joined: bool) -> View:
    """What became of it, and where it goes on."""
    if joined:
        first = [
            kit.words("🟡 "),
            kit.bold("It was asked for already"),
            kit.words(" by "),
            kit.named(request.requester),
            kit.words(", "),
            kit.moment(request.created_at),
            kit.words(f". It is one request: {status(request)}."),
        ]
    else:
        first = [kit.words("🟡 "), kit.bold("Asked"), kit.words(f": {request.plan.summary}", 300)]
    groups = [kit.line(*first)]
    if request.approval_channel:
        decided = kit.words("The approvers decide in "), kit.channel(request.approval_channel)
        groups.append(kit.line(*decided, kit.words(".")))
    groups.append(kit.line(kit.words("How it goes is told where you asked. This window can be closed.")))
    return modal(TITLES[request.plan.kind], [kit.rich(*groups)])


def question(shown: Shown, verb: str) -> View:
    """Before somebody approves, denies or cancels: what it is about, and a field for the reason."""
    request = shown.request
    groups = [
        kit.line(kit.bold(request.plan.summary)),
        kit.line(
            kit.words(f"{where(request.plan)} · risk {request.plan.risk.value} · asked by ", 500),
            kit.named(request.requester),
            kit.words(": “"),
            kit.words(request.reason or "no reason", 2 * REASON),
            kit.words("”"),
        ),
        *(plan_lines(request.plan, _DIFFERENCE, _NOTES) if verb == APPROVE else ()),
    ]
    must = verb == DENY
    reason = kit.text_field(WHY, "Why", most=REASON, optional=not must)
    return modal(
        _VERBS[verb],
        [kit.rich(*groups), reason],
        callback=DECIDE,
        submit=_VERBS[verb],
        metadata=values.written(values.Question(request=request.id, verb=verb)),
    )


def said(shown: Shown, verb: str) -> View:
    """Their word was heard."""
    done = {APPROVE: "Your approval counts.", DENY: "Your denial counts.", CANCEL: "It is cancelled."}[verb]
    return _present(shown, _VERBS[verb], f"✅ {done}")


def present(shown: Shown, verb: str, why: str) -> View:
    """Their word came too late, or was not theirs to say: why, and how things stand."""
    return _present(shown, _VERBS[verb], f"✋ {kit.sentence(why)}")


def choose(found: values.Chosen) -> View:
    """Which of the targets that a message names is to be checked."""
    metadata = values.written(found)
    while weight(metadata) > METADATA:
        found = replace(found, targets=found.targets[:-1])
        metadata = values.written(found)
    options = [(str(target), str(index)) for index, target in enumerate(found.targets)]
    field = kit.choice(TARGET, "Which of these?", options)
    return modal("Check tokens here", [field], callback=CHOOSE, submit="Check", metadata=metadata)


def _present(shown: Shown, title: str, first: str) -> View:
    request = shown.request
    groups = [
        kit.line(*kit.prose(first, 900)),
        kit.line(kit.bold(status(request)), kit.words(f": {request.plan.summary}", 300)),
    ]
    for vote in shown.votes[:_SUBJECTS]:
        verb = "✔ approved by " if vote.approves else "✘ denied by "
        groups.append(kit.line(kit.words(verb), kit.named(vote.approver), kit.words(", "), kit.moment(vote.at)))
    if words := ending(shown) or request.step:
        groups.append(kit.line(*kit.prose(words)))
    return modal(title, [kit.rich(*groups)])


def _deciders(rule: Rule, number: int, channel: str) -> kit.Group:
    """Who will have to agree, where and until when."""
    count, minutes = rule.approvals, rule.ttl_minutes
    head = f"Policy rule {number} wants {count} approval{'s' * (count != 1)} within {minutes} min, of "
    leaves: list[kit.Leaf] = [kit.words(head)]
    for index, subject in enumerate(rule.approvers[:_SUBJECTS]):
        leaves += [*([kit.words(", ")] if index else []), kit.group(subject)]
    if len(rule.approvers) > _SUBJECTS:
        leaves.append(kit.words(f" and {len(rule.approvers) - _SUBJECTS} more"))
    if channel:
        leaves += [kit.words("; they are asked in "), kit.channel(channel)]
    return kit.line(*leaves, kit.words("."))


def modal(title: str, blocks: list[Block], *, callback: str = "", submit: str = "", metadata: str = "") -> View:
    """Without `submit` there is nothing to fill in."""
    view: View = {"type": "modal", "title": kit.title(cut(title, 24)), "close": kit.title("Close"), "blocks": blocks}
    if submit:
        view |= {"callback_id": callback, "submit": kit.title(submit), "private_metadata": metadata}
    return view
