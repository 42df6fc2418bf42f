"""One page a cause, shipped with the program and shown by `explain`."""

import re

PLACEHOLDERS = {
    "NS": "the namespace",
    "POD": "",
    "CONTAINER": "",
    "TOKEN_FILE": "the token's path in the container",
    "ACCOUNT": "the service account",
    "DEPLOYMENT": "other kinds: statefulset/NAME, daemonset/NAME",
    "SECRET": "",
    "KEY": "the key in the Secret's data",
    "NODE": "",
    "CONTEXT": "the other cluster's, in your kubeconfig",
}
"""What a reader fills into a page's commands: the same few words on every page, explained where they need it."""

PLACEHOLDER = re.compile(rf"\b({'|'.join(PLACEHOLDERS)})\b(?!:\.)")
"""One of them in a command; a column's heading, as in `NODE:.spec.nodeName`, is none."""


def placeholders_in(page: str) -> list[str]:
    """Those of the page's commands and manifests."""
    blocks = re.findall(r"^```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    found = set(PLACEHOLDER.findall("\n".join([*blocks, *re.findall(r"`([^`\n]+)`", page)])))
    return [word for word in PLACEHOLDERS if word in found]


def to_fill_in(page: str) -> str:
    """A sentence for the reader; empty where the page's commands can be typed as they are."""
    explained = (f"{word} ({PLACEHOLDERS[word]})" if PLACEHOLDERS[word] else word for word in placeholders_in(page))
    words = ", ".join(explained)
    return f"To be filled in: {words}." if words else ""
