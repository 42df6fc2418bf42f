"""Clicks on buttons: acknowledged first, then a modal."""

import re
from functools import partial
from typing import Any

from msgspec.structs import replace
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.blocks import modals, values
from bot.blocks.finding import quoted_in
from bot.blocks.request import ACT, APPROVE, CANCEL, DENY
from handlers import decisions
from handlers.forms import Forms, press_of
from handlers.remedies import Remedies


def register(app: AsyncApp, forms: Forms, remedies: Remedies, decided: decisions.Decisions) -> None:
    async def act(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        press = press_of(body)
        wanted = values.read(action.get("value"), values.Wanted)
        if wanted is None:
            forms.say(press, modals.unknown())
            return
        message = body.get("message") or {}
        evidence = quoted_in(message.get("blocks")) if wanted.cause else ""
        placed = replace(wanted, channel=press.channel, thread_ts=press.thread_ts, evidence=evidence)
        forms.take(press, modals.TITLES[wanted.kind], partial(remedies.form, placed, press.user))

    async def decide(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        press = press_of(body)
        question = values.Question(request=str(action.get("value", "")), verb=str(action.get("action_id", "")))
        forms.take(press, decisions.TITLES[question.verb], partial(decided.form, question, press.user))

    app.action(re.compile(rf"{ACT}:\d"))(act)
    for verb in (APPROVE, DENY, CANCEL):
        app.action(verb)(decide)


def register_rest(app: AsyncApp, forms: Forms, answer: modals.View) -> None:
    """Buttons and forms that nobody else listens to get this answer: an old one is never ignored. Call it last."""

    async def pressed(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        forms.say(press_of(body), answer)

    async def filled(ack: AsyncAck) -> None:
        await ack(response_action="update", view=answer)

    app.action(re.compile(r".+", re.DOTALL))(pressed)
    app.view(re.compile(r".+", re.DOTALL))(filled)
