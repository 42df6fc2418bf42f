"""The table of rights: complete, and no more than the routes that are switched on need."""

from bot.kube.facets.gather import FACETS
from bot.kube.permissions import NEEDS, rules
from bot.model import Routes, Rule

# These read nothing of their own: what they hold was read for another facet, or in another cluster.
DERIVED = {
    "grants",
    "workload",
    "account_name",
    "token_secrets",
    "account_secrets",
    "secrets",
    "spec_tokens",
    "other_issuers",
}


def test_every_facet_stands_in_the_table() -> None:
    assert {spec.name for spec in FACETS} - {need.facet for need in NEEDS} == DERIVED


def test_the_stronger_rights_come_with_their_routes_only() -> None:
    usual = set(rules(Routes(), "shop"))
    strong = {
        Routes(exec=True): {"get pods/exec in namespace shop", "create pods/exec in namespace shop"},
        Routes(probe=True): {"create serviceaccounts/token in namespace shop"},
        Routes(secret_data=True): set[str](),
        Routes(controller_probe="probes"): {
            *(f"{verb} secrets in namespace probes" for verb in ("list", "create", "get", "delete")),
            *(f"{verb} serviceaccounts in namespace probes" for verb in ("list", "create", "delete")),
        },
    }
    reviews = "create tokenreviews.authentication.k8s.io in a ClusterRole"
    for routes, wanted in strong.items():
        more = set(rules(routes, "shop")) - usual
        assert {str(rule) for rule in more} == wanted | {reviews}


def test_nothing_that_a_check_takes_changes_anything() -> None:
    creates = {rule.resource for rule in rules(Routes(), "shop") if rule.verb not in {"get", "list"}}
    assert creates == {"subjectaccessreviews"}


def test_each_rule_stands_where_it_is_needed() -> None:
    found = rules(Routes(), "shop")
    assert Rule(verb="get", resource="pods", namespace="shop") in found
    assert Rule(verb="get", resource="pods/log", namespace="kube-system") in found
    assert Rule(verb="get", resource="nodes") in found
    assert len(found) == len(set(found))
