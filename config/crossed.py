"""What only shows when two settings are seen together. The data may still be of any shape."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from config.mistakes import Path, nearest
from config.policy import PROTECTED

_WILD = "*?["

Crossed = Iterator[tuple[Path, str]]
"""Where, and what is wrong there."""


def mistakes(data: Mapping[str, object]) -> Crossed:
    names: list[str] = []
    for index, cluster in enumerate(_list(data.get("clusters"))):
        name = cluster.get("name") if isinstance(cluster, dict) else None
        if not isinstance(name, str):
            continue
        if name in names:
            yield ("clusters", index, "name"), "another cluster has this name already"
        names.append(name)
    channels = data.get("channels")
    for channel, entry in channels.items() if isinstance(channels, dict) else ():
        name = entry.get("cluster") if isinstance(entry, dict) else None
        if isinstance(name, str) and name not in names:
            yield ("channels", str(channel), "cluster"), _no_cluster(name, names)
    for index, rule in enumerate(_list(data.get("policy"))):
        if isinstance(rule, dict):
            for path, sentence in _rule(rule, names):
                yield ("policy", index, *path), sentence


def _rule(rule: Mapping[str, object], clusters: Sequence[str]) -> Crossed:
    yield from _clusters_of(rule, clusters)
    yield from _namespaces_of(rule)
    yield from _people_of(rule)


def _people_of(rule: Mapping[str, object]) -> Crossed:
    """Whether approvers that are all named one by one can be enough; who is in a user group is not known here."""
    requesters, approvers = set(_texts(rule.get("requesters"))), set(_texts(rule.get("approvers")))
    approvals = str(rule.get("approvals", 1))  # out of the environment it is text
    if not approvers or any(subject[:1] in "Ss" for subject in approvers):
        return
    if approvals.isdecimal() and len(approvers) < int(approvals):
        yield ("approvals",), f"more than there are approvers: the rule names {len(approvers)}"
    elif not rule.get("self_approval") and approvers == requesters and len(approvers) == 1:
        yield ("approvers",), "nobody could agree: the only approver is the only requester; name a second person"


def _clusters_of(rule: Mapping[str, object], clusters: Sequence[str]) -> Crossed:
    for place, name in enumerate(_texts(rule.get("clusters"))):
        if not any(letter in name for letter in _WILD):
            if name not in clusters:
                yield ("clusters", place), _no_cluster(name, clusters)
        elif clusters and not any(fnmatchcase(known, name) for known in clusters):
            yield ("clusters", place), "fits none of the configured clusters"


def _namespaces_of(rule: Mapping[str, object]) -> Crossed:
    """A pattern made for kube-system that does not cover it; "*" is not taken for one."""
    namespaces = _texts(rule.get("namespaces"))
    for place, pattern in enumerate(namespaces):
        for name in sorted(PROTECTED - set(namespaces)):
            if pattern != name and pattern.startswith("kube-") and fnmatchcase(name, pattern):
                sentence = f"does not cover {name}, which counts only where its name stands in full"
                yield ("namespaces", place), f"{sentence}; add {name}, or name the namespaces that are meant"


def _no_cluster(name: str, clusters: Sequence[str]) -> str:
    near = nearest(name, tuple(clusters))
    return f"no cluster of this name is configured{f'; did you mean {near}?' if near else '; add it to clusters'}"


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in _list(value) if isinstance(item, str))
