"""Whether Slack takes the bot's tokens, tried before anything else: a wrong one never ends up in a retry loop."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import ClientConnectorDNSError, ClientError, ClientSession, ClientSSLError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import SlackRefusedError
from bot.slack.answers import SERVER_ERRORS, code_of, status_of
from bot.slack.client import web_client

SCOPES = {
    "commands": "to hear /token",
    "chat:write": "to post and edit answers",
    "app_mentions:read": "to hear @token-doctor in threads",
    "users:read": "to refuse people of other workspaces, bots and deactivated accounts",
}
POLICY_SCOPES = {
    "usergroups:read": "to know who may ask for a remedy and who may approve it",
    "users:read.email": "to ask Kubernetes what they may do",
}
"""The bot token's scopes, and what each is for; the second only where there is a policy. The bot demands them."""
LOOKUP_SCOPES = {
    "channels:read": "to see in preflight whether token-doctor is in a public channel of the configuration",
    "groups:read": "to see whether it is in a private one",
}
"""The manifest asks for them too; the bot works without."""
OPTIONAL_SCOPES = {
    "channels:history": "a message in a public channel that Slack did not confirm is found again, not posted twice",
    "groups:history": "such a message in a private channel is found again",
}
"""What nobody asks for, and what each would bring."""

_BOT, _APP, _SECRET = "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"
_METHODS = {_BOT: "auth.test", _APP: "apps.connections.open"}
_APP_PAGE = "https://api.slack.com/apps"
_WHERE = {
    _BOT: f"Copy the Bot User OAuth Token (xoxb-…) from OAuth & Permissions on the app's page, {_APP_PAGE}.",
    _APP: f"Copy the app-level token (xapp-…) from Basic Information on the app's page, {_APP_PAGE}.",
    _SECRET: f"Copy the Signing Secret from Basic Information on the app's page, {_APP_PAGE}.",
}
_KINDS = {
    "xoxb-": "a bot token (xoxb-…)",
    "xapp-": "an app-level token (xapp-…)",
    "xoxp-": "a user token (xoxp-…)",
    "xoxe": "a token that rotates (xoxe…)",
    "xoxc-": "a browser's token (xoxc-…)",
    "xoxs-": "a token of an old kind (xoxs-…)",
}
_PREFIX = {_BOT: "xoxb-", _APP: "xapp-"}
_REFUSALS = {
    "invalid_auth": "Slack does not know the token in {name}.",
    "not_authed": "Slack does not know the token in {name}.",
    "token_revoked": "The token in {name} was revoked.",
    "token_expired": "The token in {name} has expired.",
    "account_inactive": "The token in {name} belongs to a deactivated bot or a deleted workspace.",
    "user_removed_from_team": "The bot of {name} was removed from the workspace.",
    "team_disabled": "The workspace of {name} is disabled.",
    "not_allowed_token_type": "The token in {name} is of a kind that Slack does not take here.",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is, and where."""

    team: str
    team_id: str
    user: str
    user_id: str
    bot_id: str


@dataclass(frozen=True, slots=True)
class Installed:
    """Slack's answer to the bot token. `scopes` is None where the answer does not name them; `date` is its `Date`."""

    identity: Identity
    scopes: frozenset[str] | None
    date: str


def needed(*, policy: bool) -> Mapping[str, str]:
    """The scopes that the bot does not start without, and what each is for."""
    return {**SCOPES, **POLICY_SCOPES} if policy else SCOPES


async def verify(
    session: ClientSession,
    api_url: str,
    bot_token: str,
    app_token: str,
    *,
    scopes: Mapping[str, str] = SCOPES,
    signing_secret: str | None = None,
) -> Identity:
    """Both tokens tried for real; "" is a token that was not given.

    `signing_secret` is None in Socket Mode. Over HTTP it is needed in place of the app-level token; whether it is the
    right one only Slack's first request shows. Raises SlackRefusedError: one sentence and the next step, for everything
    that is wrong.
    """
    refusals: list[SlackRefusedError] = []
    answers: list[AsyncSlackResponse] = []
    tried = [(_BOT, bot_token)]
    if signing_secret is None:
        tried.append((_APP, app_token))
    else:
        refusals += refused_secret(signing_secret)
    for name, token in tried:
        try:
            answers.append(await _tried(session, api_url, name, token))
        except SlackRefusedError as refused:
            refusals.append(refused)
            if isinstance(refused, _AddressError):
                break
    if refusals:
        raise _together(refusals)
    installed = _installed(answers[0])
    if lacking := missing(installed.scopes, scopes):
        raise lacks(lacking, scopes)
    return installed.identity


async def try_bot_token(session: ClientSession, api_url: str, token: str) -> Installed:
    """The bot token alone, tried for real. Raises SlackRefusedError, SlackUnreachableError among them."""
    return _installed(await _tried(session, api_url, _BOT, token))


async def try_app_token(session: ClientSession, api_url: str, token: str) -> None:
    """The same of the app-level token, which Socket Mode takes."""
    await _tried(session, api_url, _APP, token)


def missing(given: frozenset[str] | None, wanted: Mapping[str, str]) -> tuple[str, ...]:
    """The wanted scopes that the token lacks; none where nobody knows."""
    return () if given is None else tuple(scope for scope in wanted if scope not in given)


def lacks(scopes: Sequence[str], purposes: Mapping[str, str]) -> SlackRefusedError:
    """The bot token lacks these scopes: the sentence and the next step."""
    named = ", ".join(f"{scope} ({purposes[scope]})" for scope in scopes)
    return SlackRefusedError(
        f"The token in {_BOT} lacks {'a scope' if len(scopes) == 1 else 'scopes'}: {named}.",
        next_step=f"Add it under OAuth & Permissions on the app's page, {_APP_PAGE}, and reinstall the app.",
    )


class _AddressError(SlackRefusedError):
    """The address is wrong: there is nothing to say of the second token."""


class SlackUnreachableError(_AddressError):
    """Nothing answers there, or not just now: of the token nothing is known."""


def _together(refusals: list[SlackRefusedError]) -> SlackRefusedError:
    steps = dict.fromkeys(refused.next_step for refused in refusals)
    return SlackRefusedError(" ".join(map(str, refusals)), next_step=" ".join(steps))


def _check_kind(name: str, token: str) -> None:
    if not token:
        raise SlackRefusedError(f"{name} is not set.", next_step=_WHERE[name])
    if token.startswith(_PREFIX[name]):
        return
    kind = next((words for prefix, words in _KINDS.items() if token.startswith(prefix)), "no Slack token")
    raise SlackRefusedError(f"{name} holds {kind}, and it must begin with {_PREFIX[name]}.", next_step=_WHERE[name])


def refused_secret(secret: str) -> list[SlackRefusedError]:
    """What is wrong with a signing secret at first sight; Slack has no method that tries one."""
    if not secret:
        return [SlackRefusedError(f"{_SECRET} is not set.", next_step=_WHERE[_SECRET])]
    kind = next((words for prefix, words in _KINDS.items() if secret.startswith(prefix)), "")
    if not kind:
        return []
    return [SlackRefusedError(f"{_SECRET} holds {kind}, which is no signing secret.", next_step=_WHERE[_SECRET])]


async def _tried(session: ClientSession, api_url: str, name: str, token: str) -> AsyncSlackResponse:
    _check_kind(name, token)
    client = web_client(session, api_url, token)
    return await _asked(client.api_call(_METHODS[name]), name, api_url)


async def _asked(call: Awaitable[AsyncSlackResponse], name: str, api_url: str) -> AsyncSlackResponse:
    try:
        return await call
    except SlackApiError as error:
        refused = _refused(error, name, api_url)
    except (ClientError, TimeoutError) as error:
        refused = _unreachable(error, api_url)
    raise refused


def _refused(error: SlackApiError, name: str, api_url: str) -> SlackRefusedError:
    code = code_of(error)
    if not code or code == "unknown_method":
        return _AddressError(
            f"{api_url} answers, but not as Slack does (HTTP {status_of(error)}).",
            next_step="Set slack.api_url to the address that ends in /api/, usually https://slack.com/api/.",
        )
    if code == "missing_scope" and name == _APP:
        return SlackRefusedError(
            f"The token in {_APP} lacks the scope connections:write, which Socket Mode needs.",
            next_step=f"Make a new app-level token with it, in Basic Information on the app's page, {_APP_PAGE}.",
        )
    if "socket_mode" in code:
        return SlackRefusedError(
            "Socket Mode is switched off for this app.", next_step=f"Switch it on on the app's page, {_APP_PAGE}."
        )
    if code == "ratelimited":
        return SlackUnreachableError(
            "Slack asks to wait: the bot was started too often.", next_step="Start it again in a minute."
        )
    if code in SERVER_ERRORS:
        return SlackUnreachableError(
            f"Slack failed itself ({code}).", next_step="Try again in a minute; https://slack-status.com tells more."
        )
    sentence = _REFUSALS.get(code, f"Slack refused the token in {{name}}: {code}.").format(name=name)
    return SlackRefusedError(sentence, next_step=_WHERE[name])


def _unreachable(error: Exception, api_url: str) -> SlackRefusedError:
    host = urlsplit(api_url).hostname or api_url
    if isinstance(error, ClientConnectorDNSError):
        return SlackUnreachableError(f"{host} cannot be found: its name has no address.", next_step=_network(host))
    if isinstance(error, ClientSSLError):
        return _AddressError(
            f"{host} answers with a certificate that is not trusted.",
            next_step="Where a proxy opens TLS, name its CA in SSL_CERT_FILE; else look at slack.api_url.",
        )
    reason = "it does not answer in time" if isinstance(error, TimeoutError) else "the connection is refused or breaks"
    return SlackUnreachableError(f"{host} cannot be reached: {reason}.", next_step=_network(host))


def _network(host: str) -> str:
    return f"Check slack.api_url, HTTPS_PROXY and NO_PROXY, and whether this machine may connect to {host}."


def _installed(answer: AsyncSlackResponse) -> Installed:
    """Slack names the token's scopes in a header of every answer; a proxy may have taken it out."""
    header = answer.headers.get("x-oauth-scopes")
    scopes = None if header is None else frozenset(scope.strip() for scope in header.split(","))
    return Installed(_identity(answer), scopes, str(answer.headers.get("Date", "")))


def _identity(bot: AsyncSlackResponse) -> Identity:
    return Identity(
        team=str(bot.get("team", "")),
        team_id=str(bot.get("team_id", "")),
        user=str(bot.get("user", "")),
        user_id=str(bot.get("user_id", "")),
        bot_id=str(bot.get("bot_id", "")),
    )
