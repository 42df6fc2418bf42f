"""The files of deploy/rbac, from the table of rights. `python -m tests.docs.deploy` writes them anew."""

from collections.abc import Mapping
from pathlib import Path

from bot.cli.rbac import Asked, manifests
from bot.kube.roles import FEATURES, READING

RBAC = Path(__file__).parents[2] / "deploy" / "rbac"


def files() -> Mapping[str, str]:
    """What each file has to hold, by its name."""
    asked = Asked(features=FEATURES)
    return {f"{feature}.yaml": manifests(feature, asked) for feature in (READING, *FEATURES)}


if __name__ == "__main__":
    for name, text in files().items():
        (RBAC / name).write_text(text, "utf-8")
