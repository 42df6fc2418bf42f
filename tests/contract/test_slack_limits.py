"""Limits of blocks: the last that fits is taken, the first that does not is refused by its code."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from demo.slack import SlackServer
from demo.slack import people as p
from tests.contract.blocks import (
    Blocks,
    actions,
    button,
    chart,
    confirm,
    mrkdwn,
    options,
    plain,
    rich,
    rich_section,
    section,
    select,
    table,
)


@dataclass(frozen=True)
class Limit:
    """`make(most)` fits and `make(most + 1)` does not; `says` is Slack's sentence about it."""

    make: Callable[[int], Blocks]
    most: int
    says: str


LIMITS: dict[str, Limit] = {
    "blocks": Limit(lambda n: [{"type": "divider"}] * n, 50, "no more than 50 items allowed [json-pointer:/blocks]"),
    "section text": Limit(
        lambda n: [section("x" * n)], 3000, "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ),
    "section fields": Limit(
        lambda n: [{"type": "section", "fields": [mrkdwn("x")] * n}],
        10,
        "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
    ),
    "section field": Limit(
        lambda n: [{"type": "section", "fields": [mrkdwn("x" * n)]}],
        2000,
        "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
    ),
    "header": Limit(
        lambda n: [{"type": "header", "text": plain("x" * n)}],
        150,
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
    ),
    "actions": Limit(
        lambda n: actions(*[button()] * n), 25, "no more than 25 items allowed [json-pointer:/blocks/0/elements]"
    ),
    "context": Limit(
        lambda n: [{"type": "context", "elements": [mrkdwn("x")] * n}],
        10,
        "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "button text": Limit(
        lambda n: actions(button(text=plain("x" * n))),
        75,
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
    ),
    "button value": Limit(
        lambda n: actions(button(value="x" * n)),
        2000,
        "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
    ),
    "button url": Limit(
        lambda n: actions(button(url="x" * n)),
        3000,
        "must be less than 3001 characters [json-pointer:/blocks/0/elements/0/url]",
    ),
    "action_id": Limit(
        lambda n: actions(button(action_id="x" * n)),
        255,
        "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]",
    ),
    "block_id": Limit(
        lambda n: [{"type": "divider", "block_id": "x" * n}],
        255,
        "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
    ),
    "options of a select": Limit(
        lambda n: select(options=options(n)),
        100,
        "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "options of an overflow": Limit(
        lambda n: actions({"type": "overflow", "options": options(n)}),
        5,
        "no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "option text": Limit(
        lambda n: select(options=[{"text": plain("x" * n), "value": "v"}]),
        75,
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/options/0/text/text]",
    ),
    "option value": Limit(
        lambda n: select(options=[{"text": plain("x"), "value": "v" * n}]),
        150,
        "must be less than 151 characters [json-pointer:/blocks/0/elements/0/options/0/value]",
    ),
    "placeholder": Limit(
        lambda n: select(options=options(1), placeholder=plain("x" * n)),
        150,
        "must be less than 151 characters [json-pointer:/blocks/0/elements/0/placeholder/text]",
    ),
    "confirm title": Limit(
        lambda n: confirm(title=plain("x" * n)),
        100,
        "must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]",
    ),
    "confirm text": Limit(
        lambda n: confirm(text=plain("x" * n)),
        300,
        "must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]",
    ),
    "confirm button": Limit(
        lambda n: confirm(deny=plain("x" * n)),
        30,
        "must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/deny/text]",
    ),
    "table rows": Limit(lambda n: table(n, 1), 100, "no more than 100 items allowed [json-pointer:/blocks/0/rows]"),
    "table columns": Limit(lambda n: table(1, n), 20, "no more than 20 items allowed [json-pointer:/blocks/0/rows/0]"),
    "charts": Limit(
        lambda n: [chart() for _ in range(n)], 2, "too many data_visualization blocks [json-pointer:/blocks]"
    ),
    "chart title": Limit(
        lambda n: [chart(title="x" * n)], 50, "must be less than 51 characters [json-pointer:/blocks/0/title]"
    ),
    "chart series": Limit(
        lambda n: [chart(n)], 6, "no more than 6 items allowed [json-pointer:/blocks/0/chart/series]"
    ),
}


async def post(web: AsyncWebClient, blocks: Blocks) -> SlackApiError | None:
    try:
        await web.chat_postMessage(channel=p.INCIDENT, text="x", blocks=blocks)
    except SlackApiError as error:
        return error
    return None


@pytest.mark.parametrize("name", LIMITS)
async def test_the_last_fits_and_the_next_is_refused(slack: SlackServer, web: AsyncWebClient, name: str) -> None:
    limit = LIMITS[name]
    assert await post(web, limit.make(limit.most)) is None
    error = await post(web, limit.make(limit.most + 1))
    assert error is not None
    assert error.response["error"] == "invalid_blocks"
    assert limit.says in error.response["errors"]
    assert f"[ERROR] {limit.says}" in error.response["response_metadata"]["messages"]
    assert len(slack.messages(p.INCIDENT)) == 1


UNSOUND: dict[str, tuple[Blocks, str]] = {
    "no type": ([{"text": plain("x")}], "missing required field: type [json-pointer:/blocks/0]"),
    "unknown type": ([{"type": "banner"}], "unsupported type: banner [json-pointer:/blocks/0/type]"),
    "alert in a message": (
        [{"type": "alert", "text": plain("x")}],
        "unsupported type: alert [json-pointer:/blocks/0/type]",
    ),
    "unknown key": (
        [{"type": "divider", "colour": "red"}],
        "invalid additional property: colour [json-pointer:/blocks/0]",
    ),
    "unknown element": (
        actions({"type": "slider"}),
        "unsupported type: slider [json-pointer:/blocks/0/elements/0/type]",
    ),
    "input element in actions": (
        actions({"type": "plain_text_input"}),
        "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]",
    ),
    "section of nothing": ([{"type": "section"}], "missing required field: text [json-pointer:/blocks/0]"),
    "empty text": ([section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    "text that is no object": (
        [{"type": "header", "text": "x"}],
        "must provide an object [json-pointer:/blocks/0/text]",
    ),
    "mrkdwn header": (
        [{"type": "header", "text": mrkdwn("x")}],
        "must be a valid enum value [json-pointer:/blocks/0/text/type]",
    ),
    "button without text": (
        actions({"type": "button"}),
        "missing required field: text [json-pointer:/blocks/0/elements/0]",
    ),
    "button style": (
        actions(button(style="warning")),
        "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]",
    ),
    "same block_id twice": (
        [{"type": "divider", "block_id": "a"}] * 2,
        '`block_id` "a" already exists [json-pointer:/blocks/1/block_id]',
    ),
    "same action_id twice": (
        actions(button(action_id="a"), button(action_id="a")),
        '`action_id` "a" already exists [json-pointer:/blocks/0/elements/1/action_id]',
    ),
    "rich text group": (
        rich({"type": "rich_text_table", "elements": []}),
        "unsupported type: rich_text_table [json-pointer:/blocks/0/elements/0/type]",
    ),
    "rich text leaf": (
        rich_section({"type": "video"}),
        "unsupported type: video [json-pointer:/blocks/0/elements/0/elements/0/type]",
    ),
    "rich text user without an id": (
        rich_section({"type": "user"}),
        "missing required field: user_id [json-pointer:/blocks/0/elements/0/elements/0]",
    ),
    "rich text of no characters": (
        rich_section({"type": "text", "text": ""}),
        "must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]",
    ),
    "list item that is no section": (
        rich({"type": "rich_text_list", "style": "bullet", "elements": [{"type": "text", "text": "x"}]}),
        "must be a valid enum value [json-pointer:/blocks/0/elements/0/elements/0/type]",
    ),
    "list without a style": (
        rich({"type": "rich_text_list", "elements": []}),
        "missing required field: style [json-pointer:/blocks/0/elements/0]",
    ),
    "empty cell": (
        [{"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]}],
        "must be more than 0 characters [json-pointer:/blocks/0/rows/0/0/text]",
    ),
    "data table without a caption": (
        [{"type": "data_table", "rows": table(2, 1)[0]["rows"]}],
        "missing required field: caption [json-pointer:/blocks/0]",
    ),
    "chart with a label of its own": (
        [chart(chart=chart()["chart"] | {"axis_config": {"categories": ["Mon", "Wed"]}})],
        "labels must match the categories [json-pointer:/blocks/0/chart/series/0/data]",
    ),
}


@pytest.mark.parametrize("name", UNSOUND)
async def test_unsound_blocks_are_refused_at_their_place(web: AsyncWebClient, name: str) -> None:
    blocks, says = UNSOUND[name]
    error = await post(web, blocks)
    assert error is not None
    assert error.response["error"] == "invalid_blocks"
    assert says in error.response["errors"]


async def test_sound_blocks_of_every_kind_are_taken(slack: SlackServer, web: AsyncWebClient) -> None:
    leaves: Blocks = [
        {"type": "text", "text": "x", "style": {"bold": True, "code": True}},
        {"type": "link", "url": "https://shop.example", "text": "shop"},
        {"type": "emoji", "name": "eyes"},
        {"type": "user", "user_id": p.ENGINEER},
        {"type": "usergroup", "usergroup_id": p.ON_CALL},
        {"type": "channel", "channel_id": p.INCIDENT},
    ]
    line = {"type": "rich_text_section", "elements": leaves}
    blocks: Blocks = [
        *rich(
            line,
            {"type": "rich_text_list", "style": "ordered", "indent": 1, "elements": [line]},
            {"type": "rich_text_quote", "elements": leaves},
            {"type": "rich_text_preformatted", "elements": leaves[:2], "border": 0},
        ),
        section("x") | {"accessory": {"type": "overflow", "options": options(2)}},
        {"type": "image", "image_url": "https://shop.example/x.png", "alt_text": "x", "title": plain("x")},
        {"type": "markdown", "text": "# x"},
        {"type": "data_table", "caption": "Expiring", "rows": table(3, 2)[0]["rows"], "page_size": 5},
        {
            "type": "data_visualization",
            "title": "By namespace",
            "chart": {"type": "pie", "segments": [{"label": "shop", "value": 3}]},
        },
        *actions(
            {"type": "datepicker", "initial_date": "2030-01-01"},
            {"type": "checkboxes", "options": options(2)},
            {"type": "radio_buttons", "options": options(2)},
            {"type": "multi_users_select", "max_selected_items": 2},
        ),
    ]
    assert await post(web, blocks) is None
    shown = slack.messages(p.INCIDENT)[0].blocks
    assert len({block["block_id"] for block in shown}) == len(blocks)
    assert all(element["action_id"] for element in shown[-1]["elements"])


async def test_a_second_table_has_a_code_of_its_own(web: AsyncWebClient) -> None:
    error = await post(web, table(1, 1) * 2)
    assert error is not None
    assert error.response["error"] == "invalid_attachments"
    assert error.response["response_metadata"]["messages"] == ["[ERROR] only_one_table_allowed"]


async def test_all_blocks_together_have_a_cap(web: AsyncWebClient) -> None:
    assert await post(web, [section("x" * 2_950)] * 3 + [section("x" * 500)]) is None
    error = await post(web, [section("x" * 3_000)] * 3 + [section("x" * 900)])
    assert error is not None
    assert error.response["error"] == "msg_blocks_too_long"


async def test_updates_and_ephemerals_are_held_to_the_same_limits(web: AsyncWebClient) -> None:
    posted = await web.chat_postMessage(channel=p.INCIDENT, text="x")
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await web.chat_update(channel=p.INCIDENT, ts=posted["ts"], text="x", blocks=[section("")])
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await web.chat_postEphemeral(channel=p.INCIDENT, user=p.ENGINEER, text="x", blocks=[section("")])
