"""The Slack app's manifest asks for what the bot uses, and Slack would take it.

Keys and limits: docs.slack.dev/reference/app-manifest, and slackapi/manifest-schema (no additional properties).
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.slack.verify import POLICY_SCOPES, SCOPES
from handlers.shortcuts import SHORTCUT, TITLE

PATH = Path(__file__).parents[3] / "config" / "slack-manifest.yaml"
KNOWN = {
    "": {"_metadata", "display_information", "features", "oauth_config", "settings"},
    "display_information": {"name", "description", "long_description", "background_color"},
    "features": {"app_home", "assistant_view", "bot_user", "shortcuts", "slash_commands", "unfurl_domains"},
    "features.app_home": {"home_tab_enabled", "messages_tab_enabled", "messages_tab_read_only_enabled"},
    "features.bot_user": {"display_name", "always_online"},
    "oauth_config": {"redirect_urls", "scopes"},
    "settings": {
        "allowed_ip_address_ranges",
        "event_subscriptions",
        "interactivity",
        "org_deploy_enabled",
        "socket_mode_enabled",
        "token_rotation_enabled",
    },
}


@pytest.fixture(scope="module")
def manifest() -> Any:  # noqa: ANN401  # YAML, whose shape the tests check
    return yaml.safe_load(PATH.read_text("utf-8"))


@pytest.mark.parametrize("path", sorted(KNOWN))
def test_slack_knows_every_key(manifest: Any, path: str) -> None:  # noqa: ANN401  # the same
    level = manifest
    for key in filter(None, path.split(".")):
        level = level[key]
    assert set(level) <= KNOWN[path]


def test_the_names_are_within_slacks_limits(manifest: Any) -> None:  # noqa: ANN401  # the same
    shown = manifest["display_information"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert re.fullmatch(r"#[0-9a-f]{6}", shown["background_color"])
    assert len(manifest["features"]["bot_user"]["display_name"]) <= 80
    (command,) = manifest["features"]["slash_commands"]
    assert set(command) == {"command", "description", "usage_hint", "should_escape"}
    assert len(command["command"]) <= 32
    assert len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000


def test_the_shortcut_is_the_one_that_is_listened_to(manifest: Any) -> None:  # noqa: ANN401  # the same
    (shortcut,) = manifest["features"]["shortcuts"]
    assert (shortcut["callback_id"], shortcut["type"], shortcut["name"]) == (SHORTCUT, "message", TITLE)
    assert len(shortcut["name"]) <= 24
    assert len(shortcut["description"]) <= 150


def test_it_asks_for_the_scopes_that_the_bot_needs_and_no_others(manifest: Any) -> None:  # noqa: ANN401  # the same
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == {*SCOPES, *POLICY_SCOPES}


def test_what_works_now_is_switched_on(manifest: Any) -> None:  # noqa: ANN401  # the same
    (command,) = manifest["features"]["slash_commands"]
    assert (command["command"], command["should_escape"]) == ("/token", False)
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == ["app_home_opened", "app_mention"]
    assert manifest["settings"]["interactivity"] == {"is_enabled": True}
    assert manifest["features"]["app_home"]["home_tab_enabled"] is True
    assert manifest["settings"]["socket_mode_enabled"] is True
