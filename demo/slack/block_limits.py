"""Which blocks a message, a modal and a home tab take, and Slack's refusals of the rest."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping

from demo.slack.data_limits import CHARTS, DATA_TABLE, DATA_VISUALIZATION, TABLE
from demo.slack.element_limits import ACCESSORY, ACTION, CONTEXT, INPUT, SLACK_FILE, URL
from demo.slack.errors import JsonObject, SlackError
from demo.slack.rich_text_limits import RICH_TEXT
from demo.slack.schema import (
    Check,
    Problem,
    Shape,
    anything,
    array,
    boolean,
    one_of,
    plain_text,
    problem,
    string,
    text_object,
    typed,
)

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_CHARACTERS = 10_000  # undocumented: 9 597 passed and 11 341 were refused (msg_blocks_too_long)
MARKDOWN_CHARACTERS = 12_000  # of all markdown blocks of a message together
VIEW_BYTES = 250_000


def _block(fields: Mapping[str, Check], required: tuple[str, ...] = (), any_of: tuple[str, ...] = ()) -> Check:
    return Shape({"type": anything, "block_id": string(255), **fields}, required=required, any_of=any_of)


VIDEO: dict[str, Check] = {
    "alt_text": string(2000),
    "author_name": string(49),
    "description": plain_text(200),
    "provider_icon_url": URL,
    "provider_name": string(255),
    "thumbnail_url": URL,
    "title": plain_text(199),
    "title_url": URL,
    "video_url": URL,
}

BLOCKS: dict[str, Check] = {
    "section": _block(
        {"text": text_object(3000), "fields": array(text_object(2000), 10), "accessory": ACCESSORY, "expand": boolean},
        any_of=("text", "fields"),
    ),
    "header": _block({"text": plain_text(150)}, required=("text",)),
    "divider": _block({}),
    "image": _block(
        {"image_url": URL, "slack_file": SLACK_FILE, "alt_text": string(2000), "title": plain_text(2000)},
        required=("alt_text",),
        any_of=("image_url", "slack_file"),
    ),
    "actions": _block({"elements": array(ACTION, 25)}, required=("elements",)),
    "context": _block({"elements": array(CONTEXT, 10)}, required=("elements",)),
    "input": _block(
        {
            "label": plain_text(2000),
            "element": INPUT,
            "hint": plain_text(2000),
            "optional": boolean,
            "dispatch_action": boolean,
        },
        required=("label", "element"),
    ),
    "rich_text": RICH_TEXT,
    "markdown": _block({"text": string(MARKDOWN_CHARACTERS)}, required=("text",)),
    "table": TABLE,
    "data_table": DATA_TABLE,
    "data_visualization": DATA_VISUALIZATION,
    "video": _block(VIDEO, required=("alt_text", "thumbnail_url", "title", "video_url")),
    "alert": _block(
        {"text": text_object(3000), "level": one_of("default", "info", "warning", "error", "success")},
        required=("text",),
    ),
}

MESSAGES_ONLY = frozenset({"markdown", "table", "data_table", "data_visualization"})
COMMON = frozenset(BLOCKS) - MESSAGES_ONLY - {"alert"}
SURFACES: dict[str, frozenset[str]] = {"message": COMMON | MESSAGES_ONLY, "modal": COMMON | {"alert"}, "home": COMMON}


def check_message_blocks(blocks: object) -> None:
    """Raises SlackError `invalid_blocks_format`, `invalid_blocks` or `msg_blocks_too_long`."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise SlackError("invalid_blocks_format")
    if sum(block.get("type") in ("table", "data_table") for block in blocks) > 1:
        raise SlackError("invalid_attachments", {"response_metadata": {"messages": ["[ERROR] only_one_table_allowed"]}})
    problems = list(_blocks(blocks, "/blocks", "message", MESSAGE_BLOCKS))
    markdown = sum(len(str(block.get("text", ""))) for block in blocks if block.get("type") == "markdown")
    if markdown > MARKDOWN_CHARACTERS:
        problems.append(problem(f"must be less than {MARKDOWN_CHARACTERS + 1} characters", "/blocks"))
    if problems:
        lines = [f"[ERROR] {line}" for line in problems]
        raise SlackError("invalid_blocks", {"errors": problems, "response_metadata": {"messages": lines}})
    if characters(blocks) > MESSAGE_CHARACTERS:
        raise SlackError("msg_blocks_too_long")


def characters(blocks: object) -> int:
    """The size Slack's cap is measured against: the blocks as compact JSON, in characters."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))


def _blocks(blocks: list[JsonObject], path: str, surface: str, most: int) -> Iterator[Problem]:
    yield from array(typed(BLOCKS, SURFACES[surface]), most, least=0)(blocks, path)
    seen: Counter[str] = Counter()
    for index, block in enumerate(blocks):
        block_id = block.get("block_id")
        if isinstance(block_id, str):
            seen[block_id] += 1
            if seen[block_id] > 1:
                yield problem(f'`block_id` "{block_id}" already exists', f"{path}/{index}/block_id")
        yield from _unique_actions(block, f"{path}/{index}")
    charts = sum(block.get("type") == "data_visualization" for block in blocks)
    if charts > CHARTS:
        yield problem("too many data_visualization blocks", path)


def _unique_actions(block: JsonObject, path: str) -> Iterator[Problem]:
    elements = block.get("elements")
    if block.get("type") != "actions" or not isinstance(elements, list):
        return
    seen: set[str] = set()
    for index, element in enumerate(elements):
        action_id = element.get("action_id") if isinstance(element, dict) else None
        if not isinstance(action_id, str):
            continue
        if action_id in seen:
            yield problem(f'`action_id` "{action_id}" already exists', f"{path}/elements/{index}/action_id")
        seen.add(action_id)


VIEW_FIELDS: dict[str, Check] = {
    "type": one_of("modal", "home"),
    "blocks": anything,
    "private_metadata": string(3000, least=0),
    "callback_id": string(255, least=0),
    "external_id": string(255, least=0),
}
MODAL = Shape(
    {
        **VIEW_FIELDS,
        "title": plain_text(24),
        "submit": plain_text(24),
        "close": plain_text(24),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
    required=("type", "title", "blocks"),
)
HOME = Shape(VIEW_FIELDS, required=("type", "blocks"))


def check_view(view: object, surface: str) -> JsonObject:
    """The view itself when it is sound. Raises SlackError `invalid_arguments`, `view_too_large`."""
    problems = list(_view(view, surface))
    if problems or not isinstance(view, dict):
        lines = [f"[ERROR] {line}" for line in problems]
        raise SlackError("invalid_arguments", {"response_metadata": {"messages": lines}})
    if characters(view) > VIEW_BYTES:
        raise SlackError("view_too_large")
    return view


def _view(view: object, surface: str) -> Iterator[Problem]:
    if not isinstance(view, dict):
        yield problem("must provide an object", "/view")
        return
    if view.get("type") != surface:
        yield problem(f"unsupported type: {view.get('type')}", "/view/type")
        return
    yield from (MODAL if surface == "modal" else HOME)(view, "/view")
    blocks = view.get("blocks")
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        yield problem("must provide an array", "/view/blocks")
        return
    yield from _blocks(blocks, "/view/blocks", surface, VIEW_BLOCKS)
    has_input = any(block.get("type") == "input" for block in blocks)
    if surface == "modal" and has_input and view.get("submit") is None:
        yield problem("missing required field: submit", "/view")
