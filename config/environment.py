"""`TOKEN_DOCTOR_…`: settings from the environment, laid over those of the file."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsError

from config.mistakes import Mistake, Path, unknown

PREFIX = "TOKEN_DOCTOR_"
_LINKS = ("tcp://", "udp://", "sctp://")
Sections = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Overlay:
    """`data` is what the environment says; `variables` are the names it was said in, by path."""

    data: dict[str, object] = field(default_factory=dict)
    variables: dict[tuple[str, ...], str] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()

    def variable(self, path: Path) -> str:
        """The variable that set this value or a level above it, "" when the file did."""
        words = tuple(str(part).lower() for part in path)
        for length in range(len(words), 0, -1):
            if words[:length] in self.variables:
                return self.variables[words[:length]]
        return ""


def read(environment: Mapping[str, str], settings: type[BaseSettings], sections: Sections) -> Overlay:
    """The settings of the environment. `sections` are the known keys of each section.

    Kubernetes puts `TOKEN_DOCTOR_PORT` and its like into pods beside a Service called token-doctor: only what begins
    with a section's name is taken for a setting, and not the `TOKEN_DOCTOR_WEB_PORT` of a Service token-doctor-web.
    """
    variables = {
        tuple(name[len(PREFIX) :].lower().split("__")): name
        for name, value in environment.items()
        if name.upper().startswith(PREFIX) and not value.startswith(_LINKS)
    }
    mistakes = tuple(_misspelt(variables, sections))
    try:
        data = EnvSettingsSource(settings)()
    except SettingsError as error:
        section = re.search(r'for field "(\w+)"', str(error))
        name = f"{PREFIX}{section[1].upper()}" if section else PREFIX
        mistake = Mistake(name, (), 'must be JSON, such as \'[{"name": "prod"}]\'')
        return Overlay(variables=variables, mistakes=(*mistakes, mistake))
    return Overlay(data=data, variables=variables, mistakes=mistakes)


def _misspelt(variables: Mapping[tuple[str, ...], str], sections: Sections) -> Iterator[Mistake]:
    for path, name in variables.items():
        if path[0] not in sections and len(path) > 1:
            yield Mistake(name, (), unknown(path[0], tuple(sections)))
        elif path[0] not in sections:
            for section, keys in sections.items():
                if path[0] in {f"{section}_{key}" for key in keys}:
                    meant = f"{PREFIX}{section}__{path[0].removeprefix(f'{section}_')}".upper()
                    yield Mistake(name, (), f"no such setting; did you mean {meant}, with two underscores?")


def laid_over(below: object, above: object) -> object:
    """`above` wins; sections are merged key by key, and `CLUSTERS__0__LABEL` reaches into a list."""
    if isinstance(below, dict) and isinstance(above, dict):
        names = {str(key).lower(): key for key in below}
        merged = dict(below)
        for key, value in above.items():
            here = names.get(str(key).lower(), key)
            merged[here] = laid_over(below.get(here), value)
        return merged
    if isinstance(above, dict) and above and all(str(key).isdigit() for key in above):
        items = list(below) if isinstance(below, list) else []
        for key, value in sorted(above.items(), key=lambda item: int(item[0])):
            index = int(key)
            if index < len(items):
                items[index] = laid_over(items[index], value)
            else:
                items.append(value)
        return items
    return above
