"""The people of the stories: each goes on, over Slack only, until what they want has come about or is refused."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from bot.blocks import values
from bot.model import ActionKind, ObjectRef, Offer, Request, State
from demo.slack import Message, SlackServer, View
from demo.slack import people as p
from demo.slack.errors import SlackError
from demo.slack.workspace import User
from tests.cluster.api import Api, JsonObject
from tests.crash import things
from tests.crash.books import Books
from tests.crash.plan import Fate, Story

_PATIENCE_SECONDS = 3.0
_PAUSE_SECONDS = 0.3
_COMMANDS = {ActionKind.RESTART_WORKLOAD: "restart", ActionKind.CREATE_TOKEN_SECRET: "create-secret"}


@dataclass(frozen=True)
class Stage:
    """Where the stories are played. `objects` by the story's name."""

    slack: SlackServer
    books: Books
    api: Api
    namespace: str
    objects: Mapping[str, JsonObject]


def hire(slack: SlackServer, story: Story) -> None:
    """The story's own people: one who asks, two who agree, one who may neither."""
    workspace = slack.workspace
    for role in ("ASKS", "AGREES", "SECONDS", "OUTSIDE"):
        who = person(story, role)
        workspace.users[who] = User(who, who.lower(), who.title(), p.TEAM.id, f"{who.lower()}@shop.example")
    workspace.user_groups[p.ON_CALL].users.append(person(story, "ASKS"))
    workspace.user_groups[p.APPROVERS].users += [person(story, "AGREES"), person(story, "SECONDS")]
    everybody = [person(story, role) for role in ("ASKS", "AGREES", "SECONDS", "OUTSIDE")]
    for channel in (p.INCIDENT, p.APPROVALS):
        workspace.channels[channel].members += everybody


def person(story: Story, role: str) -> str:
    return f"U0{role}{story.number:05}"


async def play(story: Story, stage: Stage) -> None:
    """Returns when the people have done their part; whatever dies meanwhile, they try again."""
    request = await _asked(story, stage)
    match story.fate:
        case Fate.DENIED:
            await _decided(story, stage, request, "deny", State.DENIED)
        case Fate.CANCELLED:
            await _decided(story, stage, request, "cancel", State.CANCELLED)
        case Fate.EXPIRED:
            await stage.books.run_out(request.id)
        case Fate.UNDECIDED:
            for role in ("OUTSIDE", "ASKS"):
                await _once(partial(_say, story, stage, request, "approve", role))
        case Fate.CHANGED:
            await things.change(stage.api, stage.namespace, story)
            await _approved(story, stage, request)
        case _:
            await _approved(story, stage, request)
    if story.fate is Fate.EXPIRED_LATE:
        await stage.books.run_out(request.id)
    if story.fate is Fate.CANCELLED_LATE:
        await _once(lambda: _say(story, stage, request, "cancel", "ASKS"))


async def _asked(story: Story, stage: Stage) -> Request:
    while True:
        await _once(lambda: _ask(story, stage))
        found = await stage.books.until(lambda: stage.books.of(story.name), _PATIENCE_SECONDS)
        if found is not None:
            return found
        await asyncio.sleep(_PAUSE_SECONDS)


async def _approved(story: Story, stage: Stage, request: Request) -> None:
    """As many agree as it takes."""
    for role in ("AGREES", "SECONDS")[: request.approvals_needed]:
        while not await _is_said(story, stage, request, role):
            tries = 1 + story.hasty
            await asyncio.gather(*(_once(partial(_say, story, stage, request, "approve", role)) for _ in range(tries)))
            await asyncio.sleep(_PAUSE_SECONDS)


async def _is_said(story: Story, stage: Stage, request: Request, role: str) -> bool:
    votes = await stage.books.votes(request.id)
    return any(vote.approver.id == person(story, role) for vote in votes)


async def _decided(story: Story, stage: Stage, request: Request, verb: str, wanted: State) -> None:
    role = "AGREES" if verb == "deny" else "ASKS"
    while stage.books.by_id(request.id).state is State.PENDING:
        await _once(lambda: _say(story, stage, request, verb, role))
        await stage.books.until(lambda: stage.books.by_id(request.id).state is wanted, 2 * _PAUSE_SECONDS)


async def _ask(story: Story, stage: Stage) -> None:
    user = person(story, "ASKS")
    async with _modal(stage, user) as appears:
        if story.deed in _COMMANDS:
            words = f"{_COMMANDS[story.deed]} {stage.namespace}/{story.name}"
            await stage.slack.command("/token", words, user=user, channel=p.INCIDENT)
        else:
            await stage.slack.click(await _offer(story, stage), "act:0", user=user)
        await _fill(stage, await appears(), user, f"because of {story.name}")


async def _offer(story: Story, stage: Stage) -> Message:
    """A button such as a report has, which one click in a healthy cluster would not get."""
    found = stage.objects[story.name]["metadata"]
    ref = ObjectRef(
        cluster="prod", api_version="v1", kind="Pod", namespace=stage.namespace, name=found["name"], uid=found["uid"]
    )
    value = values.of_offer(Offer(kind=story.deed, ref=ref, label=""))
    button = {"type": "button", "action_id": "act:0", "value": value, "text": {"type": "plain_text", "text": "Do it"}}
    blocks = [{"type": "actions", "block_id": "b", "elements": [button]}]
    return await stage.slack.say(p.INCIDENT, person(story, "ASKS"), story.name, blocks=blocks)


async def _say(story: Story, stage: Stage, request: Request, verb: str, role: str) -> None:
    """Presses a button under one of the request's messages and fills in what comes."""
    user = person(story, role)
    message = await stage.slack.wait_for(lambda: _with_button(stage, request.id, verb), _PATIENCE_SECONDS)
    assert message is not None
    async with _modal(stage, user) as appears:
        await stage.slack.click(message, verb, user=user)
        await _fill(stage, await appears(), user, f"{verb}, says {role.lower()}")


async def _fill(stage: Stage, form: View, user: str, reason: str) -> None:
    if "submit" in form.definition:
        await stage.slack.submit(form, {"reason": reason}, user=user)


@asynccontextmanager
async def _modal(stage: Stage, user: str) -> AsyncIterator[Callable[[], Awaitable[View]]]:
    """The person's next modal, once it is more than a promise."""
    before = {view.id for view in stage.slack.modals(user)}

    def found() -> View | None:
        fresh = [view for view in stage.slack.modals(user) if view.id not in before]
        return next((view for view in fresh if "⏳" not in json.dumps(view.definition, ensure_ascii=False)), None)

    async def appears() -> View:
        view = await stage.slack.wait_for(found, _PATIENCE_SECONDS)
        assert view is not None
        return view

    yield appears


def _with_button(stage: Stage, request: str, verb: str) -> Message | None:
    for channel in (p.APPROVALS, p.INCIDENT):
        for message in stage.slack.messages(channel):
            actions = [each for block in message.blocks for each in block.get("elements", ())]
            if any(each.get("action_id") == verb and each.get("value") == request for each in actions):
                return message
    return None


async def _once(tried: Callable[[], Awaitable[None]]) -> None:
    """A person's try. Slack, or the bot, may fail them; a button may be gone by now."""
    try:
        await tried()
    except (LookupError, SlackError, TimeoutError):
        await asyncio.sleep(_PAUSE_SECONDS)
