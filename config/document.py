"""A YAML file as plain data that remembers on which line each key stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import yaml

from config.mistakes import Mistake, Path

# The shapes of secrets that people paste into files: Slack's tokens and JSON Web Tokens.
_TOKEN = re.compile(r"\b(?:xox[a-z]|xapp)-[A-Za-z0-9-]{8,}|eyJ[A-Za-z0-9_-]{8,}")


@dataclass(frozen=True, slots=True)
class Document:
    """`data` is what the file says, `lines` where, `mistakes` what kept it from being read."""

    data: dict[str, object] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()

    def line(self, path: Path) -> int:
        """The line of the setting, else of the nearest level above it that the file has; 0 for none."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 0


def read(text: str) -> Document:
    """The file's settings; each line with a token in it is a mistake."""
    parsed = _parse(text)
    return replace(parsed, mistakes=(*_token_lines(text), *parsed.mistakes))


def holds_token(text: str) -> bool:
    return _TOKEN.search(text) is not None


def _parse(text: str) -> Document:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Document()
        if not isinstance(node, yaml.MappingNode):
            return Document(mistakes=(_mistake(node.start_mark.line, "the file must hold settings by name"),))
        lines: dict[Path, int] = {}
        mistakes = tuple(_walk(node, (), lines, []))
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or "it cannot be read"
        return Document(mistakes=(_mistake(mark.line if mark else 0, f"not valid YAML: {problem}"),))
    except (yaml.YAMLError, ValueError) as error:
        # A date that does not exist, or a character that YAML forbids: neither has a place in the text.
        reason = getattr(error, "reason", None) or str(error)
        return Document(mistakes=(_mistake(0, f"not valid YAML: {reason}"),))
    finally:
        loader.dispose()
    settings = {str(key): value for key, value in data.items()} if isinstance(data, dict) else {}
    return Document(data=settings, lines=lines, mistakes=mistakes)


def _mistake(line: int, sentence: str, path: Path = ()) -> Mistake:
    return Mistake(where=f"line {line + 1}", path=path, sentence=sentence, line=line + 1)


def _token_lines(text: str) -> Iterator[Mistake]:
    """A sentence for each line with a token in it, comments too. What was found is never quoted."""
    for number, line in enumerate(text.splitlines()):
        if holds_token(line):
            yield _mistake(
                number,
                "a token stands here; take it out of the file, revoke it, "
                "and hand the new one over in SLACK_BOT_TOKEN or SLACK_APP_TOKEN",
            )


def _walk(node: yaml.Node, path: Path, lines: dict[Path, int], above: list[yaml.Node]) -> Iterator[Mistake]:
    """Fills `lines`, and tells keys that stand twice; `above` breaks the circle of an alias to itself."""
    if any(node is ancestor for ancestor in above):
        return
    above = [*above, node]
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            here = (*path, name)
            if name in seen:
                yield _mistake(key.start_mark.line, "stands twice: only one can count", here)
            seen.add(name)
            lines.setdefault(here, key.start_mark.line + 1)
            yield from _walk(value, here, lines, above)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            here = (*path, index)
            lines[here] = value.start_mark.line + 1
            yield from _walk(value, here, lines, above)
