"""The message shortcut “Check tokens here”: the targets that an alert names, one of them checked in its thread."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.blocks import modals, values
from handlers import words
from handlers.alerts import targets_in
from handlers.desk import Desk
from handlers.fields import field
from handlers.forms import Forms, Press, press_of
from handlers.places import Ask

SHORTCUT = "check_here"
"""The callback_id that the app's manifest names."""

TITLE = "Check tokens here"
_NOTHING = "No pod, workload or service account is named in this message, or not with its namespace."


class Alerts:
    """`clusters` are those that are configured; `address` is how a command is written."""

    def __init__(self, forms: Forms, desk: Desk, clusters: Collection[str]) -> None:
        self._forms = forms
        self._desk = desk
        self._clusters = clusters

    def open(self, press: Press, message: Mapping[str, Any]) -> None:
        self._forms.take(press, TITLE, partial(self._choices, press, message))

    def check(self, press: Press, chosen: values.Chosen, option: str) -> None:
        """Checks the one that was chosen. What is no number of one is a forged choice, and checks nothing."""
        targets = dict(zip(map(str, range(len(chosen.targets))), chosen.targets, strict=True))
        if option in targets:
            ask = Ask(
                id=press.id,
                user=press.user,
                channel=chosen.channel,
                thread_ts=chosen.thread_ts,
                response_url=chosen.response_url,
            )
            self._desk.serve(ask, words.Check(targets[option]))

    async def _choices(self, press: Press, message: Mapping[str, Any]) -> modals.View:
        found = targets_in(message, self._clusters)
        if not found:
            return modals.refused(TITLE, _NOTHING, "Name it yourself: `/token check namespace/name`.")
        place = values.Chosen(
            targets=found, channel=press.channel, thread_ts=press.thread_ts, response_url=press.response_url
        )
        return modals.choose(place)


def register(app: AsyncApp, alerts: Alerts) -> None:
    async def check_here(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        alerts.open(press_of(body), body.get("message") or {})

    async def choose(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        chosen = values.read(view.get("private_metadata"), values.Chosen)
        if chosen is None:
            await ack(response_action="update", view=modals.unknown())
            return
        await ack()
        option = field(view, modals.TARGET).get("selected_option") or {}
        alerts.check(press_of(body), chosen, str(option.get("value")))

    app.shortcut(SHORTCUT)(check_here)
    app.view(modals.CHOOSE)(choose)
