"""The verdict sees what it is there for: each thing that must not be is put before it once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from bot.blocks import request as blocks
from bot.model import Person, Purpose, Request, State, TrailEntry, Vote
from bot.slack.marks import Mark
from bot.slack.outgoing import content
from demo.slack import Message
from demo.slack import people as p
from tests.crash.plan import Death, Fate, Plan, Round, Story, Way
from tests.crash.verdict import Evidence, judged
from tests.store.samples import NOW, after, plan, request

STORY = Story(0, plan("checkout").kind, Fate.APPROVED, hasty=False)
ROUND = Round((STORY,), Death(Way.MOMENT, "", 0, 1.0, 0.0), drops=False)
AVERY = Person(id="U0AVERY00", name="Avery")


def done(state: State = State.SUCCEEDED) -> Request:
    """Version 4: approved, claimed, ended."""
    asked = request("r1", "checkout", at=NOW)
    return msgspec.structs.replace(
        asked, state=state, version=4, fence=1, channel=p.INCIDENT, approval_channel=p.APPROVALS, outcome="It is done."
    )


def line(was: State | None, became: State, seconds: float) -> TrailEntry:
    return TrailEntry(request="r1", at=after(seconds), who="w", was=was, became=became)


def message(purpose: Purpose, channel: str, ts: str, shown: Request, votes: tuple[Vote, ...]) -> Message:
    said = blocks.Shown(shown, votes)
    rendered = {"decision": blocks.decision, "progress": blocks.progress, "outcome": blocks.outcome}[purpose](said)
    outgoing: dict[str, Any] = content(rendered)
    mark = Mark("r1", purpose).metadata
    return Message(channel, ts, p.BOT_USER, outgoing["text"], outgoing["blocks"], "B0", metadata=mark)


def good() -> Evidence:
    """One story: asked, approved, done once, told."""
    ended, votes = done(), (Vote(request="r1", approver=AVERY, approves=True, at=after(1)),)
    places = [
        (Purpose.DECISION, p.APPROVALS, "1.0"),
        (Purpose.PROGRESS, p.INCIDENT, "2.0"),
        (Purpose.OUTCOME, p.INCIDENT, "3.0"),
    ]
    rows: list[Any] = [
        SimpleNamespace(
            request="r1",
            purpose=purpose,
            channel=channel,
            thread_ts="",
            ts=ts,
            shown=4,
            claimed_until=None,
            given_up=False,
            error="",
        )
        for purpose, channel, ts in places
    ]
    return Evidence(
        plan=Plan(seed=1, replicas=1, may_look=True, rounds=(ROUND,)),
        requests=[ended],
        names={"r1": STORY.name},
        votes={"r1": votes},
        trail=[
            line(None, State.PENDING, 0),
            line(State.PENDING, State.APPROVED, 1),
            line(State.APPROVED, State.RUNNING, 2),
            line(State.RUNNING, State.SUCCEEDED, 3),
        ],
        rows=rows,
        effects={"r1": 1},
        strays=[],
        told={(channel, ts): message(purpose, channel, ts, ended, votes) for purpose, channel, ts in places},
        link="https://shop.slack.com/archives",
    )


def test_what_is_as_it_should_be_is_not_complained_about() -> None:
    assert judged(good()) == []


def twice(evidence: Evidence) -> Evidence:
    return replace(evidence, effects={"r1": 2})


def never(evidence: Evidence) -> Evidence:
    return replace(evidence, effects={})


def of_nobody(evidence: Evidence) -> Evidence:
    return replace(evidence, effects={"r1": 1, "r9": 1})


def unapproved(evidence: Evidence) -> Evidence:
    return replace(evidence, votes={"r1": ()})


def ended_twice(evidence: Evidence) -> Evidence:
    return replace(evidence, trail=[*evidence.trail, line(State.SUCCEEDED, State.SUCCEEDED, 4)])


def claimed_in_secret(evidence: Evidence) -> Evidence:
    return replace(evidence, requests=[msgspec.structs.replace(done(), fence=2)])


def left_running(evidence: Evidence) -> Evidence:
    return replace(evidence, requests=[done(State.RUNNING)], trail=evidence.trail[:-1])


def leased(evidence: Evidence) -> Evidence:
    return replace(evidence, requests=[msgspec.structs.replace(done(), lease_until=NOW + timedelta(minutes=1))])


def not_asked(evidence: Evidence) -> Evidence:
    return replace(evidence, requests=[], trail=[], rows=[], effects={}, told={})


def old_message(evidence: Evidence) -> Evidence:
    """The row says that it shows the newest, and Slack shows something older."""
    running = message(Purpose.PROGRESS, p.INCIDENT, "2.0", done(State.RUNNING), ())
    return replace(evidence, told={**evidence.told, (p.INCIDENT, "2.0"): running})


def behind(evidence: Evidence) -> Evidence:
    return replace(evidence, rows=[SimpleNamespace(**{**vars(row), "shown": 3}) for row in evidence.rows])


def lost_message(evidence: Evidence) -> Evidence:
    return replace(evidence, told={place: each for place, each in evidence.told.items() if place[1] != "3.0"})


def no_outcome(evidence: Evidence) -> Evidence:
    told = {place: each for place, each in evidence.told.items() if place[1] != "3.0"}
    return replace(evidence, rows=evidence.rows[:2], told=told)


def outcome_twice(evidence: Evidence) -> Evidence:
    again = replace(evidence.told[p.INCIDENT, "3.0"], ts="4.0")
    return replace(evidence, told={**evidence.told, (p.INCIDENT, "4.0"): again})


@pytest.mark.parametrize(
    ("spoiled", "words"),
    [
        (twice, "done 2 times"),
        (never, "done 0 times"),
        (of_nobody, "'r9', which is no request"),
        (unapproved, "approved 1 times, by []"),
        (ended_twice, "it ended 2 times"),
        (claimed_in_secret, "claimed 1 times, and its fence is 2"),
        (left_running, "left running"),
        (leased, "a lease is left"),
        (not_asked, "no request was ever stored"),
        (old_message, "shows something else"),
        (behind, "shows version 3 of 4"),
        (lost_message, "is not in Slack"),
        (no_outcome, "nobody wants its outcome message"),
        (outcome_twice, "a message stands there 2 times"),
    ],
)
def test_what_must_not_be_is_told(spoiled: Callable[[Evidence], Evidence], words: str) -> None:
    found = judged(spoiled(good()))
    assert any(words in sentence for sentence in found), found
