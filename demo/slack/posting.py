"""Content of a message: what Slack makes of the text and blocks an app sends."""

import re
import secrets

from demo.slack import arguments as args
from demo.slack.block_limits import check_message_blocks
from demo.slack.errors import JsonObject, SlackError
from demo.slack.workspace import Blocks

TEXT_CHARACTERS = 40_000  # chat.postMessage cuts longer texts
UPDATE_BYTES = 4_000  # chat.update refuses longer ones: msg_too_long, counted after escaping


def with_block_ids(blocks: Blocks) -> Blocks:
    """Slack gives a block_id to each block that has none, and an action_id to each such element."""
    return [{"block_id": _short_id(), **_with_action_ids(block)} for block in blocks]


def _with_action_ids(block: JsonObject) -> JsonObject:
    filled = {key: value for key, value in block.items() if value is not None}
    if filled["type"] == "actions":
        filled["elements"] = [{"action_id": _short_id(), **element} for element in block["elements"]]
    for key in ("accessory", "element"):
        if key in filled and filled[key]["type"] != "image":
            filled[key] = {"action_id": _short_id(), **filled[key]}
    return filled


def _short_id() -> str:
    return secrets.token_urlsafe(4)[:5]


def escaped(text: str) -> str:
    """A bare ampersand is stored escaped; what the app escaped itself stays as it is."""
    return re.sub(r"&(?!amp;|lt;|gt;)", "&amp;", text)


def unescaped(text: str) -> str:
    """Blocks hold text as it was written; only a message's `text` is escaped."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def read_blocks(arguments: JsonObject) -> Blocks | None:
    """None when the call says nothing of blocks, which chat.update reads as: leave none behind."""
    blocks = args.decoded(arguments, "blocks", "invalid_blocks_format")
    if blocks is None:
        return None
    check_message_blocks(blocks)
    return with_block_ids(blocks)


def read_content(arguments: JsonObject) -> tuple[str, Blocks]:
    """Text and blocks of a new message. Raises SlackError `no_text` and the refusals of blocks."""
    if args.decoded(arguments, "attachments", "invalid_attachments"):
        raise SlackError("invalid_attachments")  # legacy; the stand-in serves blocks only
    text = escaped(args.text(arguments, "text"))
    blocks = read_blocks(arguments) or []
    if not text and not blocks:
        raise SlackError("no_text")
    return text[:TEXT_CHARACTERS], blocks


def composer_blocks(text: str) -> Blocks:
    """What Slack's own composer makes of a person's message: one rich_text block, mentions as elements."""
    elements: list[JsonObject] = []
    position = 0
    for match in re.finditer(r"<(?:@(U\w+)|#(C\w+)(?:\|[^>]*)?|!subteam\^(S\w+)|(https?://[^>|]+))>", text):
        if match.start() > position:
            elements.append({"type": "text", "text": unescaped(text[position : match.start()])})
        user, channel, group, url = match.groups()
        if user:
            elements.append({"type": "user", "user_id": user})
        elif channel:
            elements.append({"type": "channel", "channel_id": channel})
        elif group:
            elements.append({"type": "usergroup", "usergroup_id": group})
        else:
            elements.append({"type": "link", "url": unescaped(url)})
        position = match.end()
    if position < len(text):
        elements.append({"type": "text", "text": unescaped(text[position:])})
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": _short_id(), "elements": [section]}]
