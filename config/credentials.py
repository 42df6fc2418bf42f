"""Slack's tokens: from the environment, or from the file that the environment names."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

from config.mistakes import Mistake

BOT_TOKEN = "SLACK_BOT_TOKEN"  # noqa: S105  # the name of a variable
APP_TOKEN = "SLACK_APP_TOKEN"  # noqa: S105  # the name of a variable


class Credentials(BaseModel):
    """None when the token was not given. They never print: `revealed` is the only way out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bot_token: SecretStr | None = None
    app_token: SecretStr | None = None

    def revealed(self) -> tuple[str, str]:
        """Both as text, for the clients that send them; "" for one that was not given."""
        tokens = (self.bot_token, self.app_token)
        bot_token, app_token = (token.get_secret_value() if token else "" for token in tokens)
        return bot_token, app_token


def read(environment: Mapping[str, str]) -> tuple[Credentials, tuple[Mistake, ...]]:
    """The tokens, and what was wrong with how they were given."""
    mistakes: list[Mistake] = []
    credentials = Credentials(
        bot_token=_token(environment, BOT_TOKEN, mistakes), app_token=_token(environment, APP_TOKEN, mistakes)
    )
    return credentials, tuple(mistakes)


def _token(environment: Mapping[str, str], name: str, mistakes: list[Mistake]) -> SecretStr | None:
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
