"""The buttons of a digest's items, and the form behind them."""

from datetime import date, timedelta
from functools import partial
from typing import Any

from msgspec.structs import replace
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.blocks import modals, snoozing, values
from bot.blocks.digest_items import ACKNOWLEDGE, SNOOZE, WAKE
from bot.durations import day_of
from handlers.fields import field, mistake, written
from handlers.forms import Forms, press_of
from handlers.snoozes import WAKE_TITLE, Snoozes

_NO_DIGESTS = "No digest is configured any more, so there is nothing to keep quiet."
_ADD_ONE = "Whoever runs token-doctor adds one under `digests` in its configuration."
_UNSAID = "Say why: whoever reads the digest has nothing else to go by."


def register(app: AsyncApp, forms: Forms, snoozes: Snoozes) -> None:
    async def quiet(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        watched = values.read(action.get("value"), values.Watched)
        if watched is None:
            forms.say(press_of(body), modals.unknown())
            return
        asked = replace(watched, acknowledged=action.get("action_id") == ACKNOWLEDGE)
        title = snoozing.title(acknowledged=asked.acknowledged)
        forms.take(press_of(body), title, partial(snoozes.form, asked))

    async def wake(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        press = press_of(body)
        watched = values.read(action.get("value"), values.Watched)
        if watched is None:
            forms.say(press, modals.unknown())
        else:
            forms.take(press, WAKE_TITLE, partial(snoozes.wake, watched, press.user))

    async def filled(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        watched = values.read(view.get("private_metadata"), values.Watched)
        if watched is None:
            await ack(response_action="update", view=modals.unknown())
            return
        reason = written(view, snoozing.WHY)
        until, wrong = _day(str(field(view, snoozing.UNTIL).get("selected_date") or ""), snoozes.today(watched))
        mistakes = {snoozing.WHY: mistake(reason, unsaid=_UNSAID), snoozing.UNTIL: wrong}
        if any(mistakes.values()) or until is None:
            await ack(response_action="errors", errors={name: said for name, said in mistakes.items() if said})
            return
        do = partial(snoozes.keep_quiet, watched, press_of(body).user, until, reason)
        await forms.submitted(ack, body, snoozing.title(acknowledged=watched.acknowledged), do)

    for action in (SNOOZE, ACKNOWLEDGE):
        app.action(action)(quiet)
    app.action(WAKE)(wake)
    app.view(snoozing.QUIET)(filled)


def register_none(app: AsyncApp, forms: Forms) -> None:
    """Where nothing is remembered: an old digest's buttons are answered all the same."""

    async def pressed(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        forms.say(press_of(body), modals.refused("token-doctor", _NO_DIGESTS, _ADD_ONE))

    for action in (SNOOZE, ACKNOWLEDGE, WAKE):
        app.action(action)(pressed)


def _day(text: str, today: date) -> tuple[date | None, str]:
    """The day, or what is wrong with it."""
    day = day_of(text)
    if day is None:
        return None, "Choose a day."
    if day <= today:
        return None, "Choose a day to come."
    if day > today + timedelta(days=snoozing.MOST_DAYS):
        return None, f"At most {snoozing.MOST_DAYS} days ahead: nothing is kept quiet for good."
    return day, ""
