"""The configuration: one YAML file, each value overridable by `TOKEN_DOCTOR_…` with `__` between levels."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, cast
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config import credentials, document, environment
from config.credentials import Credentials
from config.mistakes import Mistake, WrongConfigurationError, nearest, unknown
from config.mistakes import Path as SettingPath

__all__ = ["Channel", "Checks", "Cluster", "Settings", "Slack", "WrongConfigurationError", "load"]

_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


def _address(value: str) -> str:
    parts = urlsplit(value)
    local = parts.scheme == "http" and parts.hostname in _THIS_MACHINE
    if not parts.hostname or not (parts.scheme == "https" or local) or parts.query or parts.fragment:
        raise ValueError("not an address")
    return value if value.endswith("/") else f"{value}/"


def _server(value: str) -> str:
    return _address(value).rstrip("/")


def _file(value: str) -> str:
    return str(Path(value).expanduser())


def _upper(value: object) -> object:
    """An id that came through the environment has lost its case; Slack's ids have capitals only."""
    return value.upper() if isinstance(value, str) and re.fullmatch(r"[a-z0-9]+", value) else value


Text = Annotated[str, StringConstraints(min_length=1, max_length=253)]
ClusterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")]
Pattern = Annotated[str, StringConstraints(pattern=r"^[a-z0-9*?-]{1,63}$")]
ChannelId = Annotated[str, BeforeValidator(_upper), StringConstraints(pattern=r"^[CGD][A-Z0-9]{6,}$")]


class _Section(BaseModel):
    """Frozen; a key that is not named here is a mistake. `description` completes "must be …"."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Slack(_Section):
    """How Slack is reached."""

    mode: Literal["socket"] = Field(default="socket", description="socket")
    api_url: Annotated[str, AfterValidator(_address)] = Field(
        default="https://slack.com/api/", description="an https:// address (http:// on this machine only)"
    )


class Cluster(_Section):
    """A cluster that may be asked about: without a kubeconfig the one the bot runs in, else the current context.

    `endpoints` are further addresses of its API servers, where these cannot be read from the cluster.
    """

    name: ClusterName = Field(description="a name of letters, digits, dots and dashes")
    kubeconfig: Annotated[Text, AfterValidator(_file)] | None = Field(
        default=None, description="a file's name, or null"
    )
    context: Text | None = Field(default=None, description="the name of a context, or null")
    label: str = Field(default="", max_length=75, description="text of at most 75 characters")
    endpoints: tuple[Annotated[str, AfterValidator(_server)], ...] = Field(
        default=(), description="a list of https:// addresses"
    )


class Channel(_Section):
    """A channel's default cluster, and the namespaces that may be asked about there."""

    cluster: ClusterName | None = Field(default=None, description="the name of a configured cluster")
    namespaces: tuple[Pattern, ...] = Field(
        default=("*",), min_length=1, description='a list of namespaces or patterns such as "shop-*"'
    )


class Checks(_Section):
    """Which routes to a token are open, and how much is read."""

    exec: bool = Field(default=False, description="true or false")
    probe: bool = Field(default=False, description="true or false")
    read_secret_data: bool = Field(default=False, description="true or false")
    controller_probe: Annotated[str, StringConstraints(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$")] = Field(
        default="", description='the name of a namespace, or "" for no probe'
    )
    deadline_seconds: int = Field(default=10, ge=1, le=30, description="a whole number of seconds from 1 to 30")
    log_lines: int = Field(default=2000, ge=1, le=20_000, description="a whole number from 1 to 20000")


class Settings(BaseSettings):
    """The whole configuration. Built by `load`, which alone names the mistakes in plain words."""

    model_config = SettingsConfigDict(
        env_prefix="TOKEN_DOCTOR_", env_nested_delimiter="__", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    slack: Slack = Field(default=Slack(), description="a section with mode and api_url")
    clusters: tuple[Cluster, ...] = Field(default=(), description="a list of clusters, each with a name")
    channels: dict[ChannelId, Channel] = Field(
        default_factory=dict, description="a section with a channel's id for each entry"
    )
    checks: Checks = Field(default=Checks(), description="a section such as {deadline_seconds: 10}")

    _credentials: Credentials = PrivateAttr(default=Credentials())

    @property
    def credentials(self) -> Credentials:
        return self._credentials

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the same
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the same
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """File and environment are laid over one another in `load`, so that each mistake has its place."""
        return (init_settings,)


_SECTIONS: dict[str, type[BaseModel]] = {"slack": Slack, "clusters": Cluster, "channels": Channel, "checks": Checks}
_LEAVES = tuple(f"{section}.{key}" for section, model in _SECTIONS.items() for key in model.model_fields)


def load(path: Path | None) -> Settings:
    """The configuration from the file (None: only defaults) and the environment.

    Raises WrongConfigurationError with every mistake of both.
    """
    try:
        text = path.read_text("utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        mistake = Mistake(str(path), (), f"the file cannot be read: {reason}")
        raise WrongConfigurationError((mistake,), source=str(path)) from error
    file = document.read(text)
    overlay = environment.read(os.environ, Settings, {name: tuple(m.model_fields) for name, m in _SECTIONS.items()})
    tokens, mistakes = credentials.read(os.environ)
    given = {key: value for key, value in file.data.items() if value is not None}  # a heading with nothing under it
    data = cast("dict[str, object]", environment.laid_over(given, overlay.data))
    settings: Settings | None = None
    found: tuple[Mistake, ...] = ()
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        found = tuple(_told(error, file, overlay))
    found = (*file.mistakes, *overlay.mistakes, *mistakes, *found, *_crossed(data, file, overlay))
    # A token that stands in the place of a key has its own sentence already, which does not quote it.
    found = tuple(mistake for mistake in found if not document.holds_token(str(mistake)))
    if found or settings is None:
        raise WrongConfigurationError(found, source=str(path or ""))
    settings._credentials = tokens  # noqa: SLF001  # the model's own attribute, set by its one builder
    return settings


def _told(error: ValidationError, file: document.Document, overlay: environment.Overlay) -> Iterator[Mistake]:
    """Pydantic's errors in plain words. No value is quoted: it may be a secret in the wrong place."""
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        path = tuple(part for part in problem["loc"] if part != "[key]")
        yield _placed(path, _sentence(path, problem["type"], is_key="[key]" in problem["loc"]), file, overlay)


def _placed(path: SettingPath, sentence: str, file: document.Document, overlay: environment.Overlay) -> Mistake:
    variable = overlay.variable(path)
    if variable:
        return Mistake(variable, path, sentence)
    line = file.line(path)
    return Mistake(f"line {line}" if line else "the configuration", path, sentence, line=line)


def _sentence(path: SettingPath, kind: str, *, is_key: bool) -> str:
    section = str(path[0])
    if is_key:
        return "must be a channel's id such as C0INCIDENT1, not its name (Slack shows it in the channel's details)"
    if section not in _SECTIONS:
        return unknown(section, tuple(_SECTIONS), _LEAVES)
    fields = _SECTIONS[section].model_fields
    if kind == "extra_forbidden":
        return unknown(str(path[-1]), tuple(fields), _LEAVES)
    name = next((part for part in path[1:] if isinstance(part, str) and part in fields), None)
    if name is None:
        inner = len(path) > 1
        wanted = f"a section with {', '.join(fields)}" if inner else Settings.model_fields[section].description
    else:
        wanted = fields[name].description
    return f"must be given: {wanted}" if kind == "missing" else f"must be {wanted}"


def _crossed(data: dict[str, object], file: document.Document, overlay: environment.Overlay) -> Iterator[Mistake]:
    """What only shows when two settings are seen together; the data may still be of any shape."""
    clusters = data.get("clusters")
    channels = data.get("channels")
    names: list[str] = []
    for index, cluster in enumerate(clusters if isinstance(clusters, list | tuple) else ()):
        name = cluster.get("name") if isinstance(cluster, dict) else None
        if not isinstance(name, str):
            continue
        if name in names:
            path: SettingPath = ("clusters", index, "name")
            yield _placed(path, "another cluster has this name already", file, overlay)
        names.append(name)
    for channel, rule in channels.items() if isinstance(channels, dict) else ():
        name = rule.get("cluster") if isinstance(rule, dict) else None
        if isinstance(name, str) and name not in names:
            near = nearest(name, tuple(names))
            hint = f"; did you mean {near}?" if near else "; add it to clusters"
            path = ("channels", str(channel), "cluster")
            yield _placed(path, f"no cluster of this name is configured{hint}", file, overlay)
