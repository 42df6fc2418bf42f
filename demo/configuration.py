"""The configuration that the demo's bot is started with, as anybody would write it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from demo.slack import people as p

MANIFEST = Path(__file__).parents[1] / "config" / "slack-manifest.yaml"
TIMEZONE = "Europe/Berlin"
SCHEDULE = "daily"
SOON = timedelta(seconds=75)
"""From the start to the first digest at the latest: somebody has opened the page by then, and still looks at it."""
PROOF_SECONDS = 60
"""So long a log without a refusal proves that they have stopped: the programs here try again within this time."""
ACTIONS = [
    "restart-workload",
    "delete-pod",
    "create-token-secret",
    "rotate-token-secret",
    "delete-legacy-secret",
    "reactivate-legacy-token",
    "probe-token",
]


def configuration(
    api_url: str, kubeconfig: Path, database: Path, first_digest: datetime, *, proof_seconds: int = PROOF_SECONDS
) -> dict[str, Any]:
    """On call may ask for anything, the approvers decide. What is asked in #shared is decided there, before guests.

    The digest is told every day, for the first time in the minute of `first_digest`.
    """
    minute = first_digest.astimezone(ZoneInfo(TIMEZONE))
    rule = {"actions": ACTIONS, "namespaces": ["*"], "requesters": [p.ON_CALL], "approvers": [p.APPROVERS]}
    return {
        "slack": {"api_url": api_url},
        "clusters": [{"name": "prod", "kubeconfig": str(kubeconfig), "label": "production"}],
        "database": {"url": f"sqlite+aiosqlite:///{database}"},
        "checks": {"exec": True, "probe": True, "read_secret_data": True, "proof_seconds": proof_seconds},
        "identity": {"kubernetes_user": "{email}", "groups": {p.ON_CALL: ["sre"]}},
        "digests": [
            {
                "name": SCHEDULE,
                "cron": f"{minute.minute} {minute.hour} * * *",
                "timezone": TIMEZONE,
                "channel": p.INCIDENT,
                "clusters": ["prod"],
            }
        ],
        "policy": [{**rule, "channels": [p.SHARED]}, {**rule, "approval_channel": p.APPROVALS}],
    }


def scopes() -> tuple[str, ...]:
    """What the app's manifest asks for: a call that needs more is refused here as it would be in Slack."""
    manifest = yaml.safe_load(MANIFEST.read_text("utf-8"))
    return tuple(manifest["oauth_config"]["scopes"]["bot"])
