"""The few Block Kit pieces that are used. Untrusted text goes into plain_text and rich_text only."""

from collections.abc import Sequence

from bot.blocks.limits import CONTEXT, HEADER, Block, cut, one_line

_MOST_MARKS = 6  # a text of backticks only must not become a hundred leaves

Leaf = dict[str, object]
Group = dict[str, object]


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
