"""The policy by tables, and against a restatement of its promise in the fewest words."""

from fnmatch import fnmatchcase
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.actions.policy import NO_POLICY, Matter, Ruling, Standing, may_ask, may_decide, may_run, subjects
from bot.model import ActionKind, Person
from config.policy import Rule

ON_CALL, APPROVERS, SRE = "S0ONCALL0", "S0APPROV0", "S0SRE0000"
RESTART, DELETE = ActionKind.RESTART_WORKLOAD, ActionKind.DELETE_POD


def rule(**changes: object) -> Rule:
    closed: dict[str, object] = {
        "actions": ["restart-workload"],
        "namespaces": ["shop-*"],
        "requesters": [ON_CALL],
        "approvers": [APPROVERS],
    }
    return Rule.model_validate({**closed, **changes})


def person(name: str, *groups: str, refusal: str = "", denied: str = "", passing: bool = False) -> Standing:
    who = Person(id=f"U0{name.upper():0<7}", name=name)
    return Standing(person=who, groups=frozenset(groups), refusal=refusal, denied=denied, passing=passing)


def matter(
    namespace: str = "shop-eu", action: ActionKind = RESTART, cluster: str = "prod", channel: str = "C0INCIDENT"
) -> Matter:
    return Matter(action=action, cluster=cluster, namespace=namespace, channel=channel)


ERIN, AVERY, SAM, OLGA = person("erin", ON_CALL), person("avery", APPROVERS), person("sam", APPROVERS), person("olga")
PLACE = "restart-workload in namespace shop-eu of cluster prod"


@pytest.mark.parametrize(
    ("rules", "asked", "requester", "allowed", "reason"),
    [
        ([rule()], matter(), ERIN, True, "policy rule 1 allows it"),
        ([rule(requesters=[ERIN.person.id])], matter(), person("erin"), True, "policy rule 1 allows it"),
        ([], matter(), ERIN, False, NO_POLICY),
        (
            [rule()],
            matter("shop"),
            ERIN,
            False,
            "no policy rule covers restart-workload in namespace shop of cluster prod",
        ),
        ([rule()], matter(action=DELETE), ERIN, False, "no policy rule covers delete-pod in namespace shop-eu"),
        ([rule(clusters=["stage"])], matter(), ERIN, False, f"no policy rule covers {PLACE}"),
        ([rule()], matter(), OLGA, False, f"policy rule 1 covers {PLACE}, and olga is none of its requesters"),
        (
            [rule(), rule()],
            matter(),
            OLGA,
            False,
            f"policy rules 1, 2 cover {PLACE}, and olga is none of their requesters",
        ),
        (
            [rule(channels=["C0OTHER00"])],
            matter(),
            ERIN,
            False,
            f"policy rule 1 covers {PLACE}, but not when it is asked",
        ),
        ([rule(namespaces=["*"])], matter("kube-system"), ERIN, False, "no policy rule names kube-system in full"),
        (
            [rule(namespaces=["kube-syste?"])],
            matter("kube-system"),
            ERIN,
            False,
            "no policy rule names kube-system in full",
        ),
        ([rule(namespaces=["*", "kube-system"])], matter("kube-system"), ERIN, True, "policy rule 1 allows it"),
        ([rule(namespaces=["*"])], matter(""), ERIN, False, "no policy rule covers"),
        ([rule()], matter(), person("erin", ON_CALL, refusal="no"), False, "no"),
        (
            [rule()],
            matter(),
            person("erin", ON_CALL, denied="Kubernetes says no"),
            False,
            "policy rule 1 would let erin ask for it, but Kubernetes says no",
        ),
        # The first that fits decides: a laxer one below never makes up for it, and one that does not fit is passed by.
        ([rule(requesters=[SRE]), rule()], matter(), ERIN, True, "policy rule 2 allows it"),
    ],
)
def test_who_may_ask(*, rules: list[Rule], asked: Matter, requester: Standing, allowed: bool, reason: str) -> None:
    ruling = may_ask(rules, asked, requester)
    assert (ruling.allowed, ruling.reason[: len(reason)]) == (allowed, reason)


@pytest.mark.parametrize(
    ("rules", "requester", "approver", "approves", "allowed", "reason"),
    [
        ([rule()], ERIN, AVERY, True, True, "policy rule 1 makes avery an approver"),
        ([rule()], ERIN, AVERY, False, True, "policy rule 1 makes avery an approver"),
        ([rule()], ERIN, OLGA, True, False, "olga is none of the approvers of policy rule 1"),
        ([rule()], ERIN, OLGA, False, False, "olga is none of the approvers of policy rule 1"),
        ([rule()], ERIN, person("avery", APPROVERS, refusal="gone"), False, False, "gone"),
        ([rule()], OLGA, AVERY, True, False, "olga may no longer ask for it: policy rule 1 covers"),
        ([rule()], OLGA, AVERY, False, True, "policy rule 1 makes avery an approver"),
        ([rule(namespaces=["pay"])], ERIN, AVERY, False, False, "no policy rule covers"),
        ([], ERIN, AVERY, True, False, f"erin may no longer ask for it: {NO_POLICY}"),
        (
            [rule(approvers=[ON_CALL])],
            ERIN,
            ERIN,
            True,
            False,
            "nobody approves their own request under policy rule 1: it takes a second person",
        ),
        ([rule(approvers=[ON_CALL])], ERIN, ERIN, False, True, "policy rule 1 makes erin an approver"),
        (
            [rule(approvers=[ON_CALL], self_approval=True)],
            ERIN,
            ERIN,
            True,
            True,
            "policy rule 1 makes erin an approver",
        ),
        (
            [rule()],
            ERIN,
            person("avery", APPROVERS, denied="avery may not patch deployments"),
            True,
            False,
            "policy rule 1 would let avery approve it, but avery may not patch deployments",
        ),
        ([rule()], ERIN, person("avery", APPROVERS, denied="no"), False, True, "policy rule 1 makes avery an approver"),
        (
            [rule()],
            person("erin", ON_CALL, denied="x"),
            AVERY,
            True,
            False,
            "erin may no longer ask for it: policy rule 1",
        ),
        # Rule 1 decides for erin, so the approvers of rule 2 have no say.
        ([rule(approvers=[SRE]), rule()], ERIN, AVERY, True, False, "avery is none of the approvers of policy rule 1"),
    ],
)
def test_who_may_decide(
    *, rules: list[Rule], requester: Standing, approver: Standing, approves: bool, allowed: bool, reason: str
) -> None:
    ruling = may_decide(rules, matter(), requester, approver, approves=approves)
    assert (ruling.allowed, ruling.reason[: len(reason)]) == (allowed, reason)


@pytest.mark.parametrize(
    ("approvals", "requester", "approvers", "allowed", "reason"),
    [
        (1, ERIN, [AVERY], True, "policy rule 1 allows it"),
        (2, ERIN, [AVERY, SAM], True, "policy rule 1 allows it"),
        (2, ERIN, [AVERY, AVERY], False, "policy rule 1 wants 2 approvals, and 1 still count"),
        (1, ERIN, [], False, "policy rule 1 wants 1 approval, and 0 still count"),
        (
            1,
            ERIN,
            [person("avery")],
            False,
            "policy rule 1 wants 1 approval, and 0 still count; avery is none of the approvers of policy rule 1",
        ),
        (1, OLGA, [AVERY], False, "policy rule 1 covers"),
    ],
)
def test_what_may_run(
    *, approvals: int, requester: Standing, approvers: list[Standing], allowed: bool, reason: str
) -> None:
    ruling = may_run([rule(approvals=approvals)], matter(), requester, approvers)
    assert (ruling.allowed, ruling.reason[: len(reason)]) == (allowed, reason)


@pytest.mark.parametrize(
    ("requester", "approver", "passing"),
    [
        (person("erin", ON_CALL, refusal="Slack is silent", passing=True), AVERY, True),
        (person("erin", ON_CALL, denied="the cluster is silent", passing=True), AVERY, True),
        (ERIN, person("avery", APPROVERS, refusal="Slack is silent", passing=True), True),
        (ERIN, person("avery", APPROVERS, denied="the cluster is silent", passing=True), True),
        (ERIN, person("avery", APPROVERS, denied="Kubernetes says no"), False),
        (OLGA, person("avery", APPROVERS, refusal="Slack is silent", passing=True), False),
    ],
)
def test_a_no_for_want_of_an_answer_is_marked_as_passing(
    *, requester: Standing, approver: Standing, passing: bool
) -> None:
    ruling = may_run([rule()], matter(), requester, [approver])
    assert (ruling.allowed, ruling.passing) == (False, passing)


def test_the_subjects_are_those_of_every_rule_that_covers_it() -> None:
    rules = [
        rule(),
        rule(requesters=[SRE], approvers=["U0SAM0000"]),
        rule(namespaces=["pay"], requesters=["S0OTHER00"]),
    ]
    assert subjects(rules, matter()) == {ON_CALL, APPROVERS, SRE, "U0SAM0000"}


# Everything below is small on purpose: names collide, so every way to fit and not to fit comes up.
GROUPS = ("S0GROUP1", "S0GROUP2")
PEOPLE = ("U0PERSON1", "U0PERSON2", "U0PERSON3")
NAMESPACES = ("shop", "kube-system")
some_subjects = st.lists(st.sampled_from([*GROUPS, *PEOPLE]), min_size=1, max_size=2, unique=True)
some_rules = st.lists(
    st.builds(
        rule,
        actions=st.lists(st.sampled_from([RESTART.value, DELETE.value]), min_size=1, unique=True),
        clusters=st.sampled_from([["*"], ["prod"], ["p?*", "stage"]]),
        namespaces=st.lists(st.sampled_from(["*", "kube-*", "sho?", *NAMESPACES]), min_size=1, max_size=2, unique=True),
        requesters=some_subjects,
        approvers=some_subjects,
        approvals=st.integers(1, 2),
        self_approval=st.booleans(),
        channels=st.sampled_from([[], ["C0CHANNEL1"]]),
    ),
    max_size=3,
)
some_matter = st.builds(
    matter,
    namespace=st.sampled_from([*NAMESPACES, ""]),
    action=st.sampled_from([RESTART, DELETE]),
    cluster=st.sampled_from(["prod", "stage"]),
    channel=st.sampled_from(["C0CHANNEL1", "C0CHANNEL2"]),
)


@st.composite
def standing(draw: st.DrawFn, who: str | None = None) -> Standing:
    groups = draw(st.frozensets(st.sampled_from(GROUPS)))
    refusal, denied = draw(st.tuples(*2 * [st.sampled_from(["", "", "", "no"])]))
    someone = Person(id=who or draw(st.sampled_from(PEOPLE)))
    return Standing(person=someone, groups=groups, refusal=refusal, denied=denied)


def deciding(rules: list[Rule], asked: Matter, requester: Standing) -> Rule | None:
    """The promise, said once more: one loop, from the top, and the first that fits ends it."""
    for each in rules:
        named = asked.namespace in each.namespaces
        by_pattern = any(fnmatchcase(asked.namespace, pattern) for pattern in each.namespaces)
        if (
            asked.namespace
            and (named or (by_pattern and asked.namespace != "kube-system"))
            and asked.action in each.actions
            and any(fnmatchcase(asked.cluster, pattern) for pattern in each.clusters)
            and (not each.channels or asked.channel in each.channels)
            and {requester.person.id, *requester.groups} & set(each.requesters)
        ):
            return each
    return None


def promised(rules: list[Rule], asked: Matter, requester: Standing, voters: list[Standing]) -> bool:
    """Whether some set of different people, large enough, may all agree."""
    found = deciding(rules, asked, requester)
    if found is None or requester.refusal or requester.denied:
        return False
    good = {
        each.person.id
        for each in voters
        if not each.refusal
        and not each.denied
        and {each.person.id, *each.groups} & set(found.approvers)
        and (found.self_approval or each.person.id != requester.person.id)
    }
    return any(True for _ in combinations(good, found.approvals))


voters_of_different_people = st.lists(
    st.sampled_from(PEOPLE).flatmap(standing), max_size=3, unique_by=lambda each: each.person.id
)


@settings(max_examples=400, deadline=None)
@given(some_rules, some_matter, standing(), voters_of_different_people)
def test_nothing_runs_that_the_policy_does_not_promise_and_all_that_it_does(
    rules: list[Rule], asked: Matter, requester: Standing, voters: list[Standing]
) -> None:
    ruling = may_run(rules, asked, requester, voters)
    assert ruling.allowed is promised(rules, asked, requester, voters)
    assert ruling.reason


@settings(max_examples=200, deadline=None)
@given(some_rules, some_matter, standing(), voters_of_different_people, standing())
def test_one_more_voter_never_hurts_and_a_trouble_never_helps(
    rules: list[Rule], asked: Matter, requester: Standing, voters: list[Standing], further: Standing
) -> None:
    if may_run(rules, asked, requester, voters).allowed:
        assert may_run(rules, asked, requester, [further, *voters]).allowed
    refused = Standing(person=requester.person, groups=requester.groups, refusal="unknown")
    assert not may_run(rules, asked, refused, voters).allowed
    assert not may_run([], asked, requester, voters).allowed


@settings(max_examples=200, deadline=None)
@given(some_rules, some_rules, some_matter, st.tuples(standing(), standing()))
def test_rules_below_the_one_that_decides_change_nothing(
    rules: list[Rule], below: list[Rule], asked: Matter, people: tuple[Standing, Standing]
) -> None:
    requester, approver = people
    first = may_ask(rules, asked, requester)
    if first.rule is None:
        return

    def said(ruling: Ruling) -> tuple[bool, str]:
        return ruling.allowed, ruling.reason

    longer = [*rules, *below]
    assert said(may_ask(longer, asked, requester)) == said(first)
    for approves in (True, False):
        decided = may_decide(rules, asked, requester, approver, approves=approves)
        assert said(may_decide(longer, asked, requester, approver, approves=approves)) == said(decided)
