"""Modals that were filled in: a mistake is told beside its field, the rest in the modal once it is done."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.blocks import modals, values
from bot.blocks.limits import REASON
from bot.blocks.request import DENY
from bot.redact import holds_token
from handlers.decisions import TITLES, Decisions
from handlers.forms import Forms, press_of
from handlers.remedies import Remedies

Do = Callable[[], Awaitable[modals.View]]


def register(app: AsyncApp, forms: Forms, remedies: Remedies, decisions: Decisions) -> None:
    async def filled(ack: AsyncAck, body: dict[str, Any], mistake: str, title: str, do: Do) -> None:
        """The modal stays open and says that it is worked on; then what came of it."""
        if mistake:
            await ack(response_action="errors", errors={modals.WHY: mistake})
            return
        modal, waiting = forms.waiting(title)
        await ack(response_action="update", view=waiting)
        forms.take(press_of(body, modal=modal), title, do)

    async def ask(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        wanted = values.read(view.get("private_metadata"), values.Wanted)
        if wanted is None:
            await ack(response_action="update", view=modals.unknown())
            return
        reason = _reason(view)
        do = partial(remedies.propose, wanted, press_of(body).user, reason)
        await filled(ack, body, _mistake(reason, needed=True), modals.TITLES[wanted.kind], do)

    async def decide(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        question = values.read(view.get("private_metadata"), values.Question)
        if question is None or question.verb not in TITLES:
            await ack(response_action="update", view=modals.unknown())
            return
        reason = _reason(view)
        do = partial(decisions.say, question, press_of(body).user, reason)
        await filled(ack, body, _mistake(reason, needed=question.verb == DENY), TITLES[question.verb], do)

    app.view(modals.ASK)(ask)
    app.view(modals.DECIDE)(decide)


def field(view: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What stands in the field: Slack sorts it by block and by field, which have one name here."""
    entered = ((view.get("state") or {}).get("values") or {}).get(name) or {}
    return entered.get(name) or {}


def _mistake(reason: str, *, needed: bool) -> str:
    """What is wrong with a reason, "" for nothing. A token is neither kept nor shown."""
    if holds_token(reason):
        return "That looks like a token, and Slack is never given one. Revoke it, and write the reason without it."
    if needed and not reason:
        return "Say why: whoever decides has nothing else to go by."
    return f"At most {REASON} characters." if len(reason) > REASON else ""


def _reason(view: Mapping[str, Any]) -> str:
    return " ".join(str(field(view, modals.WHY).get("value") or "").split())
