"""One campaign: the bots live and die, the people go on, and when all is quiet it is looked what came of it."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import yaml

from bot.model import ActionKind, Purpose
from demo.slack import SlackServer, SocketTimes
from demo.slack import people as p
from demo.slack.rate_limits import Limit
from tests.cluster.plane import Plane
from tests.crash import books, bot, effects, people, things
from tests.crash.dice import Dice
from tests.crash.doors import API_ODDS, SLACK_ODDS, ApiDoor, SlackDoor, Trap, api_door
from tests.crash.plan import Death, Plan, Way
from tests.crash.replicas import Replica
from tests.crash.verdict import Evidence, doubled, judged

_STORIES_SECONDS = 180.0
_QUIET_SECONDS = 90.0
_COMES_BY_SECONDS = 6.0
_PAUSE_SECONDS = 0.3
_BUSY = Limit(burst=10_000, per_minute=600_000)
_CALLS = (
    "chat.postMessage",
    "chat.update",
    "chat.delete",
    "chat.getPermalink",
    "conversations.history",
    "conversations.replies",
    "users.info",
    "usergroups.users.list",
    "views.open",
    "views.update",
    "auth.test",
    "apps.connections.open",
)
_NEVER = ("Traceback", "was never retrieved", "was never awaited", "was destroyed", "Unclosed")


@dataclass
class Outcome:
    """`wrong` is empty where everything held; the counters are for the figures."""

    plan: Plan
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    deaths: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    refusals: int = 0
    taken_over: int = 0
    messages: int = 0
    outcomes: int = 0
    doubled: int = 0


@dataclass
class Battlefield:
    """All that takes part, while it does."""

    plan: Plan
    slack: SlackServer
    slack_door: SlackDoor
    doors: list[ApiDoor]
    checkpoint_trap: Path
    write_trap: Trap
    replicas: list[Replica]
    stage: people.Stage
    counted: effects.Effects

    async def die(self, death: Death) -> str:
        """Someone dies; how it really came about."""
        for replica in self.replicas:
            replica.pause = death.pause
        victim = self.replicas[death.replica]
        if death.way in {Way.CHECKPOINT, Way.WRITE, Way.MESSAGE}:
            return str(death) if await self._trapped(death) else await self._killed(victim)
        await asyncio.sleep(death.seconds)
        match death.way:
            case Way.FREEZE:
                await victim.freeze(1.5 * bot.LEASE_SECONDS)
            case Way.STOP:
                await victim.restart()
            case _:
                await self._killed(victim)
        return str(death)

    async def _killed(self, victim: Replica) -> str:
        victim.kill()
        await victim.ended()
        return str(Way.MOMENT)

    async def _trapped(self, death: Death) -> bool:
        """Whether somebody came by in time."""
        self._set(death.way, death.at)
        waiting = [asyncio.create_task(replica.ended()) for replica in self.replicas]
        await asyncio.wait(waiting, timeout=_COMES_BY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        came = any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        if not came:
            self._set(death.way, "")
        return came

    def _set(self, way: Way, at: str) -> None:
        match way:
            case Way.CHECKPOINT if at:
                scratch = self.checkpoint_trap.with_suffix(".new")
                scratch.write_text(at)
                scratch.rename(self.checkpoint_trap)
            case Way.CHECKPOINT:
                self.checkpoint_trap.unlink(missing_ok=True)
            case Way.WRITE:
                self.write_trap.set = at
            case _:
                self.slack_door.armed = at

    async def quiet(self) -> None:
        """Returns when nothing is left to do or to show, or when patience ends: the verdict says what is missing."""
        undecided = {story.name for story in self.plan.stories if story.fate == "undecided"}
        ends = time.monotonic() + _QUIET_SECONDS
        while time.monotonic() < ends:
            requests = {request.id: request for request in self.stage.books.requests}
            at_rest = all(one.state.is_final or self.stage.books.name_of(one) in undecided for one in requests.values())
            rows = await self.stage.books.messages()
            told = {row.request for row in rows if row.purpose == Purpose.OUTCOME}
            shown = all(row.given_up or row.shown == requests[row.request].version for row in rows)
            if at_rest and shown and all(one.id in told for one in requests.values() if one.state.is_final):
                return
            await asyncio.sleep(_PAUSE_SECONDS)


async def run(plan: Plan, plane: Plane, folder: Path, address: books.Address, scopes: Sequence[str]) -> Outcome:
    """Plays it to the end and judges it. The bots' output stays in `folder`."""
    outcome, began = Outcome(plan), time.monotonic()
    async with _field(plan, plane, folder, address, scopes) as field_:
        playing = []
        for each in plan.rounds:
            await asyncio.gather(*(replica.ready() for replica in field_.replicas))
            playing += [asyncio.create_task(people.play(story, field_.stage)) for story in each.stories]
            if each.drops:
                field_.slack.socket.drop()
            outcome.deaths[await field_.die(each.death)] += 1
        for dice in (field_.slack_door.dice, *(door.dice for door in field_.doors)):
            dice.calm = True
            outcome.faults += Counter({f"{dice.name.split('-')[0]} {name}": n for name, n in dice.thrown.items()})
        done, late = await asyncio.wait(playing, timeout=_STORIES_SECONDS)
        outcome.wrong += [f"a story broke: {task.exception()!r}" for task in done if task.exception()]
        outcome.wrong += [f"{len(late)} stories came to no end"] if late else []
        for task in late:
            task.cancel()
        await field_.quiet()
        await asyncio.gather(*(replica.stop() for replica in field_.replicas))
        await field_.counted.caught_up()
        await _judge(outcome, field_)
    outcome.wrong += _in_logs(folder)
    outcome.seconds = time.monotonic() - began
    return outcome


async def _judge(outcome: Outcome, field_: Battlefield) -> None:
    evidence = await _evidence(outcome.plan, field_)
    outcome.wrong += judged(evidence)
    for replica in field_.replicas:
        outcome.wrong += replica.wrong
        outcome.starts += replica.starts
        outcome.refusals += replica.refusals
    outcome.states = Counter(request.state.value for request in evidence.requests)
    outcome.taken_over = sum(entry.why.startswith("taken over") for entry in evidence.trail)
    kinds = {request.id: request.plan.kind.value for request in evidence.requests}
    for request, count in evidence.effects.items():
        outcome.effects[kinds.get(request, "unknown")] += count
    outcome.messages = len(evidence.told)
    outcome.outcomes = sum(row.purpose == Purpose.OUTCOME for row in evidence.rows)
    outcome.doubled = len(doubled(evidence))


async def _evidence(plan: Plan, field_: Battlefield) -> Evidence:
    stage, workspace = field_.stage, field_.slack.workspace
    requests = await stage.books.store.requests.list_(limit=100_000)
    done: Counter[str] = field_.counted.restarts + field_.counted.secrets
    strays = []
    by_pod = {one.plan.ref.uid: one.id for one in requests if one.plan.kind is ActionKind.DELETE_POD}
    mine = {story.name for story in plan.stories if story.deed is ActionKind.DELETE_POD}
    for uid, app in field_.counted.deleted.items():
        if uid in by_pod:
            done[by_pod[uid]] += 1
        elif app in mine:
            strays.append(f"a pod of {app} was deleted that nobody asked for")
    messages = [each for channel in workspace.channels for each in field_.slack.messages(channel)]
    return Evidence(
        plan=plan,
        requests=requests,
        names={request.id: stage.books.name_of(request) for request in requests},
        votes={request.id: await stage.books.votes(request.id) for request in requests},
        trail=await stage.books.trail(),
        rows=await stage.books.messages(),
        effects=done,
        strays=strays,
        told={(each.channel, each.ts): each for each in messages if each.bot_id == workspace.app.bot_id},
        link=f"https://{workspace.team.domain}.slack.com/archives",
    )


@asynccontextmanager
async def _field(
    plan: Plan, plane: Plane, folder: Path, address: books.Address, scopes: Sequence[str]
) -> AsyncIterator[Battlefield]:
    namespace = await plane.create_namespace()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(plane.api.delete, f"/api/v1/namespaces/{namespace}")
        counted = await stack.enter_async_context(effects.counted(plane.api, namespace))
        await things.allow(plane.api, namespace)
        objects = await things.make(plane.api, namespace, plan.stories)
        kept = await stack.enter_async_context(books.opened(address))
        replicas: list[Replica] = []

        everybody = partial(_kill, replicas, *range(plan.replicas))
        slack_door = SlackDoor(Dice("slack", plan.seed, SLACK_ODDS), everybody)
        slack = await stack.enter_async_context(_slack(plan, slack_door, scopes))
        doors: list[ApiDoor] = []
        trap = Trap()
        for number in range(plan.replicas):
            dice = Dice(f"api-{number}", plan.seed, API_ODDS)
            door, kubeconfig = await stack.enter_async_context(
                api_door(plane, folder, dice, trap, partial(_kill, replicas, number))
            )
            doors.append(door)
            replicas.append(Replica(number, _life(number, folder, kubeconfig, slack, address)))
        stage = people.Stage(slack, kept, plane.api, namespace, objects)
        for replica in replicas:
            replica.start()
            stack.push_async_callback(replica.abandon)
        yield Battlefield(plan, slack, slack_door, doors, folder / "trap", trap, replicas, stage, counted)


@asynccontextmanager
async def _slack(plan: Plan, door: SlackDoor, scopes: Sequence[str]) -> AsyncIterator[SlackServer]:
    """Slack's own limits would only make it wait; its refusals come from the door."""
    may = (*scopes, "channels:history") if plan.may_look else scopes
    slack = SlackServer(
        bot_scopes=may, times=SocketTimes(ack=2.0, retries=(0.2, 0.5)), limits=dict.fromkeys(_CALLS, _BUSY)
    )
    slack.faults = door
    for story in plan.stories:
        people.hire(slack, story)
    async with slack:
        yield slack


def _life(number: int, folder: Path, kubeconfig: Path, slack: SlackServer, address: books.Address) -> bot.Life:
    config = folder / f"token-doctor-{number}.yaml"
    asked = {
        "namespaces": ["*"],
        "requesters": [p.ON_CALL],
        "approvers": [p.APPROVERS],
        "approval_channel": p.APPROVALS,
    }
    settings = {
        "slack": {"api_url": slack.api_url},
        "clusters": [{"name": "prod", "kubeconfig": str(kubeconfig)}],
        "database": {"url": address.url},
        "identity": {"groups": {p.ON_CALL: [things.MAY_ASK], p.APPROVERS: [things.MAY_ASK]}},
        "policy": [
            {"actions": ["restart-workload", "delete-pod"], **asked},
            {"actions": ["create-token-secret"], "approvals": 2, **asked},
        ],
    }
    config.write_text(yaml.safe_dump(settings), "utf-8")
    tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
    password = {"DATABASE_PASSWORD": address.password} if address.password else {}
    return bot.Life(config, folder / f"bot-{number}.log", folder / "trap", {**tokens, **password})


def _kill(replicas: Sequence[Replica], *numbers: int) -> None:
    for number in numbers:
        replicas[number].kill()


def _in_logs(folder: Path) -> list[str]:
    texts = {log.name: log.read_text("utf-8", "replace") for log in folder.glob("*.log")}
    return [f"the log {name} has: {word}" for name, text in texts.items() for word in _NEVER if word in text]
