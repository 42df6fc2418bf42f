"""`manifest`: the manifest of the Slack app, for what is switched on and for how Slack gets here."""

import json
import sys
from collections.abc import Collection, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from bot.cli.configuration import WRONG, loaded
from bot.errors import WrongUsageError
from bot.slack.http import PATH
from bot.slack.verify import LOOKUP_SCOPES, needed

Manifest = dict[str, Any]

_DONE = 0
_WIDTH = 120
_ADDRESS = "Give the address under which Slack reaches the bot, such as --url https://token-doctor.example.com."
_TOKEN = "Install App → the Bot User OAuth Token is SLACK_BOT_TOKEN."  # noqa: S105  # says where one is found
_STEPS = {
    False: "Basic Information → App-Level Tokens → one with connections:write is SLACK_APP_TOKEN.",
    True: "Basic Information → App Credentials → the Signing Secret is SLACK_SIGNING_SECRET.",
}


def run(config: Path | None, url: str, *, as_json: bool) -> int:
    """Without a configuration every scope is asked for. Raises WrongUsageError."""
    settings = loaded(config)
    if settings is None:
        return WRONG
    address = _requests(url) if url else ""
    if settings.slack.mode == "http" and not address:
        raise WrongUsageError("slack.mode is http, and a manifest for it names an address.", next_step=_ADDRESS)
    scopes = {**needed(policy=bool(settings.policy) or not config), **LOOKUP_SCOPES}
    found = manifest(scopes, address)
    if as_json:
        sys.stdout.write(f"{json.dumps(found, ensure_ascii=False, indent=2)}\n")
        return _DONE
    for line in (
        "https://api.slack.com/apps → Create New App → From a manifest. Afterwards:",
        _STEPS[bool(address)],
        _TOKEN,
    ):
        sys.stdout.write(f"# {line}\n")
    sys.stdout.write(yaml.safe_dump(found, allow_unicode=True, sort_keys=False, width=_WIDTH))
    return _DONE


def manifest(scopes: Collection[str], address: str = "") -> Manifest:
    """For these of the bot's scopes; `address` is where Slack sends its requests, "" for Socket Mode."""
    whole: Manifest = yaml.safe_load((files("config") / "slack-manifest.yaml").read_text("utf-8"))
    asked = whole["oauth_config"]["scopes"]
    asked["bot"] = [scope for scope in asked["bot"] if scope in scopes]
    return _over_http(whole, address) if address else whole


def _over_http(whole: Mapping[str, Any], address: str) -> Manifest:
    features, settings = whole["features"], whole["settings"]
    # The address right after the command's name, where a person looks for it.
    commands = [{"command": each["command"], "url": address, **each} for each in features["slash_commands"]]
    return {
        **whole,
        "features": {**features, "slash_commands": commands},
        "settings": {
            **settings,
            "event_subscriptions": {"request_url": address, **settings["event_subscriptions"]},
            "interactivity": {**settings["interactivity"], "request_url": address},
            "socket_mode_enabled": False,
        },
    }


def _requests(url: str) -> str:
    """Where requests go below this address. Raises WrongUsageError."""
    try:
        parts = urlsplit(url)
        wrong = parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment
    except ValueError:
        wrong = True
    if wrong:
        raise WrongUsageError(f"Slack sends nothing to {url}: it must be a plain https:// address.", next_step=_ADDRESS)
    return f"{url.rstrip('/').removesuffix(PATH)}{PATH}"
