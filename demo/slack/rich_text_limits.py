"""rich_text: sections, lists, quotes and preformatted text, walked down to their leaves."""

from demo.slack.schema import Check, Shape, anything, array, boolean, integer, one_of, string, typed

MANY = 2_000  # Slack states no number of elements; the cap on a message's size comes first
STYLE = Shape(dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight", "unlink"), boolean))


def _leaf(fields: dict[str, Check], *required: str) -> Check:
    return Shape({"type": anything, "style": STYLE, **fields}, required=required)


LEAVES: dict[str, Check] = {
    "text": _leaf({"text": string(40_000)}, "text"),
    "link": _leaf({"url": string(3000), "text": string(40_000), "unsafe": boolean}, "url"),
    "emoji": _leaf({"name": string(255), "unicode": string(255), "skin_tone": integer(1, 6)}, "name"),
    "user": _leaf({"user_id": string(255)}, "user_id"),
    "usergroup": _leaf({"usergroup_id": string(255)}, "usergroup_id"),
    "channel": _leaf({"channel_id": string(255)}, "channel_id"),
    "broadcast": _leaf({"range": one_of("here", "channel", "everyone")}, "range"),
    "color": _leaf({"value": string(7)}, "value"),
    "date": _leaf(
        {"timestamp": integer(0, 9_999_999_999), "format": string(255), "url": string(3000), "fallback": string(3000)},
        "timestamp",
        "format",
    ),
}
LEAF = typed(LEAVES)
INLINE = array(LEAF, MANY, least=0)
BORDER = integer(0, 1)
SECTION = Shape({"type": one_of("rich_text_section"), "elements": INLINE}, required=("type", "elements"))

GROUPS: dict[str, Check] = {
    "rich_text_section": SECTION,
    "rich_text_preformatted": Shape(
        {
            "type": anything,
            "elements": array(typed(LEAVES, frozenset({"text", "link"})), MANY, least=0),
            "border": BORDER,
            "language": string(255),
        },
        required=("elements",),
    ),
    "rich_text_quote": Shape({"type": anything, "elements": INLINE, "border": BORDER}, required=("elements",)),
    "rich_text_list": Shape(
        {
            "type": anything,
            "style": one_of("bullet", "ordered"),
            "elements": array(SECTION, MANY),
            "indent": integer(0, 8),
            "offset": integer(0, 9_999),
            "border": BORDER,
        },
        required=("style", "elements"),
    ),
}
RICH_TEXT = Shape(
    {"type": anything, "block_id": string(255), "elements": array(typed(GROUPS), MANY)}, required=("elements",)
)
