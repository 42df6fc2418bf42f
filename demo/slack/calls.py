"""What a Web API method is given and how it is declared."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from demo.slack.errors import JsonObject, missing_scope
from demo.slack.grants import Triggers
from demo.slack.rate_limits import Limit
from demo.slack.workspace import Token, Workspace


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated call; `socket_url` gives a fresh websocket address."""

    workspace: Workspace
    token: Token
    arguments: JsonObject
    triggers: Triggers
    socket_url: Callable[[], str]

    def has_scope(self, scope: str) -> bool:
        return scope in self.token.scopes

    def demand_scope(self, scope: str) -> None:
        if not self.has_scope(scope):
            raise missing_scope(scope, ",".join(self.token.scopes))


@dataclass(frozen=True, slots=True)
class Method:
    """`scopes` are alternatives: one of them is enough, and none listed means none needed."""

    run: Callable[[Call], JsonObject]
    limit: Limit
    scopes: tuple[str, ...] = ()
    caller: Literal["bot", "app", "either", "anyone"] = "bot"
