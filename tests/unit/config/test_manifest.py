"""The Slack app's manifest asks for what the bot uses, and Slack would take it.

Slack's own schema judges: manifest_schema/ is from github.com/slackapi/manifest-schema (MIT, a936b12), as it stands
there, with its two examples.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli.manifest import manifest as made
from bot.slack.verify import LOOKUP_SCOPES, POLICY_SCOPES, SCOPES
from handlers.shortcuts import SHORTCUT, TITLE
from tests.unit.config.json_schema import violations

PATH = Path(__file__).parents[3] / "config" / "slack-manifest.yaml"
PUBLISHED = Path(__file__).parent / "manifest_schema"
SCHEMA = json.loads((PUBLISHED / "manifest.schema.1.0.0.json").read_text("utf-8"))
ADDRESS = "https://token-doctor.example.com/slack/events"
ALL = (*SCOPES, *POLICY_SCOPES, *LOOKUP_SCOPES)


def wrong(manifest: object) -> list[str]:
    return list(violations(manifest, SCHEMA, SCHEMA))


@pytest.fixture
def manifest() -> Any:  # noqa: ANN401  # YAML, whose shape the tests check
    return yaml.safe_load(PATH.read_text("utf-8"))


def test_the_schema_takes_slacks_good_example_and_refuses_its_bad_one() -> None:
    good, bad = (json.loads((PUBLISHED / f"{name}.json").read_text("utf-8")) for name in ("valid", "invalid"))
    assert wrong(good) == []
    assert wrong(bad)


@pytest.mark.parametrize("address", ["", ADDRESS])
@pytest.mark.parametrize("scopes", [tuple(SCOPES), ALL])
def test_slack_takes_every_manifest_that_is_printed(scopes: tuple[str, ...], address: str) -> None:
    assert wrong(made(scopes, address)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("display_information.name", "x" * 36),
        ("display_information.description", "x" * 141),
        ("display_information.background_color", "blue"),
        ("features.bot_user.display_name", "x" * 81),
        ("features.slash_commands.0.command", "token"),
        ("features.slash_commands.0.url", "token-doctor.example.com"),
        ("features.slash_commands.0.usage_hint", "x" * 1001),
        ("features.slash_commands.0.hint", "x"),
        ("features.shortcuts.0.name", "x" * 25),
        ("features.shortcuts.0.type", "private"),
        ("settings.interactivity.request_url", 7),
        ("settings.socket_mode", True),
        ("settings.event_subscriptions.bot_events", ["app_mention", "app_mention"]),
        ("oauth_config.scopes.bot", "commands"),
    ],
)
def test_a_mistake_would_show(manifest: Any, path: str, value: object) -> None:  # noqa: ANN401  # the same
    level = manifest
    *way, last = path.split(".")
    for key in way:
        level = level[int(key) if key.isdigit() else key]
    level[last] = value
    assert wrong(manifest)


def test_the_shortcut_is_the_one_that_is_listened_to(manifest: Any) -> None:  # noqa: ANN401  # the same
    (shortcut,) = manifest["features"]["shortcuts"]
    assert (shortcut["callback_id"], shortcut["type"], shortcut["name"]) == (SHORTCUT, "message", TITLE)


def test_it_asks_for_the_scopes_that_the_bot_needs_and_no_others(manifest: Any) -> None:  # noqa: ANN401  # the same
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == set(ALL)
    assert made(ALL) == manifest


def test_what_works_now_is_switched_on(manifest: Any) -> None:  # noqa: ANN401  # the same
    (command,) = manifest["features"]["slash_commands"]
    assert (command["command"], command["should_escape"]) == ("/token", False)
    assert manifest["settings"]["event_subscriptions"] == {"bot_events": ["app_home_opened", "app_mention"]}
    assert manifest["settings"]["interactivity"] == {"is_enabled": True}
    assert manifest["features"]["app_home"]["home_tab_enabled"] is True
    assert manifest["settings"]["socket_mode_enabled"] is True


def test_over_http_all_that_slack_sends_goes_to_one_address() -> None:
    found = made(ALL, ADDRESS)
    assert found["settings"]["socket_mode_enabled"] is False
    (command,) = found["features"]["slash_commands"]
    settings = found["settings"]
    assert command["url"] == settings["interactivity"]["request_url"] == ADDRESS
    assert settings["event_subscriptions"]["request_url"] == ADDRESS


def test_without_a_policy_the_scopes_of_remedies_are_not_asked_for() -> None:
    assert set(made(SCOPES)["oauth_config"]["scopes"]["bot"]) == set(SCOPES)
