"""Asking for something to be done: what it would do is shown first; with a reason it goes to the approvers."""

from collections.abc import Mapping

from msgspec.structs import replace

from bot.actions.approvals import Approvals, Ask
from bot.actions.planning import Planner
from bot.blocks import modals, notices
from bot.blocks.values import Wanted
from bot.model import ActionKind, Offer, Person, Plan, Target
from handlers.middleware import ChannelRule, rule_of


class Remedies:
    """Each method gives what the modal shows. Raises DoctorError where the sentence is the error's own."""

    def __init__(self, planner: Planner, approvals: Approvals, rules: Mapping[str, ChannelRule]) -> None:
        self._planner = planner
        self._approvals = approvals
        self._rules = rules

    async def offer(self, kind: ActionKind, target: Target, channel: str) -> Offer:
        """The action as a button, of the object that the words mean."""
        ref = await self._planner.look_up(kind, rule_of(self._rules, channel).applied(target))
        return Offer(kind=kind, ref=ref, label=modals.TITLES[kind])

    async def asked(self, kind: ActionKind, target: Target, channel: str, user: str) -> modals.View:
        """The form for a command."""
        if refusal := self._not_here(kind, target.namespace, channel):
            return refusal
        offer = await self.offer(kind, target, channel)
        return await self.form(Wanted(kind=kind, ref=offer.ref, channel=channel), user)

    async def form(self, wanted: Wanted, user: str) -> modals.View:
        """What would be done, and a field for the reason; or why it cannot be asked for."""
        if refusal := self._not_here(wanted.kind, wanted.ref.namespace, wanted.channel):
            return refusal
        plan = await self._planner.plan(wanted.kind, wanted.ref, wanted.parameters)
        return await self._form(plan, wanted, user)

    async def propose(self, wanted: Wanted, user: str, reason: str) -> modals.View:
        """Goes to the approvers, if it is still what the person has seen; else they see what it is now."""
        plan = await self._planner.plan(wanted.kind, wanted.ref, wanted.parameters)
        if plan.fingerprint != wanted.seen:
            return await self._form(plan, wanted, user, written=reason)
        ask = Ask(
            plan=plan,
            requester=Person(id=user),
            reason=reason,
            channel=wanted.channel,
            thread_ts=wanted.thread_ts,
            cause=wanted.cause,
            evidence=wanted.evidence,
        )
        proposed = await self._approvals.propose(ask)
        if proposed.request is None:
            return modals.refused(modals.TITLES[plan.kind], proposed.refusal, _WHO)
        return modals.asked(proposed.request, joined=proposed.joined)

    async def _form(self, plan: Plan, wanted: Wanted, user: str, written: str = "") -> modals.View:
        ruling = await self._approvals.prospect(plan, Person(id=user), wanted.channel)
        if ruling.rule is None or not ruling.allowed:
            return modals.refused(modals.TITLES[plan.kind], ruling.reason, _WHO)
        asked = replace(wanted, ref=plan.ref, parameters=plan.parameters)
        return modals.ask(plan, asked, ruling.rule, ruling.number, written=written)

    def _not_here(self, kind: ActionKind, namespace: str, channel: str) -> modals.View | None:
        rule = rule_of(self._rules, channel)
        if rule.allows(namespace):
            return None
        return modals.refused(modals.TITLES[kind], *notices.not_here_words(namespace, rule.namespaces))


_WHO = "Ask somebody whom the policy names, or whoever runs token-doctor to change the policy."
