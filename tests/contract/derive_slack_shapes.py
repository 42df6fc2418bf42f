"""Writes slack_shapes.json from a checkout of slackapi/java-slack-sdk: key paths and types, no contents.

    python -m tests.contract.derive_slack_shapes CHECKOUT COMMIT

CHECKOUT needs json-logs/samples and slack-api-client/src/test; COMMIT is noted as the place they were read.
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

REPOSITORY = "https://github.com/slackapi/java-slack-sdk"
SAMPLES = Path("json-logs/samples")
SOCKET_MODE = Path("slack-api-client/src/test/java/util/socket_mode/MockSocketMode.java")
METHODS = (
    *("api.test", "auth.test", "apps.connections.open", "bots.info", "team.info", "reactions.add"),
    *("chat.postMessage", "chat.update", "chat.postEphemeral", "chat.delete", "chat.getPermalink"),
    *("conversations.info", "conversations.members", "conversations.open"),
    *("conversations.history", "conversations.replies"),
    *("users.info", "users.list", "users.lookupByEmail", "usergroups.list", "usergroups.users.list"),
    *("views.open", "views.update", "views.push", "views.publish"),
)
PAYLOADS = {
    "slash_command": "app-backend/slash-commands/SlashCommandPayload.json",
    "block_actions": "app-backend/interactive-components/BlockActionPayload.json",
    "message_action": "app-backend/interactive-components/MessageShortcutPayload.json",
    "view_submission": "app-backend/views/ViewSubmissionPayload.json",
    "view_closed": "app-backend/views/ViewClosedPayload.json",
    "app_mention": "events/AppMentionPayload.json",
    "app_home_opened": "events/AppHomeOpenedPayload.json",
}
# Parts the stand-in never sends; blocks are an app's own and come back as they were sent.
LEFT_OUT = frozenset({"attachments", "files", "file", "room", "comment", "item", "blocks", "title_blocks"})
TYPES = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object", list: "array"}

Shape = dict[str, set[str]]


def type_of(value: object) -> str:
    return TYPES.get(type(value), "null")


def paths(value: object, at: str = "", left_out: frozenset[str] = LEFT_OUT) -> Shape:
    """Every key path with its types: `message.reactions[].count` → {"number"}."""
    found: Shape = defaultdict(set)
    if at:
        found[at].add(type_of(value))
    children: list[tuple[str, object]] = []
    if isinstance(value, dict):
        children = [(f"{at}.{key}" if at else key, entry) for key, entry in value.items() if key not in left_out]
    elif isinstance(value, list):
        children = [(f"{at}[]", entry) for entry in value]
    for path, entry in children:
        for inner, types in paths(entry, path, left_out).items():
            found[inner] |= types
    return found


def folded(shape: Shape) -> dict[str, str]:
    """One line for each object: its path, then `key:type` words."""
    lines: dict[str, list[str]] = defaultdict(list)
    for path in sorted(shape):
        parent, _, key = path.rpartition(".")
        lines[parent].append(f"{key}:{'|'.join(sorted(shape[path]))}")
    return {parent: " ".join(words) for parent, words in lines.items()}


def unfolded(lines: dict[str, str]) -> Shape:
    shape: Shape = {}
    for parent, words in lines.items():
        for word in words.split():
            key, _, types = word.rpartition(":")
            shape[f"{parent}.{key}" if parent else key] = set(types.split("|"))
    return shape


def java_objects(source: str) -> list[dict[str, Any]]:
    """The JSON objects written as concatenated string literals in a Java file."""
    literal = r'"(?:\\.|[^"\\])*"'
    found = []
    for run in re.findall(rf"{literal}(?:\s*\+\s*{literal})+", source):
        text = "".join(json.loads(part) for part in re.findall(literal, run))
        if text.startswith("{"):
            found.append(json.loads(text))
    return found


def derive(checkout: Path, commit: str) -> dict[str, Any]:
    files = {method: f"api/{method}.json" for method in METHODS} | PAYLOADS
    shapes = {name: folded(paths(json.loads((checkout / SAMPLES / file).read_text()))) for name, file in files.items()}
    for frame in java_objects((checkout / SOCKET_MODE).read_text()):
        payload = frame.pop("payload", {})
        shapes[f"frame {frame['type']}"] = folded(paths(frame))
        if payload:
            shapes[f"example {frame['type']}"] = folded(paths(payload))
        if "event" in payload:
            blocks = payload["event"]["blocks"]
            shapes["composer blocks"] = folded(paths({"blocks": blocks}, left_out=frozenset()))
    read_from = {"repository": REPOSITORY, "commit": commit, "files": [f"{SAMPLES}/**", str(SOCKET_MODE)]}
    return {"read_from": read_from, "written_by": "tests/contract/derive_slack_shapes.py", "shapes": shapes}


if __name__ == "__main__":
    target = Path(__file__).with_name("slack_shapes.json")
    target.write_text(json.dumps(derive(Path(sys.argv[1]), sys.argv[2]), indent=1) + "\n")
