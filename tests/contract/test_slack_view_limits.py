"""Limits of modals: the last that fits is opened, the first that does not is refused with its place."""

from collections.abc import Callable

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from demo.slack import SlackServer
from demo.slack import people as p
from tests.contract.blocks import Json, chart, mrkdwn, plain, table


def modal(**more: object) -> Json:
    return {"type": "modal", "title": plain("Ask"), "blocks": [{"type": "divider"}]} | more


VIEWS: dict[str, tuple[Callable[[int], Json], int, str]] = {
    "title": (lambda n: modal(title=plain("x" * n)), 24, "less than 25 characters [json-pointer:/view/title/text]"),
    "submit": (lambda n: modal(submit=plain("x" * n)), 24, "less than 25 characters [json-pointer:/view/submit/text]"),
    "close": (lambda n: modal(close=plain("x" * n)), 24, "less than 25 characters [json-pointer:/view/close/text]"),
    "private_metadata": (
        lambda n: modal(private_metadata="x" * n),
        3000,
        "less than 3001 characters [json-pointer:/view/private_metadata]",
    ),
    "callback_id": (
        lambda n: modal(callback_id="x" * n),
        255,
        "less than 256 characters [json-pointer:/view/callback_id]",
    ),
    "blocks": (
        lambda n: modal(blocks=[{"type": "divider"}] * n),
        100,
        "no more than 100 items allowed [json-pointer:/view/blocks]",
    ),
}


@pytest.mark.parametrize("name", VIEWS)
async def test_limits_of_a_modal(slack: SlackServer, web: AsyncWebClient, name: str) -> None:
    make, most, says = VIEWS[name]
    await web.views_open(trigger_id=slack.triggers.issue(p.ENGINEER), view=make(most))
    with pytest.raises(SlackApiError) as caught:
        await web.views_open(trigger_id=slack.triggers.issue(p.ENGINEER), view=make(most + 1))
    assert caught.value.response["error"] == "invalid_arguments"
    assert any(line.endswith(says) for line in caught.value.response["response_metadata"]["messages"])


async def test_what_a_modal_takes_and_a_message_does_not(slack: SlackServer, web: AsyncWebClient) -> None:
    alert = {"type": "alert", "level": "warning", "text": mrkdwn("*careful*")}
    await web.views_open(trigger_id=slack.triggers.issue(p.ENGINEER), view=modal(blocks=[alert]))
    for block in (table(1, 1)[0], chart()):
        with pytest.raises(SlackApiError, match="invalid_arguments"):
            await web.views_open(trigger_id=slack.triggers.issue(p.ENGINEER), view=modal(blocks=[block]))


async def test_an_input_demands_a_submit_button(slack: SlackServer, web: AsyncWebClient) -> None:
    reason = {"type": "input", "label": plain("Why"), "element": {"type": "plain_text_input"}}
    with pytest.raises(SlackApiError) as caught:
        await web.views_open(trigger_id=slack.triggers.issue(p.ENGINEER), view=modal(blocks=[reason]))
    lines = caught.value.response["response_metadata"]["messages"]
    assert lines == ["[ERROR] missing required field: submit [json-pointer:/view]"]


async def test_a_refused_view_does_not_spend_the_trigger(slack: SlackServer, web: AsyncWebClient) -> None:
    trigger = slack.triggers.issue(p.ENGINEER)
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await web.views_open(trigger_id=trigger, view=modal(title=plain("x" * 25)))
    await web.views_open(trigger_id=trigger, view=modal())
