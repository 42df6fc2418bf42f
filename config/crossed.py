"""What only shows when two settings are seen together. The data may still be of any shape."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from config.mistakes import Path, nearest
from config.policy import PROTECTED

_WILD = "*?["

Crossed = Iterator[tuple[Path, str]]
"""Where, and what is wrong there."""


def mistakes(data: Mapping[str, object]) -> Crossed:
    clusters = _sections(data, "clusters")
    names = [name for cluster in clusters.values() for name in _texts([cluster.get("name")])]
    for index in _again(clusters):
        yield ("clusters", index, "name"), "another cluster has this name already"
    if _value(data, "slack", "mode") == "http" and _value(data, "web", "port") is None:
        yield ("slack", "mode"), "http needs web.port, where Slack's requests come in"
    channels = data.get("channels")
    for channel, entry in channels.items() if isinstance(channels, dict) else ():
        name = entry.get("cluster") if isinstance(entry, dict) else None
        if isinstance(name, str) and name not in names:
            yield ("channels", str(channel), "cluster"), _no_cluster(name, names)
    for index, rule in _sections(data, "policy").items():
        for path, sentence in _rule(rule, names):
            yield ("policy", index, *path), sentence
    digests = _sections(data, "digests")
    for index in _again(digests):
        yield ("digests", index, "name"), "another digest has this name already: they would share one memory"
    for index, digest in digests.items():
        for path, sentence in _clusters_of(digest, names):
            yield ("digests", index, *path), sentence


def _again(sections: Mapping[int, Mapping[str, object]]) -> Iterator[int]:
    """The places of those whose name one before them has."""
    seen: set[str] = set()
    for index, section in sections.items():
        for name in _texts([section.get("name")]):
            if name in seen:
                yield index
            seen.add(name)


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


def _value(data: Mapping[str, object], section: str, key: str) -> object:
    found = data.get(section)
    return found.get(key) if isinstance(found, dict) else None


def _sections(data: Mapping[str, object], name: str) -> Mapping[int, Mapping[str, object]]:
    return {index: entry for index, entry in enumerate(_list(data.get(name))) if isinstance(entry, dict)}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in _list(value) if isinstance(item, str))
