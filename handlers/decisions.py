"""Approving, denying, cancelling: the request as it stands, a reason, and the word counted, or why it is not."""

from bot.actions.approvals import Approvals
from bot.actions.withdrawal import Decided
from bot.blocks import modals
from bot.blocks.request import APPROVE, CANCEL, Shown
from bot.blocks.values import Question
from bot.model import Person, Request, State
from bot.store import Store

TITLES = {"approve": "Approve", "deny": "Deny", "cancel": "Cancel the request"}
_GONE = "There is no such request any more: it ended long ago, or was made elsewhere."


class Decisions:
    """Each method gives what the modal shows. Old, doubled and forged clicks get the present state."""

    def __init__(self, store: Store, approvals: Approvals) -> None:
        self._store = store
        self._approvals = approvals

    async def form(self, question: Question, user: str) -> modals.View:
        """What it is about and a field for the reason; or why there is nothing to say."""
        request = await self._store.requests.get(question.request)
        if request is None:
            return modals.refused(TITLES[question.verb], _GONE)
        why = await self._why_not(request, question, user)
        shown = await self._shown(request)
        return modals.present(shown, question.verb, why) if why else modals.question(shown, question.verb)

    async def say(self, question: Question, user: str, reason: str) -> modals.View:
        """The word is counted."""
        decided = await self._decided(question, Person(id=user), reason)
        if decided.request is None:
            return modals.refused(TITLES[question.verb], _GONE)
        shown = await self._shown(decided.request)
        if decided.counted:
            return modals.said(shown, question.verb)
        return modals.present(shown, question.verb, decided.why)

    async def _decided(self, question: Question, person: Person, reason: str) -> Decided:
        if question.verb == CANCEL:
            return await self._approvals.cancel(question.request, person, reason)
        approves = question.verb == APPROVE
        return await self._approvals.decide(question.request, person, approves=approves, reason=reason)

    async def _why_not(self, request: Request, question: Question, user: str) -> str:
        """Said before they write a reason; whether it counts is decided at the end."""
        cancels = question.verb == CANCEL
        open_ = {State.PENDING, State.APPROVED} if cancels else {State.PENDING}
        if request.state not in open_:
            return "That is over." if request.state.is_final else f"It is {request.state} already."
        if cancels and user == request.requester.id:
            return ""
        approves = question.verb == APPROVE
        ruling = await self._approvals.may_decide(request, Person(id=user), approves=approves)
        return "" if ruling.allowed else ruling.reason

    async def _shown(self, request: Request) -> Shown:
        return Shown(request, await self._store.requests.votes(request.id))
