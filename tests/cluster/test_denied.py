"""Each right of the table is taken away in turn by real RBAC: what is said then, and whether the mend opens it.

Driven by the table itself (bot/kube/permissions.py): a facet that is added there is covered here.
"""

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
import yaml
from msgspec.structs import replace

from bot.diagnosis import conclude
from bot.diagnosis.checks import CHECKS
from bot.errors import ClusterForbiddenError
from bot.kube.client import Cluster, connect, utc_now
from bot.kube.facets.gather import FACETS
from bot.kube.facets.graph import POD
from bot.kube.permissions import NEEDS, TARGETS, Need, rules
from bot.kube.permissions import PROBES as PLACE_OF_PROBES
from bot.kube.resolve import resolve
from bot.kube.survey import survey
from bot.model import Certainty, Facet, GapKind, Report, Routes, Rule, Severity, Survey, Target, Verdict
from tests.cluster.api import JsonObject
from tests.cluster.faults import Scene, by_name
from tests.cluster.plane import Plane
from tests.cluster.test_matrix import told
from tests.cluster.workloads import path_of

HERE, PROBES = "the target's", "the probe's"
ROUTES = Routes(exec=True, probe=True, secret_data=True)
RULES = rules(replace(ROUTES, controller_probe=PROBES), HERE)
MEND = re.compile(r"add (?P<lines>`- .+`) to (?:a Role in namespace (?P<namespace>\S+)|a ClusterRole) that is bound to")
SICK = ("expired_and_cached", "account_recreated", "secret_deleted", "two_containers_two_reasons")


@dataclass(frozen=True)
class Shop:
    """A healthy target of each kind, or sick pods; and where throw-away objects may be made."""

    plane: Plane
    probes: str
    targets: tuple[Target, ...]

    def routes(self, wanted: Rule) -> Routes:
        """All of them; the throw-away Secret takes its time, and is made only where its rights are the question."""
        return replace(ROUTES, controller_probe=self.probes if wanted.namespace == PROBES else "")

    def placed(self, rule: Rule) -> list[Rule]:
        """The rule, once for each of the namespaces that are meant."""
        here = dict.fromkeys(target.namespace for target in self.targets)
        places = {HERE: tuple(here), PROBES: (self.probes,)}.get(rule.namespace, (rule.namespace,))
        return [replace(rule, namespace=namespace) for namespace in places]


def target_of(found: JsonObject) -> Target:
    meta = found["metadata"]
    return Target(namespace=meta.get("namespace", meta["name"]), kind=found["kind"].lower(), name=meta["name"])


@pytest.fixture(scope="module")
async def healthy(plane: Plane) -> Shop:
    """A Deployment's pod with a token of each kind; its log tells of a 403 of long ago, which RBAC is asked about."""
    scene = Scene(plane, await plane.create_namespace())
    account = await scene.account()
    await plane.etcd.age(path_of(account), by=scene.month)
    secret = await scene.token_secret()
    container = {"name": "app", "image": "shop/checkout:1.4", "volumeMounts": [{"name": "old", "mountPath": "/old"}]}
    volume = {"name": "old", "secret": {"secretName": "checkout-token"}}
    spec = {"serviceAccountName": "checkout", "containers": [container], "volumes": [volume]}
    deployment = await plane.workloads.deployment(scene.namespace, "web", spec=spec)
    (pod,) = await plane.workloads.pods_of(deployment)
    said = await scene.answer(
        await plane.tokens.mint(scene.namespace, "checkout"), f"/api/v1/namespaces/{scene.namespace}/configmaps"
    )
    scene.log(pod, [(scene.now() - timedelta(hours=3), f"not there: {said}"), *scene.worked(scene.now())])
    namespace = {"kind": "Namespace", "metadata": {"name": scene.namespace}}
    found = (pod, deployment, account, secret, namespace)
    return Shop(plane, await plane.create_namespace(), tuple(map(target_of, found)))


@pytest.fixture(scope="module")
async def sick(plane: Plane) -> Shop:
    scenes = [Scene(plane, await plane.create_namespace()) for _ in SICK]
    pods = [await by_name(fault)(scene) for fault, scene in zip(SICK, scenes, strict=True)]
    return Shop(plane, await plane.create_namespace(), tuple(map(target_of, pods)))


@asynccontextmanager
async def somebody_with(shop: Shop, allowed: Iterable[Rule]) -> AsyncIterator[tuple[str, Cluster]]:
    user = f"reader-{uuid4()}"
    kubeconfig = await shop.plane.users.kubeconfig_for(user, [])
    by_namespace: dict[str, list[JsonObject]] = {}
    for rule in allowed:
        by_namespace.setdefault(rule.namespace, []).extend(yaml.safe_load(rule.as_yaml()))
    for namespace, some in by_namespace.items():
        await shop.plane.users.grant(user, some, namespace=namespace or None)
    cluster = await connect("here", kubeconfig=kubeconfig)
    try:
        yield user, cluster
    finally:
        await cluster.close()


async def surveyed(cluster: Cluster, target: Target, routes: Routes) -> Survey:
    ref = await resolve(cluster, target)
    return await survey(cluster, ref, routes=routes, deadline_seconds=30, log_lines=2000, others=[], now=utc_now)


async def asked(cluster: Cluster, target: Target, routes: Routes) -> tuple[tuple[str, ...], Survey | None]:
    """What is offered as a mend of what was denied, and what was read."""
    try:
        found = await surveyed(cluster, target, routes)
    except ClusterForbiddenError as error:
        return (error.next_step,), None
    report = conclude(found)
    return tuple(dict.fromkeys(gap.mend for gap in report.gaps if gap.kind is GapKind.DENIED)), found


async def apply(shop: Shop, user: str, mend: str) -> list[tuple[str, JsonObject]]:
    """Does just what the mend says; returns the rules with their namespaces."""
    said = MEND.search(mend)
    assert said, f"no mend to be followed: {mend}"
    namespace = said["namespace"] or ""
    lines = [line for text in re.findall(r"`(- [^`]+)`", said["lines"]) for line in yaml.safe_load(text)]
    await shop.plane.users.grant(user, lines, namespace=namespace or None)
    return [(namespace, line) for line in lines]


def blinded(found: Survey) -> bool:
    """Whether a check that could have found something critical looks at what was denied, or pods were not read."""
    denied = {
        name
        for snapshot in found.snapshots()
        for name in snapshot.__struct_fields__
        if isinstance(facet := getattr(snapshot, name), Facet)
        and facet.unread is not None
        and facet.unread.kind is GapKind.DENIED
    }
    grave = [check for check in CHECKS if check.gravest is Severity.CRITICAL]
    return bool(found.gaps) or any(denied & {*check.needs, *check.uses} for check in grave)


def needs_of(rule: Rule) -> list[Need]:
    """The rows of the table that the rule stands for."""
    places = {TARGETS: HERE, PLACE_OF_PROBES: PROBES}
    return [need for need in NEEDS if need.operation.rule(places.get(need.where, need.where)) == rule]


SELDOM = {"resolve", "owners", "manifest", "dependents", "authentication_files", "token_tracking"}
"""Not every request of theirs is made here: other kinds of owners, an authentication file that this API server has
not, the tracking's date that matters only for Secrets which an account lists."""


async def may_stay_unsaid(rule: Rule, missing: Rule, user: str, shop: Shop) -> bool:
    """Rights that these targets do without, that only make an answer better, or that everybody has (`/version`)."""
    if all(need.optional or need.facet in SELDOM for need in needs_of(rule)):
        return True
    (line,) = yaml.safe_load(missing.as_yaml())
    return await shop.plane.users.allowed(user, line, namespace=missing.namespace or None)


@pytest.mark.parametrize("wanted", RULES, ids=str)
async def test_what_is_denied_is_told_and_its_mend_opens_it(wanted: Rule, healthy: Shop) -> None:
    (missing,) = healthy.placed(wanted)
    every = [rule for each in RULES for rule in healthy.placed(each)]
    said = set[str]()
    async with somebody_with(healthy, [rule for rule in every if rule != missing]) as (user, cluster):
        for target in healthy.targets:
            mends, found = await asked(cluster, target, healthy.routes(wanted))
            said.update(mends)
            if found is None:
                continue
            report = conclude(found)
            assert report.verdict is (Verdict.UNKNOWN if blinded(found) else Verdict.HEALTHY), (
                f"{target}: {told(report)}"
            )
        unsaid = said or await may_stay_unsaid(wanted, missing, user, healthy)
        assert unsaid, f"{missing} is denied, and nobody says so"
        for mend in said:
            (line,) = yaml.safe_load(missing.as_yaml())
            assert await apply(healthy, user, mend) == [(missing.namespace, line)]
        for target in healthy.targets:
            assert await _denied_nothing(cluster, target, healthy.routes(wanted)), f"{target}: {missing} did not help"


async def _denied_nothing(cluster: Cluster, target: Target, routes: Routes) -> bool:
    mends, found = await asked(cluster, target, routes)
    return not mends and found is not None and conclude(found).verdict is Verdict.HEALTHY


def asked_of_a_pod(rule: Rule) -> bool:
    of_pods = {spec.name for spec in FACETS if POD & spec.of}
    return rule.namespace != PROBES and any(need.facet in of_pods for need in needs_of(rule))


@pytest.mark.parametrize("wanted", [rule for rule in RULES if asked_of_a_pod(rule)], ids=str)
async def test_of_a_sick_pod_nothing_wrong_is_proven_where_something_is_denied(
    wanted: Rule, sick: Shop, plane: Plane
) -> None:
    """What is proven then must be found with every right too; and sick stays sick."""
    missing = set(sick.placed(wanted))
    every = [rule for each in RULES for rule in sick.placed(each)]
    whole = await connect("here", kubeconfig=plane.kubeconfig)
    try:
        async with somebody_with(sick, [rule for rule in every if rule not in missing]) as (_, cluster):
            for target in sick.targets:
                _, found = await asked(cluster, target, sick.routes(wanted))
                if found is not None:
                    _says_no_more_than(conclude(found), conclude(await surveyed(whole, target, sick.routes(wanted))))
    finally:
        await whole.close()


def _says_no_more_than(report: Report, whole: Report) -> None:
    proven = {finding.code for finding in report.findings if finding.certainty is Certainty.PROVEN}
    assert proven <= {finding.code for finding in whole.findings}, told(report)
    assert report.verdict is not Verdict.HEALTHY, told(report)
