"""`[cluster:]namespace/[kind/]name` or `[cluster:]namespace/NAME`, as a person types it, into a Target. Pure."""

import re

from bot.errors import WrongUsageError
from bot.model import Target

EXAMPLE = "shop/checkout-5d9c7b-x7k2p"

KINDS = {
    "po": "pod",
    "pod": "pod",
    "pods": "pod",
    "deploy": "deployment",
    "deployment": "deployment",
    "deployments": "deployment",
    "sts": "statefulset",
    "statefulset": "statefulset",
    "statefulsets": "statefulset",
    "ds": "daemonset",
    "daemonset": "daemonset",
    "daemonsets": "daemonset",
    "rs": "replicaset",
    "replicaset": "replicaset",
    "replicasets": "replicaset",
    "job": "job",
    "jobs": "job",
    "cj": "cronjob",
    "cronjob": "cronjob",
    "cronjobs": "cronjob",
    "sa": "serviceaccount",
    "serviceaccount": "serviceaccount",
    "serviceaccounts": "serviceaccount",
    "secret": "secret",
    "secrets": "secret",
    "ns": "namespace",
    "namespace": "namespace",
    "namespaces": "namespace",
}

_WRAPPERS = " \t\r\n`'\"“”\u2018\u2019"
_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(?:\.{_LABEL.pattern})*")
_CLUSTER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@:/-]*[A-Za-z0-9])?")
_MOST_LABEL = 63
_MOST_NAME = 253
_MOST_SHOWN = 60
_WITH_KIND = 3
_NEXT_STEP = f"Write it as namespace/name, for example `{EXAMPLE}`, or as cluster:namespace/name."


def parse_target(text: str, *, namespace: str = "") -> Target:
    """The Target that the text names; spaces, quotes and backticks around it are forgiven.

    The kind's usual short names are understood and written out. With a `namespace` said elsewhere the text is
    `[cluster:][kind/]name`. A namespace itself is `namespace/shop` or `shop/namespace/shop`, `ns` for short; one that
    is really called `ns` has its objects addressed with their kind. Raises WrongUsageError.
    """
    cleaned = text.strip(_WRAPPERS)
    cluster, colon, rest = cleaned.rpartition(":")
    if colon:
        _refuse_unless(_CLUSTER.fullmatch(cluster), "is not a cluster's name", cluster)
    parts = rest.split("/")
    if not cleaned or not all(parts):
        raise WrongUsageError("That names no target: a part of it is empty.", next_step=_NEXT_STEP)
    if namespace:
        parts = [namespace, *parts]
    elif len(parts) == _WITH_KIND - 1 and KINDS.get(parts[0].lower()) == "namespace":
        parts = [parts[1], *parts]
    if len(parts) == 1:
        raise WrongUsageError(f"“{_shown(rest)}” does not say the namespace.", next_step=_NEXT_STEP)
    if len(parts) > _WITH_KIND:
        raise WrongUsageError(f"“{_shown(rest)}” has more than three parts.", next_step=_NEXT_STEP)
    kind = _kind(parts[1]) if len(parts) == _WITH_KIND else ""
    return _target(cluster, parts[0], kind, parts[-1])


def _target(cluster: str, namespace: str, kind: str, name: str) -> Target:
    _refuse_unless(_is(_LABEL, namespace, _MOST_LABEL), "is not a namespace's name", namespace)
    _refuse_unless(_is(_SUBDOMAIN, name, _MOST_NAME), "is not an object's name", name)
    if kind == "namespace" and name != namespace:
        raise WrongUsageError(
            f"Namespace “{_shown(name)}” is not inside namespace “{_shown(namespace)}”.",
            next_step=f"Write `namespace/{name}` to have all of it checked.",
        )
    return Target(cluster=cluster, namespace=namespace, kind=kind, name=name)


def _kind(word: str) -> str:
    kind = KINDS.get(word.lower())
    if kind is None:
        known = ", ".join(sorted(set(KINDS.values())))
        raise WrongUsageError(f"“{_shown(word)}” is not a kind that is known here ({known}).", next_step=_NEXT_STEP)
    return kind


def _is(pattern: re.Pattern[str], name: str, most: int) -> bool:
    return len(name) <= most and pattern.fullmatch(name) is not None


def _refuse_unless(fits: object, complaint: str, word: str) -> None:
    if fits:
        return
    hint = "; names have lower-case letters, digits and hyphens" if "cluster" not in complaint else ""
    raise WrongUsageError(f"“{_shown(word)}” {complaint}{hint}.", next_step=_NEXT_STEP)


def _shown(word: str) -> str:
    return word if len(word) <= _MOST_SHOWN else word[:_MOST_SHOWN] + "…"
