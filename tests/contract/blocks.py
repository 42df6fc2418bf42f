"""Blocks to try limits with: the least that is sound, and what a test adds to it."""

from typing import Any

Json = dict[str, Any]
Blocks = list[Json]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(text: str) -> Json:
    return {"type": "section", "text": mrkdwn(text)}


def actions(*elements: Json) -> Blocks:
    return [{"type": "actions", "elements": list(elements)}]


def button(**more: object) -> Json:
    return {"type": "button", "text": plain("Go")} | more


def options(count: int) -> Blocks:
    return [{"text": plain(str(n)), "value": str(n)} for n in range(count)]


def select(**more: object) -> Blocks:
    return actions({"type": "static_select", "action_id": "s"} | more)


def confirm(**more: object) -> Blocks:
    sound = {"title": plain("t"), "text": plain("x"), "confirm": plain("y"), "deny": plain("n")}
    return actions(button(confirm=sound | more))


def rich(*elements: Json) -> Blocks:
    return [{"type": "rich_text", "elements": list(elements)}]


def rich_section(*leaves: Json) -> Blocks:
    return rich({"type": "rich_text_section", "elements": list(leaves)})


def table(rows: int, columns: int) -> Blocks:
    cell = {"type": "raw_text", "text": "x"}
    return [{"type": "table", "rows": [[cell] * columns for _ in range(rows)]}]


def chart(series: int = 1, **more: object) -> Json:
    data = [{"label": "Mon", "value": 1}, {"label": "Tue", "value": 2.5}]
    lines = [{"name": str(n), "data": data} for n in range(series)]
    axes = {"categories": ["Mon", "Tue"]}
    sound = {"type": "line", "series": lines, "axis_config": axes}
    return {"type": "data_visualization", "title": "Expiring", "chart": sound} | more
