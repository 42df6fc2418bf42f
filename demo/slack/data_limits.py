"""Tables and charts: table, data_table and data_visualization.

Sources: docs.slack.dev/reference/block-kit/blocks/ table-block, data-table-block and data-visualization-block.
"""

from collections.abc import Iterator

from demo.slack.rich_text_limits import RICH_TEXT
from demo.slack.schema import (
    Check,
    Problem,
    Shape,
    anything,
    array,
    boolean,
    integer,
    number,
    one_of,
    problem,
    string,
    typed,
)

ROWS = 100
COLUMNS = 20
CHARTS = 2
SERIES = 6
POINTS = 20
LABEL = string(20)
TITLE = string(50)

_TEXT = Shape({"type": anything, "text": string(10_000)}, required=("text",))
_NUMBER = Shape({"type": anything, "value": number, "text": string(255)}, required=("value",))
_HEADER_CELLS: dict[str, Check] = {"raw_text": _TEXT, "raw_number": _NUMBER}

TABLE = Shape(
    {
        "type": anything,
        "block_id": string(255),
        "rows": array(array(typed({"raw_text": _TEXT, "rich_text": RICH_TEXT}), COLUMNS), ROWS),
        "column_settings": array(
            Shape({"align": one_of("left", "center", "right"), "is_wrapped": boolean}), COLUMNS, least=0
        ),
    },
    required=("rows",),
)


def _data_rows(value: object, path: str) -> Iterator[Problem]:
    """A header row without rich_text, then one to a hundred rows of the same width."""
    cells = array(typed({**_HEADER_CELLS, "rich_text": RICH_TEXT}), COLUMNS)
    yield from array(cells, ROWS + 1, least=2)(value, path)
    if not isinstance(value, list) or not value or not isinstance(value[0], list):
        return
    yield from array(typed(_HEADER_CELLS), COLUMNS)(value[0], f"{path}/0")
    for index, row in enumerate(value):
        if isinstance(row, list) and len(row) != len(value[0]):
            yield problem("all rows must have the same number of cells", f"{path}/{index}")


DATA_TABLE = Shape(
    {
        "type": anything,
        "block_id": string(255),
        "caption": string(255),
        "rows": _data_rows,
        "page_size": integer(1, 100),
        "row_header_column_index": integer(0, COLUMNS - 1),
    },
    required=("caption", "rows"),
)


def _positive(value: object, path: str) -> Iterator[Problem]:
    yield from number(value, path)
    if isinstance(value, int | float) and value <= 0:
        yield problem("must be more than 0", path)


_POINT = Shape({"label": LABEL, "value": number}, required=("label", "value"))
_SEGMENT = Shape({"label": LABEL, "value": _positive}, required=("label", "value"))
_SERIES = Shape({"name": LABEL, "data": array(_POINT, POINTS)}, required=("name", "data"))
_AXES = Shape({"categories": array(LABEL, POINTS), "x_label": TITLE, "y_label": TITLE}, required=("categories",))
_PIE = Shape({"type": anything, "segments": array(_SEGMENT, SERIES)}, required=("segments",))
_LINES = Shape(
    {"type": anything, "series": array(_SERIES, SERIES), "axis_config": _AXES}, required=("series", "axis_config")
)


def _plotted(value: object, path: str) -> Iterator[Problem]:
    """Each series has one point for each category, and a name of its own."""
    problems = list(_LINES(value, path))
    yield from problems
    if problems or not isinstance(value, dict):
        return
    names = [series["name"] for series in value["series"]]
    if len(set(names)) < len(names):
        yield problem("series names must be unique", f"{path}/series")
    categories = sorted(value["axis_config"]["categories"])
    for index, series in enumerate(value["series"]):
        if sorted(point["label"] for point in series["data"]) != categories:
            yield problem("labels must match the categories", f"{path}/series/{index}/data")


DATA_VISUALIZATION = Shape(
    {
        "type": anything,
        "block_id": string(255),
        "title": TITLE,
        "chart": typed({"pie": _PIE, "bar": _plotted, "area": _plotted, "line": _plotted}),
    },
    required=("title", "chart"),
)
