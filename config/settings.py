"""The configuration: one YAML file, each value overridable by `TOKEN_DOCTOR_…` with `__` between levels."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, PrivateAttr, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config import credentials, crossed, document, environment, sentences
from config.credentials import Credentials
from config.digests import Digest, Route
from config.fields import ChannelId, ClusterName, Pattern, Section, Text
from config.mistakes import Mistake, WrongConfigurationError
from config.mistakes import Path as SettingPath
from config.policy import Identity, Rule

__all__ = [
    "Channel",
    "Checks",
    "Cluster",
    "Database",
    "Digest",
    "Identity",
    "Route",
    "Rule",
    "Settings",
    "Slack",
    "Web",
    "WrongConfigurationError",
    "load",
]

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


def _database(value: str) -> str:
    """SQLite in a file, or PostgreSQL. Nothing that is secret stands in it, so it may be shown whole."""
    parts = urlsplit(value)
    if parts.password is not None or "password" in parts.query.lower():
        raise PydanticCustomError(sentences.PASSWORD_IN_URL, "a password")
    file = parts.path.removeprefix("/")
    sqlite = parts.scheme == "sqlite+aiosqlite" and not parts.netloc and file and ":memory:" not in file
    postgresql = parts.scheme == "postgresql+asyncpg" and (parts.hostname or "host=" in parts.query) and file
    if not (postgresql or (sqlite and not parts.query)) or parts.fragment:
        raise ValueError("not a database's address")
    _ = parts.port  # a ValueError where it is no number
    return value


class Slack(Section):
    """How Slack is reached, and how it reaches the bot: over a websocket that the bot opens, or by signed requests."""

    mode: Literal["socket", "http"] = Field(default="socket", description="socket or http")
    api_url: Annotated[str, AfterValidator(_address)] = Field(
        default="https://slack.com/api/", description="an https:// address (http:// on this machine only)"
    )


class Cluster(Section):
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


class Database(Section):
    """Where requests and what the digests saw are remembered. The password comes from DATABASE_PASSWORD."""

    url: Annotated[str, AfterValidator(_database)] = Field(
        default="sqlite+aiosqlite:///var/token-doctor.db",
        description="sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER@HOST/DATABASE",
    )
    keep_days: int = Field(default=90, ge=1, le=3650, description="a whole number of days from 1 to 3650")

    @property
    def is_shared(self) -> bool:
        """Whether more than one replica may use it."""
        return self.url.startswith("postgresql")


class Channel(Section):
    """A channel's default cluster, and the namespaces that may be asked about there."""

    cluster: ClusterName | None = Field(default=None, description="the name of a configured cluster")
    namespaces: tuple[Pattern, ...] = Field(
        default=("*",), min_length=1, description='a list of namespaces or patterns such as "shop-*"'
    )


class Checks(Section):
    """Which routes to a token are open, and how much is read."""

    exec: bool = Field(default=False, description="true or false")
    probe: bool = Field(default=False, description="true or false")
    read_secret_data: bool = Field(default=False, description="true or false")
    controller_probe: Annotated[str, StringConstraints(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$")] = Field(
        default="", description='the name of a namespace, or "" for no probe'
    )
    deadline_seconds: int = Field(default=10, ge=1, le=30, description="a whole number of seconds from 1 to 30")
    log_lines: int = Field(default=2000, ge=1, le=20_000, description="a whole number from 1 to 20000")
    proof_seconds: int = Field(default=300, ge=10, le=3600, description="a whole number of seconds from 10 to 3600")


class Web(Section):
    """The server for /metrics, /healthz and /readyz, and for Slack's own requests; none without a port."""

    host: Text = Field(default="0.0.0.0", description="an address of this machine, such as 127.0.0.1")  # noqa: S104  # a pod's probes and Prometheus come from outside; there is nothing but figures to read
    port: int | None = Field(default=None, ge=1, le=65535, description="a whole number from 1 to 65535, or null")
    drain_seconds: int = Field(default=5, ge=0, le=60, description="a whole number of seconds from 0 to 60")


class Settings(BaseSettings):
    """The whole configuration. Built by `load`, which alone names the mistakes in plain words."""

    model_config = SettingsConfigDict(
        env_prefix="TOKEN_DOCTOR_", env_nested_delimiter="__", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    slack: Slack = Field(default=Slack(), description="a section with mode and api_url")
    clusters: tuple[Cluster, ...] = Field(default=(), description="a list of clusters, each with a name")
    database: Database = Field(default=Database(), description="a section with url and keep_days")
    channels: dict[ChannelId, Channel] = Field(
        default_factory=dict, description="a section with a channel's id for each entry"
    )
    checks: Checks = Field(default=Checks(), description="a section such as {deadline_seconds: 10}")
    identity: Identity = Field(
        default=Identity(), description="a section with kubernetes_user, groups and subject_access_review"
    )
    policy: tuple[Rule, ...] = Field(
        default=(), description="a list of rules, each with actions, namespaces, requesters and approvers"
    )
    digests: tuple[Digest, ...] = Field(
        default=(), description="a list of digests, each with a name, a cron and a channel"
    )
    web: Web = Field(default=Web(), description="a section with host, port and drain_seconds")

    _credentials: Credentials = PrivateAttr(default=Credentials())

    @property
    def credentials(self) -> Credentials:
        return self._credentials

    @property
    def remembers(self) -> bool:
        """Whether there is anything to keep in the database: without a policy and digests there is not."""
        return bool(self.policy or self.digests)

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


_SECTIONS: dict[str, type[BaseModel]] = {
    "slack": Slack,
    "clusters": Cluster,
    "database": Database,
    "channels": Channel,
    "checks": Checks,
    "identity": Identity,
    "policy": Rule,
    "digests": Digest,
    "web": Web,
}


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
        found = tuple(_told(error, data, file, overlay))
    found = (*file.mistakes, *overlay.mistakes, *mistakes, *found, *_seen_together(data, file, overlay))
    # A token that stands in the place of a key has its own sentence already, which does not quote it.
    found = tuple(mistake for mistake in found if not document.holds_token(str(mistake)))
    if found or settings is None:
        raise WrongConfigurationError(found, source=str(path or ""))
    settings._credentials = tokens  # noqa: SLF001  # the model's own attribute, set by its one builder
    return settings


def _told(
    error: ValidationError, data: dict[str, object], file: document.Document, overlay: environment.Overlay
) -> Iterator[Mistake]:
    """Pydantic's errors in plain words. No value is quoted: it may be a secret in the wrong place."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    places = [problem["loc"] for problem in problems]
    for problem in problems:
        # A list with a wrong item in it is also told to be too short: the item's own sentence says it all.
        if any(place != problem["loc"] and place[: len(problem["loc"])] == problem["loc"] for place in places):
            continue
        is_key = "[key]" in problem["loc"]
        path = tuple(part for part in problem["loc"] if part != "[key]")
        asked = sentences.Problem(path, problem["type"], is_key=is_key, given=sentences.at(data, path))
        yield _placed(path, sentences.sentence(asked, Settings, _SECTIONS), file, overlay)


def _placed(path: SettingPath, sentence: str, file: document.Document, overlay: environment.Overlay) -> Mistake:
    variable = overlay.variable(path)
    if variable:
        return Mistake(variable, path, sentence)
    line = file.line(path)
    return Mistake(f"line {line}" if line else "the configuration", path, sentence, line=line)


def _seen_together(data: dict[str, object], file: document.Document, overlay: environment.Overlay) -> Iterator[Mistake]:
    for path, sentence in crossed.mistakes(data):
        yield _placed(path, sentence, file, overlay)
