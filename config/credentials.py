"""Slack's tokens and signing secret, the database's password: from the environment, or a file that it names."""

from collections.abc import Mapping, MutableMapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

from config.mistakes import Mistake

BOT_TOKEN = "SLACK_BOT_TOKEN"  # noqa: S105  # the name of a variable
APP_TOKEN = "SLACK_APP_TOKEN"  # noqa: S105  # the name of a variable
SIGNING_SECRET = "SLACK_SIGNING_SECRET"  # noqa: S105  # the name of a variable
DATABASE_PASSWORD = "DATABASE_PASSWORD"  # noqa: S105  # the name of a variable


class Credentials(BaseModel):
    """None when it was not given. They never print: the methods are the only way out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bot_token: SecretStr | None = None
    app_token: SecretStr | None = None
    signing_secret: SecretStr | None = None
    database_password: SecretStr | None = None

    def revealed(self) -> tuple[str, str]:
        """Both tokens as text, for the clients that send them; "" for one that was not given."""
        tokens = (self.bot_token, self.app_token)
        bot_token, app_token = (token.get_secret_value() if token else "" for token in tokens)
        return bot_token, app_token

    def revealed_signing_secret(self) -> str:
        """What Slack signs its requests with, "" when it was not given."""
        return self.signing_secret.get_secret_value() if self.signing_secret else ""

    def revealed_password(self) -> str:
        """The database's password, "" when it was not given."""
        return self.database_password.get_secret_value() if self.database_password else ""


def read(environment: Mapping[str, str]) -> tuple[Credentials, tuple[Mistake, ...]]:
    """The secrets, and what was wrong with how they were given."""
    mistakes: list[Mistake] = []
    credentials = Credentials(
        bot_token=_secret(environment, BOT_TOKEN, mistakes),
        app_token=_secret(environment, APP_TOKEN, mistakes),
        signing_secret=_secret(environment, SIGNING_SECRET, mistakes),
        database_password=_secret(environment, DATABASE_PASSWORD, mistakes),
    )
    return credentials, tuple(mistakes)


def hide(environment: MutableMapping[str, str]) -> None:
    """A kubeconfig's credential program inherits the environment, and must not see the tokens.

    And where SLACK_CLIENT_ID is set, bolt turns OAuth on and drops the token that it is given.
    """
    for name in [name for name in environment if name.startswith(("SLACK_", DATABASE_PASSWORD))]:
        del environment[name]


def _secret(environment: Mapping[str, str], name: str, mistakes: list[Mistake]) -> SecretStr | None:
    value = environment.get(name, "").strip()
    file = environment.get(f"{name}_FILE", "").strip()
    if value and file:
        mistakes.append(Mistake(f"{name}_FILE", (), f"{name} is set as well; only one of them can count"))
        return None
    if not file:
        return SecretStr(value) if value else None
    try:
        value = Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        mistakes.append(Mistake(f"{name}_FILE", (), f"{file} cannot be read: {reason}"))
        return None
    if not value:
        mistakes.append(Mistake(f"{name}_FILE", (), f"{file} is empty"))
        return None
    return SecretStr(value)
