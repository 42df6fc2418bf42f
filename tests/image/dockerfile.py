"""A Dockerfile's stages, read just far enough to do what they say; what is not understood is an error."""

import json
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True)
class Copy:
    """`to` is a whole path, `source` a stage's name, "" for the build context; `owner` is "65532:65532" or ""."""

    sources: tuple[str, ...]
    to: str
    source: str
    owner: str


@dataclass(frozen=True)
class Run:
    """A shell's command, with the variables that hold there."""

    command: str
    variables: Mapping[str, str]
    folder: str


@dataclass
class Stage:
    """`steps` in their order; the rest as it stands at the end."""

    base: str
    name: str
    steps: list[Copy | Run] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    port: int = 0


def read(text: str, path: str) -> list[Stage]:
    """`path` is the PATH that base images have."""
    stages: list[Stage] = []
    arguments: dict[str, str] = {}
    for name, rest in _instructions(text):
        if name == "FROM":
            base, _, alias = rest.partition(" AS ")
            stages.append(Stage(_filled(base, arguments), alias or "last", variables={"PATH": path}))
        elif name == "ARG":
            key, _, value = rest.partition("=")
            (stages[-1].variables if stages else arguments)[key] = value
        elif name == "COPY":
            stages[-1].steps.append(_copy(rest, stages[-1].folder))
        elif name == "RUN":
            stages[-1].steps.append(Run(rest, dict(stages[-1].variables), stages[-1].folder))
        else:
            _set(stages[-1], name, rest)
    return stages


def _set(stage: Stage, name: str, rest: str) -> None:
    match name:
        case "ENV":
            stage.variables |= _pairs(_filled(rest, stage.variables))
        case "LABEL":
            stage.labels |= _pairs(_filled(rest, stage.variables))
        case "WORKDIR":
            stage.folder = rest
        case "USER":
            stage.user = rest
        case "EXPOSE":
            stage.port = int(rest)
        case "ENTRYPOINT":
            stage.entrypoint = _exec_form(rest)
        case "CMD":
            stage.command = _exec_form(rest)
        case "HEALTHCHECK":
            stage.health = _exec_form(rest.partition("CMD ")[2])
        case _:
            raise ValueError(f"{name} is not understood")


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for whole in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        name, _, rest = whole.partition(" ")
        yield name, rest.strip()


def _filled(text: str, variables: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: variables[found[1] or found[2]], text)


def _pairs(text: str) -> dict[str, str]:
    return {key: value for key, _, value in (word.partition("=") for word in shlex.split(text))}


def _copy(rest: str, folder: str) -> Copy:
    words = rest.split()
    options = dict(word.removeprefix("--").split("=") for word in words if word.startswith("--"))
    *sources, to = [word for word in words if not word.startswith("--")]
    if set(options) - {"from", "chown"}:
        raise ValueError(f"COPY {rest} is not understood")
    return Copy(
        tuple(sources),
        posixpath.normpath(posixpath.join(folder, to)),
        options.get("from", ""),
        options.get("chown", ""),
    )


def _exec_form(rest: str) -> tuple[str, ...]:
    """ValueError for a shell's form: there need be no shell."""
    words = json.loads(rest)
    if not isinstance(words, list):
        raise TypeError(rest)
    return tuple(map(str, words))


# --- .dockerignore ------------------------------------------------------------------------------------------


def context(root: Path, ignore: str) -> Iterator[Path]:
    """The files of the build context, relative to `root`: the last line of .dockerignore that fits decides."""
    rules = [
        (_pattern(line.lstrip("!").strip("/")), line.startswith("!"))
        for line in map(str.strip, ignore.splitlines())
        if line and not line.startswith("#")
    ]
    for file in sorted(root.rglob("*")):
        relative = file.relative_to(root)
        if file.is_file() and not _ignored(relative, rules):
            yield relative


def _ignored(path: Path, rules: list[tuple[re.Pattern[str], bool]]) -> bool:
    names = [str(path), *(str(parent) for parent in path.parents)]
    ignored = False
    for pattern, is_exception in rules:
        if any(pattern.fullmatch(name) for name in names):
            ignored = not is_exception
    return ignored


def _pattern(line: str) -> re.Pattern[str]:
    escaped = re.escape(line).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    return re.compile(escaped)
