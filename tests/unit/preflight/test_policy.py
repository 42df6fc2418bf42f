"""The policy's part: rules that nobody could ever meet; and the digests' next slots."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from bot.preflight import schedules
from bot.preflight.policy import trials
from bot.preflight.seen import SeenCluster, Subject
from bot.preflight.trial import Outcome, Trial
from config.digests import Digest
from config.policy import Rule
from tests.unit.preflight.conftest import RULE, Preflight, only

DEV, OPS, ERIN, AVERY, SAM = "S0DEVELOPERS", "S0OPERATIONS", "U0ERIN00000", "U0AVERY0000", "U0SAM000000"


def judged(
    dev: set[str] | None, ops: set[str] | None, changes: Mapping[str, object], clusters: tuple[SeenCluster, ...] = ()
) -> list[Trial]:
    rule = Rule.model_validate(
        {"actions": ["delete-pod"], "namespaces": ["shop"], "requesters": [DEV], "approvers": [OPS], **changes}
    )
    people = {DEV: dev, OPS: ops}
    subjects = {
        id_: Subject(name=id_, people=None if each is None else frozenset(each)) for id_, each in people.items()
    }
    subjects |= {id_: Subject(name=id_, people=frozenset({id_})) for id_ in (ERIN, AVERY, SAM)}
    return list(trials([rule], subjects, {AVERY: "Avery"}, clusters))


@pytest.mark.parametrize(
    ("dev", "ops", "changes", "outcome", "words"),
    [
        ({ERIN}, {AVERY}, {}, Outcome.OK, "1 requester, 1 approver"),
        ({ERIN}, {AVERY}, {"approvals": 2}, Outcome.FAILED, "it takes 2 approvals, and has 1 approver"),
        ({ERIN, AVERY}, {ERIN, AVERY}, {"approvals": 2}, Outcome.FAILED, "nobody could agree"),
        ({ERIN, AVERY}, {ERIN, AVERY}, {"approvals": 2, "self_approval": True}, Outcome.OK, "2 requesters, 2 approver"),
        ({AVERY}, {AVERY}, {}, Outcome.FAILED, "nobody could agree, for nobody approves their own request"),
        ({AVERY}, {AVERY}, {"self_approval": True}, Outcome.OK, "1 requester, 1 approver"),
        ({ERIN, AVERY}, {AVERY}, {}, Outcome.WARNING, "requests of Avery could never be approved"),
        ({ERIN}, set(), {"approvers": [OPS, SAM]}, Outcome.OK, "1 requester, 1 approver"),
        (set(), {AVERY}, {}, Outcome.FAILED, "nobody may ask, for its requesters are nobody"),
        (None, {AVERY}, {}, Outcome.NOT_TRIED, f"Slack did not tell who {DEV} is"),
        ({ERIN}, {AVERY}, {"approvers": [OPS, "S0OTHERGRP1"]}, Outcome.NOT_TRIED, "who S0OTHERGRP1 is"),
        (
            {ERIN},
            {AVERY},
            {"namespaces": ["kube-system"]},
            Outcome.OK,
            "it names kube-system in full, so it holds there",
        ),
    ],
)
def test_whether_a_rule_can_ever_be_met(
    dev: set[str] | None, ops: set[str] | None, changes: dict[str, object], outcome: Outcome, words: str
) -> None:
    (trial,) = judged(dev, ops, changes)
    assert trial.outcome is outcome
    assert trial.text.startswith("rule 1 (delete-pod): ")
    assert words in trial.text
    assert bool(trial.mend) is (outcome is not Outcome.OK)


def test_a_namespace_that_no_cluster_has_is_told_but_not_guessed() -> None:
    seen = SeenCluster(name="prod", namespaces=frozenset({"shop-web"}))
    changes: dict[str, object] = {"namespaces": ["shop-*", "shpo"]}
    _, told = judged({ERIN}, {AVERY}, changes, (seen,))
    assert (told.outcome, told.text) == (Outcome.WARNING, "rule 1: no namespace shpo is in prod")
    for clusters in ((), (seen, SeenCluster(name="away"))):
        assert len(judged({ERIN}, {AVERY}, changes, clusters)) == 1
    elsewhere = SeenCluster(name="test", namespaces=frozenset({"shpo"}))
    assert len(judged({ERIN}, {AVERY}, changes, (seen, elsewhere))) == 1


async def test_a_typing_error_in_a_namespace(preflight: Preflight) -> None:

    found = only(await preflight({"policy": [{**RULE, "namespaces": ["shpo-*", "shop-web"]}]}))
    assert (found.outcome, found.text) == (Outcome.WARNING, "rule 1: no namespace shpo-* is in prod")


def test_each_digest_s_next_slot_by_its_own_zone() -> None:
    digest = Digest.model_validate(
        {"name": "daily", "cron": "0 9 * * mon-fri", "timezone": "Europe/Berlin", "channel": "C0TOKENS001"}
    )
    (trial,) = schedules.trials([digest], datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    assert trial.text == "digest daily: next at 2026-11-23 09:00 Europe/Berlin, in 20 h"
