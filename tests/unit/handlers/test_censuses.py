"""A census on demand: how far it is, what a channel may ask about, and what is kept of it."""

import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
from aiohttp import ClientSession
from msgspec.structs import replace

from bot.blocks import notices
from bot.census import Progress
from bot.errors import ClusterForbiddenError
from bot.model import Digest, ItemKind, Scanned
from bot.slack.client import TIMEOUT, web_client
from bot.slack.door import Slack
from bot.store import Store, open_store
from demo.slack import Message, SlackServer
from demo.slack import people as p
from handlers.censuses import LEGACY, Censuses
from handlers.middleware import ChannelRule
from handlers.places import Ask, Place
from handlers.words import Census
from tests.unit.blocks.digests import DAILY, PROD, STAGE

RULES = {p.APPROVALS: ChannelRule(cluster="stage", namespaces=("shop-*", "pay"))}
ANSWER = replace(DAILY, id="0123456789abcdef", minute="", due_at=None, next_at=None, clusters=(STAGE,))


class Reader:
    """Answers with a digest, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Sequence[str], tuple[str, ...], str, frozenset[ItemKind] | None]] = []
        self.answer: Digest | Exception = ANSWER
        self.steps: list[tuple[float, Progress]] = []
        self.seconds = 0.0

    async def digest(
        self,
        *,
        clusters: Sequence[str],
        namespaces: tuple[str, ...],
        channel: str,
        kinds: frozenset[ItemKind] | None,
        progress: Callable[[str, Progress], None],
    ) -> Digest:
        self.asked.append((clusters, namespaces, channel, kinds))
        for seconds, step in self.steps:
            self.seconds += seconds
            progress("stage", step)
            await self.between()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def between(self) -> None:
        """What a test wants to see before the next step."""


class Scene:
    def __init__(self, server: SlackServer, slack: Slack, store: Store) -> None:
        self.server = server
        self.slack = slack
        self.store = store
        self.reader = Reader()

    async def ask(self, command: Census, channel: str = p.INCIDENT, *, kept: bool = True) -> list[Message]:
        censuses = Censuses(
            self.reader,
            RULES,
            "token-doctor",
            clusters=lambda: ("prod", "stage"),
            store=self.store if kept else None,
            acts=False,
            monotonic=lambda: self.reader.seconds,
        )
        url = self.server.response_urls.issue("commands", channel, p.ENGINEER)
        ask = Ask(id="1", user=p.ENGINEER, channel=channel, response_url=f"{self.server.url}{url.path}")
        await censuses.run(command, Place(self.slack, ask))
        return self.server.messages(channel)

    def whispered(self) -> str:
        (whisper,) = self.server.ephemerals(p.ENGINEER)
        return json.dumps(whisper.blocks, ensure_ascii=False)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with SlackServer() as server, ClientSession(timeout=TIMEOUT) as session:
        slack = Slack(web_client(session, server.api_url, server.bot_token), session, time.monotonic)
        store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/doctor.db")
        yield Scene(server, slack, store)
        await slack.drain(0)
        await store.close()


def look(message: Message) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


async def test_one_message_becomes_the_answer_and_its_pages_stand_below(scene: Scene) -> None:
    first, *pages = await scene.ask(Census(cluster="Stage", namespace="shop", legacy=True))
    assert first.text.startswith("🟠 1 Secret never expires, not everything could be read")
    assert f"<@{p.ENGINEER}>" in first.text
    assert "the token Secrets of namespace shop" in look(first)
    assert len(first.history) == 1
    assert pages
    assert {page.thread_ts for page in pages} == {first.ts}
    assert scene.reader.asked == [(("stage",), ("shop",), p.INCIDENT, LEGACY)]
    kept = await scene.store.digests.get(ANSWER.id)
    assert kept is not None
    assert dict(kept.pages) == {0: first.ts, 1: pages[0].ts}
    assert '"snooze"' in look(pages[0])


async def test_without_a_store_or_a_schedule_it_works_and_nothing_is_kept(scene: Scene) -> None:
    scene.reader.answer = replace(ANSWER, schedule="")
    first, *pages = await scene.ask(Census(), kept=False)
    assert "never expires" in first.text
    assert '"snooze"' not in "".join(map(look, pages))
    await scene.ask(Census())
    assert await scene.store.digests.get(ANSWER.id) is None
    assert scene.reader.asked[0] == (("prod", "stage"), ("*",), p.INCIDENT, None)


async def test_it_says_every_few_seconds_how_far_it_is(scene: Scene) -> None:
    def so_far(pods: int) -> Progress:
        return Progress(scanned=Scanned(token_secrets=212, pods=pods), passed=12, total=41)

    async def sent() -> None:
        """Whatever is shown stands in Slack before the next step."""
        await scene.slack.drain(10)

    scene.reader.steps = [(1, so_far(1_200)), (1, so_far(2_200)), (2, so_far(4_200)), (3, so_far(7_200))]
    scene.reader.between = sent  # type: ignore[method-assign]  # a test's own eye on it
    first, *_ = await scene.ask(Census())
    beginning, four, seven = (json.dumps(edit.blocks, ensure_ascii=False) for edit in first.history)
    assert "so far" not in beginning
    assert "4 200 pods so far; 12 of 41 namespaces done" in four
    assert "7 200 pods so far" in seven
    assert "never expires" in first.text


@pytest.mark.parametrize("namespace", ["bank", "*", "shop*", "p?y", "pay*"])
async def test_a_channel_is_told_of_its_own_namespaces_only(scene: Scene, namespace: str) -> None:
    assert await scene.ask(Census(namespace=namespace), p.APPROVALS) == []
    assert scene.reader.asked == []
    assert "may not be asked about in this channel" in scene.whispered()


@pytest.mark.parametrize(
    ("namespace", "asked"), [("", ("shop-*", "pay")), ("shop-*", ("shop-*",)), ("shop-eu", ("shop-eu",))]
)
async def test_what_a_channel_may_ask_about_is_read(scene: Scene, namespace: str, asked: tuple[str, ...]) -> None:
    await scene.ask(Census(namespace=namespace), p.APPROVALS)
    assert scene.reader.asked == [(("stage",), asked, p.APPROVALS, None)]


async def test_a_cluster_that_nobody_configured_is_answered_with_those_that_are(scene: Scene) -> None:
    assert await scene.ask(Census(cluster="dev")) == []
    assert "The clusters are prod, stage." in scene.whispered()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ClusterForbiddenError("Nothing may be read.", next_step="Allow it."), "Allow it."),
        (ZeroDivisionError("a detail for the log"), "under incident"),
    ],
)
async def test_why_there_is_no_answer_stands_in_its_place(scene: Scene, error: Exception, words: str) -> None:
    scene.reader.answer = error
    (message,) = await scene.ask(Census(namespace="shop"))
    assert "Not read" in look(message)
    assert words in look(message)
    assert "detail" not in look(message)


async def test_where_the_bot_cannot_post_it_says_how_to_invite_it(scene: Scene) -> None:
    assert await scene.ask(Census(), p.RANDOM) == []
    assert notices.invite("token-doctor", direct=False).text in scene.server.ephemerals(p.ENGINEER)[0].text


async def test_a_workspace_without_charts_gets_a_table(scene: Scene) -> None:
    """In a message that was edited, too."""
    scene.server.fail(
        "chat.update", error="invalid_blocks", times=99, when=lambda sent: "data_visualization" in json.dumps(sent)
    )
    scene.reader.answer = replace(ANSWER, clusters=(PROD,))
    first, *_ = await scene.ask(Census())
    kinds = [block["type"] for block in first.blocks]
    assert "table" in kinds
    assert "data_visualization" not in kinds
    assert "12 Secrets never expire" in look(first)
