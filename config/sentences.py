"""What is wrong with a single setting, in a plain sentence that names what it must be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.digests import Route, no_cron, no_zone
from config.mistakes import Path, nearest, unknown
from config.policy import ACTIONS

PASSWORD_IN_URL = "password_in_url"  # noqa: S105  # the name of a mistake

_KEYS = {
    "channels": "a channel's id such as C0INCIDENT1, not its name (Slack shows it in the channel's details)",
    "identity": "a user group's id such as S012USERGROUP, not its name (Slack shows it in the group's details)",
}
"""What the keys are of a section that has an entry for each of something."""

_INNER: Mapping[tuple[str, str], type[BaseModel]] = {("digests", "routes"): Route}
"""The sections within a section."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One of pydantic's errors: where, of which type, of a key or of a value, and the value as it was given."""

    path: Path
    kind: str
    is_key: bool
    given: object


def sentence(problem: Problem, settings: type[BaseModel], sections: Mapping[str, type[BaseModel]]) -> str:
    """No value is quoted: it may be a secret in the wrong place."""
    path, kind = problem.path, problem.kind
    section = str(path[0])
    elsewhere = tuple(f"{name}.{key}" for name, model in sections.items() for key in model.model_fields)
    if kind == PASSWORD_IN_URL:
        return "must hold no password: give it in DATABASE_PASSWORD, or in a file that DATABASE_PASSWORD_FILE names"
    if problem.is_key and section in _KEYS:
        return f"must be {_KEYS[section]}"
    if section not in sections:
        return unknown(section, tuple(sections), elsewhere)
    fields, within = _innermost(path, sections[section])
    if kind == "extra_forbidden":
        return unknown(str(path[-1]), tuple(fields), elsewhere)
    name = next((part for part in within if isinstance(part, str) and part in fields), None)
    if name is None:
        wanted = f"a section with {', '.join(fields)}" if within else settings.model_fields[section].description
    elif (name, kind) in _SAID:
        return _SAID[name, kind](problem.given)
    else:
        wanted = fields[name].description
    return f"must be given: {wanted}" if kind == "missing" else f"must be {wanted}"


def _innermost(path: Path, section: type[BaseModel]) -> tuple[Mapping[str, FieldInfo], Path]:
    """The fields of the section that the path leads into, and what of the path is left there."""
    for (outer, inner), model in _INNER.items():
        place = path.index(inner) if inner in path else 0
        if path[0] == outer and 0 < place < len(path) - 1:
            return model.model_fields, path[place + 1 :]
    return section.model_fields, path[1:]


def at(data: object, path: Path) -> object:
    """The value that stands there, None where there is none."""
    for part in path:
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list | tuple) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def _action(given: object) -> str:
    near = nearest(given, ACTIONS) if isinstance(given, str) else ""
    return f"no such action; did you mean {near}?" if near else f"no such action; the actions are {', '.join(ACTIONS)}"


_SAID: Mapping[tuple[str, str], Callable[[object], str]] = {
    ("actions", "literal_error"): _action,
    ("cron", "value_error"): no_cron,
    ("timezone", "value_error"): no_zone,
}
"""What is said of a mistake of this type in a field of this name."""
