"""The least RBAC for each feature: nothing is missing, nothing twice, and nothing wider than it has to be."""

from itertools import product

import pytest
import yaml

from bot.kube.permissions import EFFECT_NEEDS, effect_rules, rules
from bot.kube.roles import FEATURES, READING, ROUTES, Role, roles
from bot.model import ActionKind, Routes, Rule

PLACES = ((), ("shop",), ("shop", "kube-system"))


def granted(*found: Role) -> set[Rule]:
    """What the lines of YAML say."""
    return {
        Rule(verb=verb, resource=resource, group=group, namespace=role.namespace, name=name)
        for role in found
        for line in role.lines()
        for rule in yaml.safe_load(line)
        for verb in rule["verbs"]
        for group in rule.get("apiGroups", [""])
        for resource in (*rule.get("resources", ()), *rule.get("nonResourceURLs", ()))
        for name in rule.get("resourceNames", [""])
    }


def allowed(rule: Rule, by: set[Rule]) -> bool:
    wide = product({"", rule.namespace}, {"", rule.name})
    same = {"verb": rule.verb, "resource": rule.resource, "group": rule.group}
    return any(Rule(**same, namespace=namespace, name=name) in by for namespace, name in wide)


def wanted(feature: str, namespace: str) -> tuple[Rule, ...]:
    if feature in EFFECT_NEEDS:
        return effect_rules([ActionKind(feature)], namespace)
    return rules(ROUTES[feature]("probes") if feature in ROUTES else Routes(), namespace)


@pytest.mark.parametrize("namespaces", PLACES, ids=str)
@pytest.mark.parametrize("feature", [READING, *FEATURES])
def test_with_what_reading_has_it_is_all_that_the_feature_takes(feature: str, namespaces: tuple[str, ...]) -> None:
    places = namespaces or ("",)
    have = granted(*(role for each in {READING, feature} for role in roles(each, namespaces=places, probes="probes")))
    takes = {rule for each in {READING, feature} for place in places for rule in wanted(each, place)}
    assert [str(rule) for rule in takes if not allowed(rule, have)] == []
    assert have <= takes


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_s_roles_hold_nothing_that_reading_has(feature: str) -> None:
    read = granted(*roles(READING))
    own = granted(*roles(feature))
    assert own
    assert not any(allowed(rule, read) for rule in own)


def test_every_action_and_every_route_is_a_feature() -> None:
    assert set(FEATURES) == {*ROUTES, *ActionKind}


def test_what_is_of_one_namespace_is_granted_there_alone() -> None:
    found = {role.namespace: granted(role) for role in roles(READING)}
    assert list(found) == ["", "default", "kube-node-lease", "kube-system"]
    assert {rule.resource for rule in found["kube-system"]} == {"leases", "configmaps"}
    assert not any(rule.resource in {"leases", "endpointslices"} for rule in found[""])
    assert {rule.name for rule in found[""] if rule.resource == "configmaps"} == {"kube-root-ca.crt"}


def test_for_some_namespaces_only_nothing_is_granted_elsewhere() -> None:
    found = {role.namespace: granted(role) for role in roles("create-token-secret", namespaces=("shop", "cart"))}
    assert list(found) == ["", "cart", "shop"]
    assert {str(rule) for rule in found[""]} == {"create tokenreviews.authentication.k8s.io in a ClusterRole"}
    assert {str(rule) for rule in found["shop"]} == {"create secrets in namespace shop"}


def test_lines_put_together_what_may_be_had_in_the_same_way() -> None:
    (role,) = roles("exec")
    assert list(role.lines()) == [
        '- {apiGroups: [""], resources: ["pods/exec"], verbs: ["get", "create"]}',
        '- {apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"], verbs: ["create"]}',
    ]
