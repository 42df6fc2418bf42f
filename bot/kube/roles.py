"""The least RBAC for each feature, from the one table of rights (`bot/kube/permissions.py`).

A feature is a way of looking that is off by default, or an action; what every check reads is READING. A feature's
roles hold only what reading does not.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from bot.kube.permissions import effect_rules, rules
from bot.model import ActionKind, Routes, Rule
from config.policy import Rule as PolicyRule
from config.settings import Checks

READING = "reading"
USUAL_PROBES = "token-doctor-probe"
EVERYWHERE = ("",)

ROUTES: Mapping[str, Callable[[str], Routes]] = {
    "probe": lambda _: Routes(probe=True),
    "exec": lambda _: Routes(exec=True),
    "secret-data": lambda _: Routes(secret_data=True),
    "controller-probe": lambda probes: Routes(controller_probe=probes),
}
"""By the namespace for throw-away objects."""

FEATURES: tuple[str, ...] = (*ROUTES, *(kind.value for kind in ActionKind))

_VERBS = ("get", "list", "create", "patch", "delete")


class Role(Struct, frozen=True, kw_only=True):
    """A Role, or a ClusterRole where `namespace` is "", and the binding of the same name."""

    name: str
    namespace: str
    rules: tuple[Rule, ...]

    @property
    def kind(self) -> str:
        return "Role" if self.namespace else "ClusterRole"

    def lines(self) -> Iterator[str]:
        """Its rules, each as a line of YAML: resources that may be had in the same way stand together."""
        verbs: dict[tuple[str, str, str], list[str]] = {}
        for rule in self.rules:
            verbs.setdefault((rule.group, rule.resource, rule.name), []).append(rule.verb)
        alike: dict[tuple[str, str, tuple[str, ...], bool], list[str]] = {}
        for (group, resource, name), each in verbs.items():
            key = (group, name, tuple(sorted(each, key=_VERBS.index)), resource.startswith("/"))
            alike.setdefault(key, []).append(resource)
        for (group, name, may, bare), resources in alike.items():
            what = f"nonResourceURLs: {_listed(resources)}"
            if not bare:
                only = f"resourceNames: {_listed([name])}, " if name else ""
                what = f"apiGroups: {_listed([group])}, resources: {_listed(resources)}, {only}".removesuffix(", ")
            yield f"- {{{what}, verbs: {_listed(may)}}}"


def switched_on(checks: Checks, policy: Sequence[PolicyRule]) -> tuple[str, ...]:
    """What the configuration allows beyond reading: the stronger routes, and the actions of any rule."""
    routes = {
        "probe": checks.probe,
        "exec": checks.exec,
        "secret-data": checks.read_secret_data,
        "controller-probe": bool(checks.controller_probe),
    }
    actions = {action for rule in policy for action in rule.actions}
    return tuple(feature for feature in FEATURES if (routes[feature] if feature in ROUTES else feature in actions))


def roles(feature: str, *, namespaces: Sequence[str] = EVERYWHERE, probes: str = USUAL_PROBES) -> tuple[Role, ...]:
    """What the feature takes for targets in these namespaces: first of all namespaces, then of single ones."""
    wanted = _wanted(feature, namespaces, probes)
    had = [] if feature == READING else _wanted(READING, namespaces, probes)
    placed: dict[str, list[Rule]] = {}
    for rule in wanted:
        if rule not in had and not any(_covers(other, rule) for other in (*had, *wanted)):
            placed.setdefault(rule.namespace, []).append(rule)
    return tuple(
        Role(name=f"token-doctor-{feature}", namespace=namespace, rules=tuple(placed[namespace]))
        for namespace in sorted(placed)
    )


def _wanted(feature: str, namespaces: Iterable[str], probes: str) -> list[Rule]:
    found: dict[Rule, None] = {}
    for namespace in namespaces:
        if feature in ROUTES or feature == READING:
            routes = ROUTES[feature](probes) if feature in ROUTES else Routes()
            found |= dict.fromkeys(rules(routes, namespace))
        else:
            found |= dict.fromkeys(effect_rules([ActionKind(feature)], namespace))
    return list(found)


def _covers(wide: Rule, rule: Rule) -> bool:
    """Whether another rule holds for more, and for this one too."""
    return (
        wide != rule
        and (wide.verb, wide.group, wide.resource) == (rule.verb, rule.group, rule.resource)
        and wide.namespace in {"", rule.namespace}
        and wide.name in {"", rule.name}
    )


def _listed(words: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"
