"""Who somebody is to Slack and to Kubernetes: every answer that is missing is a no."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.actions.identity import Standings, kubernetes_user
from bot.actions.policy import Matter, Standing
from bot.errors import ClusterUnreachableError
from bot.kube.client import Cluster, connect
from bot.model import ActionKind, Person, Rule
from bot.slack import people
from bot.slack.door import User
from bot.slack.posts import LaterError, PostRefusedError
from config.policy import Identity
from config.policy import Rule as PolicyRule
from tests.unit.kube.fake_api import FakeApi, breaks_off, forbids, says, served

HOME = "T0SHOPTEAM1"
ON_CALL, APPROVERS, ELSEWHERE = "S0ONCALL0", "S0APPROV0", "S0ELSE000"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
NEEDS = (Rule(verb="patch", resource="deployments", group="apps", namespace="shop"),)
MATTER = Matter(action=ActionKind.RESTART_WORKLOAD, cluster="prod", namespace="shop", channel="C0INCIDENT")
RULES = [
    PolicyRule(actions=("restart-workload",), namespaces=("shop",), requesters=(ON_CALL,), approvers=(APPROVERS,)),
    PolicyRule(actions=("restart-workload",), namespaces=("pay",), requesters=(ELSEWHERE,), approvers=(ELSEWHERE,)),
]
ERIN = User(id="U0ERIN000", teams=frozenset({HOME}), name="Erin", email="erin@shop.example")


class Slack:
    """Answers from tables; an exception in them is raised."""

    def __init__(self) -> None:
        self.users: dict[str, User | Exception | None] = {ERIN.id: ERIN}
        self.groups: dict[str, frozenset[str] | Exception] = {ON_CALL: frozenset({ERIN.id}), APPROVERS: frozenset()}

    async def user(self, id_: str) -> User | None:
        found = self.users.get(id_)
        if isinstance(found, Exception):
            raise found
        return found

    async def members(self, id_: str) -> frozenset[str]:
        found = self.groups[id_]
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def slack() -> Slack:
    return Slack()


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    fake = FakeApi()
    fake.on(REVIEWS, says({"status": {"allowed": True}}))
    server = await served(fake)
    yield fake
    await server.close()


@pytest.fixture
async def cluster(api: FakeApi, tmp_path: Path) -> AsyncIterator[Cluster]:
    connected = await connect("prod", kubeconfig=api.kubeconfig(tmp_path))
    yield connected
    await connected.close()


async def standing(
    slack: Slack, cluster: Cluster | Exception, identity: Identity | None = None, person: str = ERIN.id
) -> Standing:
    async def reached(name: str) -> Cluster:
        assert name == "prod"
        if isinstance(cluster, Exception):
            raise cluster
        return cluster

    standings = Standings(RULES, identity or Identity(), HOME, user=slack.user, members=slack.members, cluster=reached)
    return await standings.of(Person(id=person), MATTER, NEEDS)


async def test_a_known_person_is_named_and_asked_about(slack: Slack, cluster: Cluster, api: FakeApi) -> None:
    identity = Identity(kubernetes_user="oidc:{email}", groups={ON_CALL: ("sre",), APPROVERS: ("approvers",)})
    found = await standing(slack, cluster, identity)
    assert found == Standing(person=Person(id=ERIN.id, name="Erin"), groups=frozenset({ON_CALL}))
    (spec,) = (json.loads(body)["spec"] for body in api.bodies)
    assert (spec["user"], spec["groups"]) == ("oidc:erin@shop.example", ["sre", "system:authenticated"])
    assert spec["resourceAttributes"] == {
        "verb": "patch",
        "group": "apps",
        "resource": "deployments",
        "subresource": "",
        "namespace": "shop",
        "name": "",
    }


@pytest.mark.parametrize(
    ("user", "refusal", "passing"),
    [
        (None, people.NOBODY, False),
        (User(id="U1", teams=frozenset({"T0OTHER"})), people.OUTSIDER, False),
        (User(id="U1", teams=frozenset({HOME}), is_bot=True), people.BOT, False),
        (User(id="U1", teams=frozenset({HOME}), deleted=True), people.DEACTIVATED, False),
        (LaterError(), people.UNSURE, True),
        (PostRefusedError("missing_scope"), people.UNSURE, True),
    ],
)
async def test_strangers_bots_and_the_deactivated_are_refused(
    *, user: User | Exception | None, refusal: str, passing: bool, slack: Slack, cluster: Cluster
) -> None:
    slack.users["U1"] = user
    found = await standing(slack, cluster, person="U1")
    assert (found.refusal, found.passing, found.groups) == (refusal, passing, frozenset())
    assert (await standing(slack, cluster, person="")).refusal == people.NOBODY


async def test_a_group_that_slack_does_not_tell_refuses_rather_than_passes_a_rule_by(
    slack: Slack, cluster: Cluster
) -> None:
    slack.groups[APPROVERS] = LaterError(30.0)
    found = await standing(slack, cluster)
    assert found.refusal == f"Slack could not say who is in user group {APPROVERS}. Try again in a minute."
    assert found.passing


async def test_only_groups_of_rules_that_cover_the_matter_are_asked_about(slack: Slack, cluster: Cluster) -> None:
    assert ELSEWHERE not in slack.groups  # a KeyError, if it were
    assert not (await standing(slack, cluster)).refusal


async def test_kubernetes_no_is_told_with_the_right_that_is_missing(
    slack: Slack, cluster: Cluster, api: FakeApi
) -> None:
    api.on(REVIEWS, says({"status": {"allowed": False}}))
    found = await standing(slack, cluster)
    assert found.denied == "Kubernetes does not let erin@shop.example patch deployments.apps in namespace shop"
    assert not found.passing
    switched_off = await standing(slack, cluster, Identity(subject_access_review=False))
    assert (switched_off.denied, len(api.bodies)) == ("", 1)


async def test_a_review_that_cannot_be_had_is_a_no(slack: Slack, cluster: Cluster, api: FakeApi) -> None:
    api.on(REVIEWS, breaks_off)
    found = await standing(slack, cluster)
    assert found.denied.startswith("cluster prod could not be asked what erin@shop.example may do there: no answer")
    assert found.passing
    api.on(REVIEWS, forbids("create", "subjectaccessreviews", "authorization.k8s.io", ""))
    found = await standing(slack, cluster)
    assert "token-doctor may not create subjectaccessreviews" in found.denied
    assert not found.passing
    found = await standing(slack, ClusterUnreachableError("It is away."))
    assert (found.denied.endswith("may do there: It is away"), found.passing) == (True, True)


@pytest.mark.parametrize(
    ("template", "email", "name"),
    [
        ("{email}", "erin@shop.example", "erin@shop.example"),
        ("oidc:{name}", "erin@shop.example", "oidc:erin"),
        ("{id}", "", "U0ERIN000"),
        ("{email}", "", ""),
        ("{name}", "erin", ""),
        ("{name}", "system:masters@shop.example", ""),
        ("System:{name}", "erin@shop.example", ""),
        ("{email}", "{id}@shop.example", "{id}@shop.example"),
    ],
)
def test_the_name_by_which_kubernetes_knows_them(template: str, email: str, name: str) -> None:
    assert kubernetes_user(template, User(id=ERIN.id, teams=frozenset(), email=email)) == name


async def test_without_an_address_nothing_may_be_done(slack: Slack, cluster: Cluster, api: FakeApi) -> None:
    slack.users[ERIN.id] = User(id=ERIN.id, teams=frozenset({HOME}), name="Erin")
    found = await standing(slack, cluster)
    assert found.denied == "Erin has no address in Slack by which Kubernetes could know them"
    assert api.bodies == []
