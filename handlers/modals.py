"""Modals that were filled in: a mistake is told beside its field, the rest in the modal once it is done."""

from functools import partial
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.blocks import modals, values
from bot.blocks.request import DENY
from handlers.decisions import TITLES, Decisions
from handlers.fields import mistake, written
from handlers.forms import Do, Forms, press_of
from handlers.remedies import Remedies

_UNSAID = "Say why: whoever decides has nothing else to go by."


def register(app: AsyncApp, forms: Forms, remedies: Remedies, decisions: Decisions) -> None:
    async def filled(ack: AsyncAck, body: dict[str, Any], wrong: str, title: str, do: Do) -> None:
        if wrong:
            await ack(response_action="errors", errors={modals.WHY: wrong})
        else:
            await forms.submitted(ack, body, title, do)

    async def ask(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        wanted = values.read(view.get("private_metadata"), values.Wanted)
        if wanted is None:
            await ack(response_action="update", view=modals.unknown())
            return
        reason = written(view, modals.WHY)
        do = partial(remedies.propose, wanted, press_of(body).user, reason)
        await filled(ack, body, mistake(reason, unsaid=_UNSAID), modals.TITLES[wanted.kind], do)

    async def decide(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        question = values.read(view.get("private_metadata"), values.Question)
        if question is None or question.verb not in TITLES:
            await ack(response_action="update", view=modals.unknown())
            return
        reason = written(view, modals.WHY)
        do = partial(decisions.say, question, press_of(body).user, reason)
        wrong = mistake(reason, unsaid=_UNSAID if question.verb == DENY else "")
        await filled(ack, body, wrong, TITLES[question.verb], do)

    app.view(modals.ASK)(ask)
    app.view(modals.DECIDE)(decide)
