"""Who may ask; and nothing is done twice."""

import asyncio

import pytest

from bot.errors import StoreUnavailableError
from bot.model import Target
from bot.slack.door import User
from bot.slack.people import BOT, DEACTIVATED, NOBODY, OUTSIDER, UNSURE
from bot.slack.posts import LaterError, PostRefusedError
from bot.slack.remembered import Remembered
from handlers.middleware import ChannelRule, Doorkeeper, Heard, rule_of
from handlers.words import Check, of_slash_command

HOME = "T0SHOPTEAM1"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Slack:
    """Answers users.info from a table; an exception in it is raised."""

    def __init__(self, users: dict[str, User | Exception | None]) -> None:
        self.users = users
        self.asked: list[str] = []

    async def user(self, user_id: str) -> User | None:
        self.asked.append(user_id)
        await asyncio.sleep(0)
        found = self.users[user_id]
        if isinstance(found, Exception):
            raise found
        return found


def person(user: str, *teams: str, stranger: bool = False, robot: bool = False, deleted: bool = False) -> User:
    return User(id=user, teams=frozenset(teams or {HOME}), is_stranger=stranger, is_bot=robot, deleted=deleted)


@pytest.mark.parametrize(
    ("user", "refusal"),
    [
        (person("U1"), ""),
        (person("U1", "T0OTHER", HOME), ""),
        (person("U1", "T0OTHER"), OUTSIDER),
        (person("U1", "T0OTHER", HOME, stranger=True), OUTSIDER),
        (person("U1", ""), OUTSIDER),
        (person("U1", robot=True), BOT),
        (person("U1", deleted=True), DEACTIVATED),
        (None, NOBODY),
        (PostRefusedError("internal"), UNSURE),
        (LaterError(3.0), UNSURE),
    ],
)
async def test_only_people_of_the_workspace_are_answered(user: User | Exception | None, refusal: str) -> None:
    doorkeeper = Doorkeeper(Slack({"U1": user}).user, HOME)
    assert await doorkeeper.refusal("U1") == refusal


async def test_without_a_user_there_is_no_answer() -> None:
    assert await Doorkeeper(Slack({}).user, HOME).refusal("") == NOBODY


async def test_slack_is_asked_once_a_minute_however_many_commands_come_at_once() -> None:
    slack, clock = Slack({"U1": person("U1")}), Clock()
    doorkeeper = Doorkeeper(Remembered(slack.user, clock), HOME)
    assert await asyncio.gather(*(doorkeeper.refusal("U1") for _ in range(20))) == [""] * 20
    assert slack.asked == ["U1"]
    slack.users["U1"] = person("U1", deleted=True)
    clock.now += 61
    assert await doorkeeper.refusal("U1") == DEACTIVATED


async def test_a_failure_is_not_remembered() -> None:
    slack = Slack({"U1": LaterError()})
    doorkeeper = Doorkeeper(Remembered(slack.user, Clock()), HOME)
    assert await doorkeeper.refusal("U1") == UNSURE
    slack.users["U1"] = person("U1")
    assert await doorkeeper.refusal("U1") == ""


def test_what_slack_sends_again_is_known_for_a_quarter_of_an_hour() -> None:
    clock = Clock()
    heard = Heard(clock)
    assert heard.first_time("Ev1")
    clock.now += 899
    assert not heard.first_time("Ev1")
    assert heard.first_time("Ev2")
    clock.now += 2
    assert heard.first_time("Ev1")


def test_what_was_heard_does_not_pile_up() -> None:
    heard = Heard(Clock())
    for number in range(30_000):
        assert heard.first_time(str(number))
    assert not heard.first_time("29999")
    assert len(heard._until) <= 10_001  # noqa: SLF001  # the memory itself is what is asked about


def test_a_channel_without_a_rule_has_no_limits() -> None:
    rules = {"C1": ChannelRule("prod", ("shop-*", "pay"))}
    assert rule_of(rules, "C2").allows("kube-system")
    assert [rule_of(rules, "C1").allows(name) for name in ("shop-eu", "pay", "shop", "payroll")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_channels_cluster_gives_way_to_a_target_that_names_its_own() -> None:
    rule = ChannelRule("prod")
    assert rule.applied(Target(namespace="shop", name="x")).cluster == "prod"
    assert rule.applied(Target(namespace="shop", name="x", cluster="staging")).cluster == "staging"


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("shop-eu/checkout", True),
        ("shop-eu/deploy/checkout", True),
        ("shop-eu/ns/shop-eu", True),
        ("ns/shop-eu", True),
        ("prod:namespace/shop-eu", True),
        ("ns/pay", False),
        ("namespaces/pay", False),
        ("pay/sa/shop-eu", False),
        ("pay/secret/shop-eu", False),
    ],
)
def test_a_channel_s_namespaces_hold_for_every_kind_of_target(text: str, *, allowed: bool) -> None:
    rule = ChannelRule("prod", ("shop-*",))
    command = of_slash_command(f"check {text}")
    assert isinstance(command, Check)
    assert rule.allows(command.target.namespace) is allowed


async def test_what_another_replica_has_taken_is_left_to_it() -> None:
    async def taken(key: str) -> bool:
        return key != "Ev1"

    heard = Heard(Clock(), taken)
    assert await heard.by_others("Ev1")
    assert not await heard.by_others("Ev2")
    assert not await Heard(Clock()).by_others("Ev1")


async def test_a_command_is_done_where_nobody_can_say_who_has_taken_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: str) -> bool:
        raise StoreUnavailableError("The database is away.", next_step="Start it.")

    async def slow(_: str) -> bool:
        await asyncio.Event().wait()
        return False

    monkeypatch.setattr("handlers.middleware._CLAIM_SECONDS", 0.01)
    for claimed in (away, slow):
        assert not await Heard(Clock(), claimed).by_others("Ev1")
