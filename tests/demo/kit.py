"""A message of each kind of block that Slack takes in messages."""

from typing import Any

Block = dict[str, Any]

DAYS = [f"Nov {day}" for day in range(12, 22)]
REMOTE = ("image", "video")  # their pictures would be fetched from elsewhere


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def _option(value: str) -> Block:
    return {"text": _plain(value.title()), "value": value}


def _series(name: str, values: list[int]) -> Block:
    return {"name": name, "data": [{"label": day, "value": value} for day, value in zip(DAYS, values, strict=True)]}


def _chart(kind: str) -> Block:
    series = [_series("due", [1, 4, 7, 3, 6, 2, 5, 1, 4, 7]), _series("legacy", [12, 11, 10, 9, 8, 7, 6, 5, 4, 3])]
    chart = {"type": kind, "series": series, "axis_config": {"categories": DAYS, "x_label": "day", "y_label": "tokens"}}
    return {"type": "data_visualization", "title": f"A {kind} chart", "chart": chart}


PIE = {"type": "pie", "segments": [{"label": "legacy", "value": 12}, {"label": "expiring", "value": 5}]}
CHARTS = (_chart("bar"), _chart("line"), _chart("area"), {"type": "data_visualization", "title": "Pie", "chart": PIE})

DANGER = {
    "type": "button",
    "action_id": "delete",
    "text": _plain("Delete"),
    "style": "danger",
    "value": "1",
    "confirm": {
        "title": _plain("Really?"),
        "text": _mrkdwn("It *cannot* be undone."),
        "confirm": _plain("Delete it"),
        "deny": _plain("Keep it"),
        "style": "danger",
    },
}
ACTIONS = {
    "type": "actions",
    "elements": [
        {"type": "button", "action_id": "go", "text": _plain("Approve"), "style": "primary", "value": "1"},
        DANGER,
        {"type": "overflow", "action_id": "more", "options": [_option("snooze"), _option("explain")]},
        {"type": "static_select", "action_id": "team", "placeholder": _plain("Which?"), "options": [_option("pay")]},
        {"type": "users_select", "action_id": "who", "placeholder": _plain("Who?")},
        {"type": "datepicker", "action_id": "day"},
        {"type": "checkboxes", "action_id": "ticks", "options": [_option("one"), _option("two")]},
    ],
}
MARKUP = (
    "*bold* _italic_ ~struck~ `code` <@U0APPROVER1> <#C0APPROVALS> <!subteam^S034USERGROUP> <!here> "
    "<https://shop.example/x|a link> &amp; 3 &lt; 4 :fire:\n> quoted\nafter\n```two\nlines```"
)
SECTIONS: list[Block] = [
    {"type": "header", "text": _plain("A header")},
    {"type": "section", "text": _mrkdwn(MARKUP)},
    {"type": "section", "fields": [_mrkdwn("*Cluster*\nprod"), _mrkdwn("*Due*\n3")]},
    {"type": "divider"},
    ACTIONS,
    {"type": "context", "elements": [_mrkdwn("*small* print"), _plain("and more")]},
]


def _line(*leaves: Block) -> Block:
    return {"type": "rich_text_section", "elements": list(leaves)}


RICH: list[Block] = [
    {
        "type": "rich_text",
        "elements": [
            _line({"type": "text", "text": "all styles", "style": {"bold": True, "italic": True, "strike": True}}),
            _line({"type": "emoji", "name": "fire"}, {"type": "broadcast", "range": "here"}),
            _line(
                {"type": "color", "value": "#1f3a5f"}, {"type": "date", "timestamp": 1_763_845_000, "format": "{ago}"}
            ),
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "a quote"}]},
            {"type": "rich_text_list", "style": "ordered", "elements": [_line({"type": "text", "text": "first"})]},
            {
                "type": "rich_text_list",
                "style": "bullet",
                "indent": 1,
                "elements": [_line({"type": "text", "text": "below it"})],
            },
        ],
    },
    {
        "type": "markdown",
        "text": "# One\n\n**bold** and `code`\n\n1. a\n   - b\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n> said",
    },
]


def _cells(*texts: str) -> list[Block]:
    return [{"type": "raw_text", "text": text} for text in texts]


TABLE = {"type": "table", "rows": [_cells("What", "When"), _cells("shop/ci-token", "in 3 d")]}
DATA_TABLE = {
    "type": "data_table",
    "caption": "Due soon",
    "rows": [_cells("What", "Days"), *([*_cells(f"token-{n}"), {"type": "raw_number", "value": n}] for n in range(4))],
}
MESSAGES: list[list[Block]] = [SECTIONS, RICH, [TABLE, *CHARTS[:2]], [DATA_TABLE, *CHARTS[2:]]]
