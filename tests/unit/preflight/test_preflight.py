"""Preflight as a whole: the good case, what is asked for at the container's start, and the sentence above all."""

import json
from collections.abc import Sequence

import pytest

from bot.preflight.trial import Outcome, Section, Trial, exit_code, failed, not_tried, ok, verdict, warning
from demo.slack import SlackServer
from demo.slack import people as p
from tests.unit.kube.fake_api import FakeApi
from tests.unit.preflight.conftest import Preflight, but_ok


async def test_where_everything_is_there_all_of_it_holds(preflight: Preflight) -> None:
    trials = await preflight()
    assert but_ok(trials) == []
    assert {trial.section for trial in trials} == set(Section)
    assert verdict(trials, required=False) == f"token-doctor is ready: all {len(trials)} preconditions hold."


async def test_nothing_is_changed_in_the_cluster_and_no_database_is_made(
    preflight: Preflight, api: FakeApi, configured: dict[str, object]
) -> None:
    await preflight()
    reviews = ("selfsubjectaccessreviews", "selfsubjectreviews")
    assert [each.path for each in api.requests if each.method != "GET" and not each.path.endswith(reviews)] == []
    assert ": will be made at the first start" in repr(await preflight())


async def test_what_the_bot_cannot_start_without_is_little(preflight: Preflight, api: FakeApi) -> None:
    trials = await preflight(only_required=True)
    assert but_ok(trials) == []
    told = {trial.section for trial in trials}
    assert told == {Section.CONFIGURATION, Section.SLACK, Section.CLUSTERS, Section.DATABASE}
    assert api.requests == []
    assert verdict(trials, required=True) == f"token-doctor can start: all {len(trials)} preconditions hold."


async def test_a_missing_kubeconfig_keeps_the_bot_from_starting(preflight: Preflight) -> None:
    trials = await preflight({"clusters": [{"name": "prod", "kubeconfig": "/nowhere"}]}, only_required=True)
    (trial,) = but_ok(trials)
    assert (trial.section, trial.outcome) == (Section.CLUSTERS, Outcome.FAILED)
    assert "/nowhere" in trial.text


async def test_without_policy_and_digests_no_database_and_no_group_is_looked_for(
    preflight: Preflight, slack: SlackServer
) -> None:
    token = slack.workspace.tokens[slack.bot_token]
    token.scopes = tuple(scope for scope in token.scopes if scope not in {"usergroups:read", "users:read.email"})
    bad = {"url": "sqlite+aiosqlite:////proc/nowhere/doctor.db"}
    trials = await preflight({"policy": [], "digests": [], "database": bad})
    assert but_ok(trials) == []
    assert "none is needed: there is neither a policy nor a digest" in [trial.text for trial in trials]
    assert not [each for each in slack.traffic.records if "usergroups" in each.where]


S = Section.SLACK


@pytest.mark.parametrize(
    ("trials", "code", "sentence"),
    [
        ([ok(S, "a")], 0, "token-doctor is ready: all 1 preconditions hold."),
        ([ok(S, "a"), warning(S, "b", "c")], 1, "token-doctor is ready, with 1 warning."),
        (
            [warning(S, "b", "c"), warning(S, "d", "c"), not_tried(S, "e")],
            1,
            "token-doctor is ready, with 2 warnings, and 1 could not be tried.",
        ),
        ([ok(S, "a"), not_tried(S, "e")], 3, "No verdict: 1 of 2 preconditions could not be tried; the others hold."),
        (
            [ok(S, "a"), failed(S, "f", "m"), not_tried(S, "e"), warning(S, "b", "c")],
            1,
            "token-doctor is not ready: 1 of 4 preconditions failed, 1 warning, 1 could not be tried.",
        ),
    ],
)
def test_what_is_wrong_counts_before_what_nobody_knows(trials: Sequence[Trial], code: int, sentence: str) -> None:
    assert exit_code(trials) == code
    assert verdict(trials, required=False) == sentence


async def test_a_token_in_somebody_s_words_is_taken_out(preflight: Preflight, slack: SlackServer) -> None:
    slack.workspace.channels[p.INCIDENT].name = "xoxb-1234567890-demoOnlyNotASecret"
    assert "[token removed]" in json.dumps([trial.text for trial in await preflight()])
