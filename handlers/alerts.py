"""Which targets a message names: an alert's labels, a line of kubectl, a log line. Pure; the text is untrusted."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from bot.errors import WrongUsageError
from bot.model import Target
from bot.redact import redact
from bot.targets import KINDS, parse_target

MOST = 5
_MOST_TEXT = 20_000  # characters; Slack's longest message has 40 000
_DEEPEST = 12
_SAID_IN = ("pretext", "title", "text", "value", "fallback", "elements", "fields", "blocks", "attachments")

_NAME = r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?"
_LINK = re.compile(r"<(?:https?://|mailto:)[^|>]*(?:\|([^>]*))?>|https?://\S+")
# What Prometheus, Loki and people call them.
_LABELS = {
    **dict.fromkeys(("namespace", "exported_namespace", "kubernetes_namespace", "namespace_name", "ns"), "namespace"),
    **dict.fromkeys(("pod", "pod_name", "kubernetes_pod_name", "exported_pod"), "pod"),
    **dict.fromkeys(("deployment", "statefulset", "daemonset", "cronjob"), ""),
    **dict.fromkeys(("serviceaccount", "service_account"), "serviceaccount"),
    "job_name": "job",
    "cluster": "cluster",
}
_OBJECTS = ("pod", "deployment", "statefulset", "daemonset", "job", "cronjob", "serviceaccount")
_AROUND = r"[ \t\"'`*_\\]*"
_LABEL = re.compile(
    rf"(?<![a-zA-Z0-9_.-])(?P<key>(?i:{'|'.join(_LABELS)})){_AROUND}(?:=|:){_AROUND}(?P<value>[A-Za-z0-9][\w.-]*)"
)
_ACCOUNT = re.compile(r"system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})")
_FLAG = re.compile(r"(?:^|\s)(?:-n|--namespace)[ =]+[\"']?([a-z0-9-]{1,63})")
_IN_NAMESPACE = re.compile(r"(?:\bin|\bof)(?: the)? namespace:? [\"'`*“]*([a-z0-9-]{1,63})")
# The letters and digits of which Kubernetes makes names: no vowels, nothing that looks like another.
_MADE_UP = r"[bcdfghjklmnpqrstvwxz2456789]"
_POD = re.compile(rf"(?<![\w./:@-])([a-z0-9][-a-z0-9.]{{0,240}}-{_MADE_UP}{{6,10}}-{_MADE_UP}{{5}})(?![\w/-])")
_SLASHED = re.compile(rf"(?<![\w./:@-])((?:[a-z0-9-]{{1,63}}/)?(?:{'|'.join(KINDS)})/{_NAME})(?![\w/:@])")
_POD_PATH = re.compile(
    rf"(?<![\w./:@-])([a-z0-9-]{{1,63}}/[a-z0-9][-a-z0-9.]{{0,240}}-(?:{_MADE_UP}{{6,10}}-)?(?:{_MADE_UP}{{5}}|\d{{1,3}}))"
    r"(?![\w/:@-])"
)


@dataclass(slots=True)
class _Alert:
    """The labels that stand together."""

    labels: dict[str, str] = field(default_factory=dict)


def targets_in(message: Mapping[str, object], clusters: Collection[str]) -> tuple[Target, ...]:
    """The targets that the message names, at most five, those of its labels first. `clusters` are those that exist."""
    text = _text(message)
    found: dict[str, Target] = {}
    for cluster, written in _written(text, clusters):
        try:
            target = parse_target(f"{cluster}:{written}" if cluster else written)
        except WrongUsageError:
            continue
        found.setdefault(str(target), target)
    # A pod by its kind and the same one without are one.
    plain = {(one.cluster, one.namespace, one.name) for one in found.values() if one.kind}
    chosen = [one for one in found.values() if one.kind or (one.cluster, one.namespace, one.name) not in plain]
    return tuple(chosen[:MOST])


def _text(message: Mapping[str, object]) -> str:
    whole = "\n".join(_strings(message, 0))[:_MOST_TEXT]
    plain = _LINK.sub(lambda link: link[1] or " ", whole)
    return redact(plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def _strings(value: object, depth: int) -> Iterator[str]:
    """What people read of a message: its texts, those of its blocks and of its attachments."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple) and depth < _DEEPEST:
        for item in value:
            yield from _strings(item, depth + 1)
    elif isinstance(value, Mapping) and depth < _DEEPEST:
        if isinstance(value.get("title"), str) and isinstance(value.get("value"), str):
            yield f"{value['title']}: {value['value']}"  # a field of an attachment
        for key in _SAID_IN:
            yield from _strings(value.get(key), depth + 1)


def _written(text: str, clusters: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each target's cluster, where one is said, and the target as a person would write it."""
    alerts = list(_alerts(text))
    namespaces: list[str] = []
    for alert in alerts:
        namespace = alert.labels.get("namespace", namespaces[-1] if namespaces else "")
        if namespace:
            namespaces.append(namespace)
        named = alert.labels.get("cluster", "")
        cluster = next((known for known in clusters if known.lower() == named.lower()), "")
        for kind in _OBJECTS:
            if namespace and kind in alert.labels:
                yield cluster, f"{namespace}/{kind}/{alert.labels[kind]}"
    namespaces += _FLAG.findall(text) + _IN_NAMESPACE.findall(text)
    yield from (("", f"{namespace}/serviceaccount/{name}") for namespace, name in _ACCOUNT.findall(text))
    yield from _by_name(text, dict.fromkeys(namespaces))


def _by_name(text: str, namespaces: Collection[str]) -> Iterator[tuple[str, str]]:
    """Names that say by themselves what they are; without a namespace of their own, in the only one that is said."""
    only = next(iter(namespaces)) if len(namespaces) == 1 else ""
    for written in _SLASHED.findall(text):
        whole = written.count("/") > 1 or written.split("/")[0] in {"ns", "namespace", "namespaces"}
        if whole or only:
            yield "", written if whole else f"{only}/{written}"
    yield from (("", written) for written in _POD_PATH.findall(text))
    if only:
        yield from (("", f"{only}/pod/{name}") for name in _POD.findall(text))


def _alerts(text: str) -> Iterator[_Alert]:
    """The labels in the order in which they stand; where one comes again, another alert has begun."""
    alert = _Alert()
    for label in _LABEL.finditer(text):
        key = label["key"].lower()
        name = _LABELS[key] or key
        value = label["value"].rstrip("._-")
        if name in alert.labels and alert.labels[name] != value:
            yield alert
            alert = _Alert()
        alert.labels[name] = value
    yield alert
