"""The few Block Kit pieces that are used. Untrusted text goes into plain_text and rich_text only."""

import re
from collections.abc import Sequence
from datetime import date, datetime

from bot.blocks.limits import BUTTON, CONTEXT, HEADER, LABEL, OPTION, TITLE, Block, cut, fallback, one_line
from bot.durations import utc
from bot.model import Person

_MOST_MARKS = 6  # a text of backticks only must not become a hundred leaves
_SLACK_USER = re.compile(r"[UW][A-Z0-9]{6,}")

Leaf = dict[str, object]
Group = dict[str, object]


def sentence(words: str) -> str:
    """With a capital and a full stop: what was a part of a sentence stands alone here."""
    words = f"{words[:1].upper()}{words[1:]}"
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": one_line(text, HEADER), "emoji": False}}


def context(*texts: str, asker: str = "") -> Block:
    """Small print. The asker is an id that Slack gave; everything else is plain text. One of them is needed."""
    elements: list[Leaf] = []
    if asker:
        elements.append({"type": "mrkdwn", "text": f"Asked by <@{asker}>"})
    elements += [{"type": "plain_text", "text": one_line(text, CONTEXT), "emoji": False} for text in texts]
    return {"type": "context", "elements": elements}


def rich(*groups: Group) -> Block:
    return {"type": "rich_text", "elements": list(groups)}


def markdown(text: str) -> Block:
    """Standard Markdown, for texts of our own only."""
    return {"type": "markdown", "text": text}


def line(*leaves: Leaf) -> Group:
    return {"type": "rich_text_section", "elements": list(leaves)}


def quoted(text: str, most: int) -> Group:
    """Preformatted: a log line as it was written."""
    return {"type": "rich_text_preformatted", "elements": [words(text.strip("\n"), most)]}


def bullets(items: Sequence[Group]) -> Group:
    return {"type": "rich_text_list", "style": "bullet", "elements": list(items)}


def words(text: str, most: int = 600) -> Leaf:
    return {"type": "text", "text": cut(text, most)}


def prose(text: str, most: int = 900) -> list[Leaf]:
    """Text in which `backticks` mark code, as they do in our own sentences."""
    parts = cut(text, most).split("`", _MOST_MARKS)
    return [code(part) if index % 2 else words(part, most) for index, part in enumerate(parts) if part.strip()]


def bold(text: str, most: int = 300) -> Leaf:
    return {"type": "text", "text": one_line(text, most), "style": {"bold": True}}


def italic(text: str, most: int = 300) -> Leaf:
    return {"type": "text", "text": one_line(text, most), "style": {"italic": True}}


def code(text: str, most: int = 300) -> Leaf:
    return {"type": "text", "text": one_line(text, most), "style": {"code": True}}


def person(user: str) -> Leaf:
    return {"type": "user", "user_id": user}


def named(who: Person) -> Leaf:
    """A mention; somebody who is no person of Slack (a terminal's user, the bot's own part) by name."""
    return person(who.id) if _SLACK_USER.fullmatch(who.id) else words(one_line(who.name or who.id, 80))


def mention(who: Person) -> str:
    """The same in a message's text."""
    return f"<@{who.id}>" if _SLACK_USER.fullmatch(who.id) else fallback(one_line(who.name or who.id, 80))


def group(id_: str) -> Leaf:
    """A user group (S…), or a person."""
    return {"type": "usergroup", "usergroup_id": id_} if id_.startswith("S") else person(id_)


def group_mention(id_: str) -> str:
    """The same in a message's text."""
    return f"<!subteam^{id_}>" if id_.startswith("S") else f"<@{id_}>"


def channel(id_: str) -> Leaf:
    return {"type": "channel", "channel_id": id_}


def link(url: str, text: str) -> Leaf:
    return {"type": "link", "url": url, "text": one_line(text, 100)}


def moment(at: datetime) -> Leaf:
    """An instant, shown to each reader in their own time zone."""
    shown = "{date_short_pretty} {time}"
    return {"type": "date", "timestamp": int(at.timestamp()), "format": shown, "fallback": utc(at)}


# --- what a person can press and fill in --------------------------------------------------------------------


def actions(*buttons: Leaf) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def button(text: str, action: str, value: str = "", *, style: str = "") -> Leaf:
    """`style` is "", primary or danger. The value is one of ours: no free text."""
    made: Leaf = {"type": "button", "action_id": action, "text": _plain(text, BUTTON)}
    return {**made, **({"value": value} if value else {}), **({"style": style} if style else {})}


def text_field(name: str, label: str, *, most: int, optional: bool = False, hint: str = "", given: str = "") -> Block:
    """Several lines of text, with what was `given` already; `name` is the block's id and the field's."""
    field: Leaf = {"type": "plain_text_input", "action_id": name, "multiline": True, "max_length": most}
    if given:
        field["initial_value"] = cut(given, most)
    block: Block = {"type": "input", "block_id": name, "label": _plain(label, LABEL), "element": field}
    return {**block, "optional": optional, **({"hint": _plain(hint, LABEL)} if hint else {})}


def date_field(name: str, label: str, chosen: date, *, hint: str = "") -> Block:
    """A day; `chosen` stands there already."""
    field: Leaf = {"type": "datepicker", "action_id": name, "initial_date": chosen.isoformat()}
    block: Block = {"type": "input", "block_id": name, "label": _plain(label, LABEL), "element": field}
    return {**block, **({"hint": _plain(hint, LABEL)} if hint else {})}


def choice(name: str, label: str, options: Sequence[tuple[str, str]]) -> Block:
    """One of several, each with its value; the first is chosen at the start."""
    entries = [{"text": _plain(text, OPTION), "value": value} for text, value in options]
    field: Leaf = {"type": "radio_buttons", "action_id": name, "options": entries, "initial_option": entries[0]}
    return {"type": "input", "block_id": name, "label": _plain(label, LABEL), "element": field}


def title(text: str) -> Leaf:
    """A modal's title, or the name of its buttons."""
    return _plain(text, TITLE)


def _plain(text: str, most: int) -> Leaf:
    return {"type": "plain_text", "text": one_line(text, most), "emoji": False}
