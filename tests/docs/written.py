"""The parts of the documents that come out of the code. `python -m tests.docs.written` writes them anew.

Each stands between `<!-- from the code: NAME -->` and `<!-- until here -->`.
"""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

import typer
import typer.core
import yaml

from bot.blocks.knowledge import HELP
from bot.cli import app
from bot.cli.rbac import ABOUT
from bot.diagnosis.causes import GROUPS
from bot.model import Cause
from bot.slack.verify import LOOKUP_SCOPES, OPTIONAL_SCOPES, POLICY_SCOPES, SCOPES
from tests.docs import settings
from tests.docs.figures import described, labels

ROOT = Path(__file__).parents[2]
COMMAND = "python -m tests.docs.written"
_PART = re.compile(
    r"(?<=<!-- from the code: )(?P<name>.+?)(?P<open> -->\n)(?P<body>.*?)(?=<!-- until here -->)", re.DOTALL
)
_COLUMNS = 100
_RUNBOOKS = "../bot/diagnosis/runbooks"


def documents() -> Iterator[Path]:
    yield from sorted(ROOT.glob("*.md"))
    yield from sorted((ROOT / "docs").rglob("*.md"))


def renewed(document: str) -> str:
    """The document with each part as the code would have it now."""
    return _PART.sub(lambda part: f"{part['name']}{part['open']}{PARTS[part['name']](part['body'])}", document)


def names(document: str) -> list[str]:
    return [part["name"] for part in _PART.finditer(document)]


def table(*rows: Iterable[str]) -> str:
    """Markdown; the first row is the head."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [f"| {' | '.join(row)} |".replace("|  |", "| |") for row in cells]
    return "\n".join([lines[0], "|---" * len(cells[0]) + "|", *lines[1:], ""])


def terminal(_: str) -> str:
    """What --help says, a command each."""
    shown = []
    for name, text in helps().items():
        shown.append(f"### {name}\n\n```text\n{text}\n```\n")
    return "\n" + "\n".join(shown) + "\n"


def helps() -> Mapping[str, str]:
    """The help text of each command."""
    program = typer.main.get_command(app())
    parent = program.make_context(
        "token-doctor", [], resilient_parsing=True, terminal_width=_COLUMNS, max_content_width=_COLUMNS
    )
    found = {}
    for name, command in commands().items():
        with command.make_context(name, [], parent=parent, resilient_parsing=True) as context:
            found[name] = command.get_help(context).rstrip()
    return found


def commands() -> Mapping[str, typer.core.TyperCommand]:
    """The terminal's commands, in the order of the help text."""
    program = typer.main.get_command(app())
    known = program.commands.items() if isinstance(program, typer.core.TyperGroup) else ()
    return {name: command for name, command in known if isinstance(command, typer.core.TyperCommand)}


def slack(_: str) -> str:
    return table(("command", "answers"), *((f"`{command}`", what) for command, what in HELP))


def section(name: str, body: str) -> str:
    """A section's settings. What each means is not in the code: it is kept as it stands in the document."""
    meanings = {cells[0]: cells[-1] for cells in map(_cells, body.splitlines()) if len(cells) > 1}
    rows = []
    for one in settings.sections()[name]:
        code = f"`{one.name}`"
        rows.append((code, f"`{one.default}`" if one.default else "required", one.values, meanings.get(code, "")))
    return table(("setting", "default", "may be", "meaning"), *rows)


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def causes(_: str) -> str:
    return "\n" + "\n".join(
        f"## {name[0].upper()}{name[1:]}\n\n" + table(("cause", "severity", "what it is"), *map(_cause, group))
        for name, group in GROUPS.items()
    )


def _cause(cause: Cause) -> tuple[str, str, str]:
    code = f"[`{cause.code}`]({_RUNBOOKS}/{cause.code}.md)"
    return code, cause.severity.value, f"**{cause.title}.** {cause.explanation}"


def features(_: str) -> str:
    return table(("file", "what it is for"), *((f"`deploy/rbac/{name}.yaml`", what) for name, what in ABOUT.items()))


def scopes(_: str) -> str:
    rows = [(f"`{name}`", what, "always") for name, what in SCOPES.items()]
    rows += [(f"`{name}`", what, "with a `policy`") for name, what in POLICY_SCOPES.items()]
    rows += [(f"`{name}`", what, "always; the bot works without") for name, what in LOOKUP_SCOPES.items()]
    rows += [(f"`{name}`", what, "never: add it where you want that") for name, what in OPTIONAL_SCOPES.items()]
    return table(("scope", "what for", "needed"), *rows)


def metrics(_: str) -> str:
    known = labels()
    rows = ((f"`{name}`", ", ".join(known[name][0]), what) for name, what in described())
    return table(("figure", "labels", "what it is"), *rows)


def alerts(_: str) -> str:
    file = yaml.safe_load((ROOT / "deploy" / "alerts" / "token-doctor.yaml").read_text("utf-8"))
    rules = [rule for group in file["groups"] for rule in group["rules"]]
    return table(("alert", "severity", "what to do"), *(_alert(rule) for rule in rules))


def _alert(rule: Mapping[str, Mapping[str, str]]) -> tuple[str, str, str]:
    words = f"{rule['annotations']['summary']} {rule['annotations']['description']}"
    told = re.sub(r"\{\{ \$(?:labels\.)?(\w+) \}\}", lambda name: name[1].upper().replace("VALUE", "N"), words)
    return f"`{rule['alert']}`", rule["labels"]["severity"], textwrap.dedent(told).strip()


PARTS: Mapping[str, Callable[[str], str]] = {
    "terminal": terminal,
    "slack": slack,
    "causes": causes,
    "features": features,
    "scopes": scopes,
    "metrics": metrics,
    "alerts": alerts,
    **{f"settings of {name}": partial(section, name) for name in settings.sections()},
}


if __name__ == "__main__":
    for path in documents():
        path.write_text(renewed(path.read_text("utf-8")), "utf-8")
