"""Kubernetes credentials inside a Secret's data: found, decoded, and handed out without the data. Pure.

Most Secrets hold none: their data is searched as it came over the wire, and only what may hold one is decoded. A
private key does not leave the function that reads the document it stands in. Layouts: the projects' own documents
(Argo CD declarative set-up, Cluster API secrets contract, Sveltos and Kamaji kubeconfigs, Flux `kubeConfig`).
"""

import base64
import binascii
import re
from collections.abc import Iterator

from bot.embedded import argo_cd, kubeconfig
from bot.embedded.found import Found, shown, token
from bot.embedded.secret import NOT_OURS, SecretData, is_known, layout_of, may_hold, may_hold_one, must_be_kubeconfig
from bot.model import ClaimsKind, Layout

__all__ = ["MOST_BYTES", "NOT_OURS", "Found", "SecretData", "credentials", "may_hold", "shown"]

MOST_BYTES = 1024 * 1024
"""More than this in one value is not looked into; no Secret may hold more."""

_MOST_TOKENS = 20
_TOKEN = re.compile(rb"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+")


def credentials(secret: SecretData) -> tuple[Found, ...]:
    """Every Kubernetes credential in the Secret, in the order of its keys.

    A token that is no service account's counts only where a kubeconfig or Argo CD shows it to an API server.
    """
    if not may_hold(secret.type):
        return ()
    known, data = is_known(secret), secret.data or {}
    if not known and not may_hold_one("\n".join(data.values())):  # one search instead of many: most hold none
        return ()
    wanted = (item for item in sorted(data.items()) if known or may_hold_one(item[1]))
    return tuple(found for key, value in wanted for found in _in_value(secret, key, value))


def _in_value(secret: SecretData, key: str, encoded: str) -> Iterator[Found]:
    layout = layout_of(secret, key)
    must_be = must_be_kubeconfig(layout, key)
    is_cluster = layout is Layout.ARGO_CD and key == "config"
    if layout is Layout.TOKEN_SECRET and key != "token":
        return
    if not (must_be or is_cluster or may_hold_one(encoded)):
        return
    place = f"key {shown(key)}"
    text, problem = _decoded(encoded)
    if text is None:
        yield Found(place=place, layout=layout, problem=problem)
    elif layout is Layout.TOKEN_SECRET:
        yield from token(Found(place=place, layout=layout), text.decode("utf-8", "replace"))
    elif is_cluster:
        server, _ = _decoded((secret.data or {}).get("server", ""))
        yield from argo_cd.cluster(place, text, (server or b"").decode("utf-8", "replace"))
    elif must_be or (b"users" in text and b"clusters" in text):
        yield from _in_kubeconfig(place, layout, text, must_be=must_be)
    else:
        yield from _loose(place, text)


def _in_kubeconfig(place: str, layout: Layout, text: bytes, *, must_be: bool) -> Iterator[Found]:
    config, problem = kubeconfig.read(text)
    if config is not None and config.users is not None:
        yield from kubeconfig.users(place, layout, config)
    elif problem and (must_be or kubeconfig.is_meant(text)):
        yield Found(place=place, layout=layout, problem=problem)
    else:
        yield from _loose(place, text)


def _decoded(encoded: str) -> tuple[bytes | None, str]:
    """The value, or why there is none."""
    if len(encoded) > MOST_BYTES * 4 // 3 + 4:
        return None, f"is larger than {MOST_BYTES // 1024} KiB and was not looked into"
    try:
        return base64.b64decode(encoded, validate=True), ""
    except binascii.Error:
        return None, "is not base64"


def _loose(place: str, text: bytes) -> Iterator[Found]:
    """Bare tokens; whatever else the Secret's name and key would mean."""
    for number, text_of_one in enumerate(dict.fromkeys(_TOKEN.findall(text)[:_MOST_TOKENS]), 1):
        where = place if number == 1 else f"{place}, token {number}"
        for found in token(Found(place=where, layout=Layout.TOKEN), text_of_one.decode()):
            if found.claims and found.claims.kind is not ClaimsKind.FOREIGN:
                yield found
