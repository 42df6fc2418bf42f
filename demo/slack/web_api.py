"""The Web API: a table of methods, and one door where token, scope, rate and faults are judged."""

from collections.abc import Callable
from dataclasses import dataclass

from demo.slack import arguments as args
from demo.slack import chat_methods, conversation_methods, people_methods, view_methods
from demo.slack.calls import Call, Method
from demo.slack.errors import JsonObject, SlackError, missing_scope
from demo.slack.grants import Triggers
from demo.slack.rate_limits import SPECIAL, TIER_1, TIER_4, RateLimits
from demo.slack.workspace import Token, Workspace


def api_test(call: Call) -> JsonObject:
    error = args.text(call.arguments, "error")
    if error:
        raise SlackError(error, {"args": call.arguments})
    return {"ok": True, "args": call.arguments}


def auth_test(call: Call) -> JsonObject:
    """An app-level token answers as the app, a bot token as the bot."""
    workspace = call.workspace
    app = workspace.app
    if call.token.kind == "app":
        return {"ok": True, "app_name": app.name, "app_id": app.id}
    return {
        "ok": True,
        "url": f"https://{workspace.team.domain}.slack.com/",
        "team": workspace.team.name,
        "user": workspace.users[app.bot_user].name,
        "team_id": workspace.team.id,
        "user_id": app.bot_user,
        "bot_id": app.bot_id,
        "is_enterprise_install": False,
    }


def connections_open(call: Call) -> JsonObject:
    return {"ok": True, "url": call.socket_url()}


METHODS: dict[str, Method] = {
    "api.test": Method(api_test, TIER_4, caller="anyone"),
    "auth.test": Method(auth_test, SPECIAL, caller="either"),
    "apps.connections.open": Method(connections_open, TIER_1, ("connections:write",), caller="app"),
    **chat_methods.METHODS,
    **conversation_methods.METHODS,
    **people_methods.METHODS,
    **view_methods.METHODS,
}


@dataclass(frozen=True, slots=True)
class WebApi:
    workspace: Workspace
    limits: RateLimits
    triggers: Triggers
    socket_url: Callable[[], str]

    def answer(self, name: str, bearer: str, arguments: JsonObject) -> JsonObject:
        """The body of a successful answer. Raises SlackError for every refusal."""
        method = METHODS.get(name)
        if method is None:
            raise SlackError("unknown_method", {"req_method": name})
        token = self.authenticate(method, bearer or args.text(arguments, "token"))
        self.limits.take(name, method.limit, arguments)
        if method.scopes and not set(method.scopes) & set(token.scopes):
            raise missing_scope(",".join(method.scopes), ",".join(token.scopes))
        own = {key: value for key, value in arguments.items() if key != "token"}
        return method.run(Call(self.workspace, token, own, self.triggers, self.socket_url))

    def authenticate(self, method: Method, value: str) -> Token:
        if method.caller == "anyone":
            return self.workspace.tokens.get(value, Token(value, "bot", ()))
        if not value:
            raise SlackError("not_authed")
        token = self.workspace.tokens.get(value)
        if token is None:
            raise SlackError("invalid_auth")
        if token.revoked:
            raise SlackError("token_revoked")
        if method.caller not in ("either", token.kind):
            raise SlackError("not_allowed_token_type")
        return token

    def scopes_of(self, bearer: str) -> str:
        """For the header `x-oauth-scopes`."""
        token = self.workspace.tokens.get(bearer)
        return ",".join(token.scopes) if token else ""
