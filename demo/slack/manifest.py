"""An app made from its manifest, as docs.slack.dev/reference/app-manifest describes it."""

from dataclasses import replace

from demo.slack.errors import JsonObject
from demo.slack.workspace import App, Command, Shortcut


def app_of(manifest: JsonObject, app: App) -> App:
    """`app` with the name, commands, shortcuts and events of the manifest."""
    features = manifest.get("features", {})
    events = manifest["settings"].get("event_subscriptions", {}).get("bot_events", ())
    return replace(
        app,
        name=manifest["display_information"]["name"],
        bot_events=frozenset(events),
        commands=tuple(
            Command(each["command"], each["description"], each.get("usage_hint", "").split(",")[0])
            for each in features.get("slash_commands", ())
        ),
        shortcuts=tuple(Shortcut(each["name"], each["callback_id"]) for each in features.get("shortcuts", ())),
    )


def scopes_of(manifest: JsonObject) -> tuple[str, ...]:
    return tuple(manifest["oauth_config"]["scopes"]["bot"])


def urls_of(manifest: JsonObject) -> dict[str, str]:
    """Where each kind of payload is sent; nothing in Socket Mode. Every command must go to one address here."""
    settings = manifest["settings"]
    if settings.get("socket_mode_enabled"):
        return {}
    (commands,) = {each["url"] for each in manifest["features"]["slash_commands"]}
    return {
        "slash_commands": commands,
        "events_api": settings["event_subscriptions"]["request_url"],
        "interactive": settings["interactivity"]["request_url"],
    }
