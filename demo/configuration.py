"""The configuration that the demo's bot is started with, as anybody would write it."""

from pathlib import Path
from typing import Any

import yaml

from demo.slack import people as p

MANIFEST = Path(__file__).parents[1] / "config" / "slack-manifest.yaml"
ACTIONS = [
    "restart-workload",
    "delete-pod",
    "create-token-secret",
    "rotate-token-secret",
    "delete-legacy-secret",
    "reactivate-legacy-token",
    "probe-token",
]


def configuration(api_url: str, kubeconfig: Path, database: Path) -> dict[str, Any]:
    """On call may ask for anything, the approvers decide. What is asked in #shared is decided there, before guests."""
    rule = {"actions": ACTIONS, "namespaces": ["*"], "requesters": [p.ON_CALL], "approvers": [p.APPROVERS]}
    return {
        "slack": {"api_url": api_url},
        "clusters": [{"name": "prod", "kubeconfig": str(kubeconfig), "label": "production"}],
        "database": {"url": f"sqlite+aiosqlite:///{database}"},
        "checks": {"exec": True, "probe": True, "read_secret_data": True},
        "identity": {"kubernetes_user": "{email}", "groups": {p.ON_CALL: ["sre"]}},
        "digests": [
            {
                "name": "daily",
                "cron": "0 9 * * *",
                "timezone": "Europe/Berlin",
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
