"""The door for Slack's requests: over a real socket, with bolt behind it. The whole bot is in tests/scenarios/http."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack.bolt import bolt_app
from bot.slack.http import LARGEST_BODY, PATH, HttpMode
from bot.slack.verify import Identity
from bot.web import Web
from demo.slack import SlackServer
from demo.slack import people as p
from demo.slack.http_delivery import signature

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_800_000_000
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
COMMAND = {"command": "/token", "text": "help", "team_id": p.TEAM.id, "user_id": p.ENGINEER, "trigger_id": "1.2.a"}
MENTION = {"type": "event_callback", "team_id": p.TEAM.id, "event_id": "Ev1", "event": {"type": "app_mention"}}


@dataclass
class Door:
    """`taken` are the texts of the commands that reached their listener; it holds each until `go_on` is set."""

    http: HttpMode
    url: str
    session: ClientSession
    taken: list[str] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(
        self,
        body: bytes,
        content_type: str = FORM,
        *,
        at: float | str = NOW,
        secret: str = SECRET,
        changed: Mapping[str, str | None] | None = None,
    ) -> tuple[int, str]:
        """The status and the text of the answer; `changed` headers are set, or left out where they are None."""
        timestamp = str(at)
        headers: dict[str, str | None] = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(secret, timestamp, body),
            **(changed or {}),
        }
        given = {name: value for name, value in headers.items() if value is not None}
        skipped = [name for name, value in headers.items() if value is None]
        async with self.session.post(self.url, data=body, headers=given, skip_auto_headers=skipped) as answer:
            return answer.status, await answer.text()

    async def command(self, text: str = "help", **fields: str) -> tuple[int, str]:
        return await self.post(urlencode({**COMMAND, "text": text, **fields}).encode())


def app_of(server: SlackServer, session: ClientSession) -> AsyncApp:
    identity = Identity(team="Shop", team_id=p.TEAM.id, user="token-doctor", user_id=p.BOT_USER, bot_id="B0TOKENDOC1")
    return bolt_app(session, server.api_url, server.bot_token, identity, answers_last=True)


@pytest.fixture
async def door(server: SlackServer, session: ClientSession, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    app = app_of(server, session)
    http = HttpMode(app, SECRET, now=lambda: NOW, monotonic=time.monotonic, drain_seconds=0, body_seconds=0.3)
    door = Door(http, "", session)
    door.go_on.set()

    async def token(ack: AsyncAck, body: dict[str, str]) -> None:
        door.arrived.set()
        await door.go_on.wait()
        if body["text"] == "break":
            raise RuntimeError("on purpose")
        door.taken.append(body["text"])
        await ack()

    async def mention(body: dict[str, Any]) -> None:
        if body["event_id"] == "break":
            raise RuntimeError("on purpose")
        door.taken.append(body["event_id"])

    async def filled(ack: AsyncAck) -> None:
        door.taken.append("filled")
        await ack(response_action="errors", errors={"why": "Say why."})

    app.command("/token")(token)
    app.event("app_mention")(mention)
    app.view("ask")(filled)

    async def nothing() -> str:
        return ""

    web = Web("127.0.0.1", 0, metrics=nothing, not_ready=nothing, posts={PATH: http.answer})
    door.url = f"http://127.0.0.1:{await web.start()}{PATH}"
    await http.start()
    yield door
    door.go_on.set()
    await http.stop()
    await web.stop()


async def test_a_command_an_event_and_a_form_are_taken_and_answered(door: Door) -> None:
    assert await door.command("help me") == (200, "")
    assert (await door.post(json.dumps(MENTION).encode(), JSON))[0] == 200
    view = {"type": "view_submission", "team": {"id": p.TEAM.id}, "user": {"id": p.ENGINEER}}
    payload = {**view, "view": {"type": "modal", "callback_id": "ask"}}
    status, answer = await door.post(urlencode({"payload": json.dumps(payload)}).encode())
    assert (status, json.loads(answer)) == (200, {"response_action": "errors", "errors": {"why": "Say why."}})
    assert door.taken == ["help me", "Ev1", "filled"]
    assert not any(door.http.refusals.numbers.values())


async def test_a_command_may_speak_of_a_payload(door: Door) -> None:
    """Bolt's own reading of a form makes nothing of it."""
    assert (await door.command("errors payload too large"))[0] == 200
    assert door.taken == ["errors payload too large"]


async def test_headers_that_nobody_has_signed_change_nothing(door: Door) -> None:
    """Bolt leaves a request to somebody else where this header says so."""
    assert (await door.post(GOOD, changed={"X-Slack-Bolt-Lazy-Only": "1"}))[0] == 200
    assert door.taken == ["help"]


async def test_the_challenge_comes_back_where_it_is_signed(door: Door) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a", "token": "t"}).encode()
    status, answer = await door.post(body, JSON)
    assert (status, json.loads(answer)) == (200, {"challenge": "3eZbrw1a"})
    status, answer = await door.post(body, JSON, secret="another")
    assert status == 401
    assert "3eZbrw1a" not in answer


GOOD = urlencode(COMMAND).encode()
REFUSED: dict[str, tuple[int, str, dict[str, Any]]] = {
    "another secret": (401, "signature", {"secret": "another"}),
    "another body": (401, "signature", {"changed": {"X-Slack-Signature": signature(SECRET, str(NOW), b"other")}}),
    "no signature": (401, "unsigned", {"changed": {"X-Slack-Signature": None}}),
    "no timestamp": (401, "unsigned", {"changed": {"X-Slack-Request-Timestamp": None}}),
    "a signature in another script": (401, "signature", {"changed": {"X-Slack-Signature": "v0=\u00e9"}}),
    "too old": (401, "stale", {"at": NOW - 301}),
    "of tomorrow": (401, "stale", {"at": NOW + 301}),
    "no number": (401, "timestamp", {"at": "soon"}),
    "a number of five thousand digits": (401, "timestamp", {"at": "9" * 5000}),
    "text": (415, "content-type", {"content_type": "text/plain"}),
    "no type": (415, "content-type", {"changed": {"Content-Type": None}}),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
async def test_what_is_no_request_of_slacks_is_refused(door: Door, case: str) -> None:
    status, why, how = REFUSED[case]
    assert await door.post(GOOD, **how) == (status, f"refused: {why}\n")
    assert door.taken == []
    assert {name for name, number in door.http.refusals.numbers.items() if number} == {why}


@pytest.mark.parametrize("name", ["X-Slack-Signature", "X-Slack-Request-Timestamp"])
async def test_two_signatures_are_as_good_as_none(door: Door, name: str) -> None:
    """Whoever stands before the bot may have judged by the other one."""
    good = {"X-Slack-Signature": signature(SECRET, str(NOW), GOOD), "X-Slack-Request-Timestamp": str(NOW)}
    headers = [("Content-Type", FORM), *good.items(), (name, good[name])]
    async with door.session.post(door.url, data=GOOD, headers=headers) as answer:
        assert (answer.status, await answer.text()) == (401, "refused: unsigned\n")


async def test_a_request_at_the_edge_of_the_five_minutes_is_taken(door: Door) -> None:
    for at in (NOW - 300, NOW + 300):
        assert (await door.post(GOOD, at=at))[0] == 200
    assert len(door.taken) == 2


async def test_an_unsigned_test_of_the_certificate_is_not_answered_as_slacks(door: Door) -> None:
    """Bolt answers it without looking at the signature."""
    assert (await door.post(b"ssl_check=1&token=x", secret="another"))[0] == 401
    assert (await door.post(b"ssl_check=1&token=x"))[0] == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\xff\xfe", JSON),
        (b"{", JSON),
        (b"[1]", JSON),
        (b"null", JSON),
        (b"[" * 100_000, JSON),
        (b"", JSON),
        (b"no form at all", FORM),
        (b"payload=%7B", FORM),
        (b"payload=7", FORM),
        (b'{"team": 5}', JSON),
        (b'{"authorizations": [null]}', JSON),
    ],
)
async def test_what_is_signed_and_cannot_be_read_is_refused(door: Door, body: bytes, content_type: str) -> None:
    assert await door.post(body, content_type) == (400, "refused: malformed\n")
    assert door.http.refusals.numbers["malformed"] == 1


@pytest.mark.parametrize("body", [b"{}", b'{"type": 7}', b'{"type": "event_callback"}', b'{"authorizations": []}'])
async def test_what_is_of_no_known_kind_is_acknowledged_and_nothing_else(door: Door, body: bytes) -> None:
    assert (await door.post(body, JSON))[0] == 200
    assert door.taken == []


async def test_a_body_that_says_it_is_too_large_is_not_read(door: Door) -> None:
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: {LARGEST_BODY + 1}\r\n"
        f"X-Slack-Request-Timestamp: {NOW}\r\nX-Slack-Signature: v0={'0' * 64}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", int(door.url.split(":")[2].split("/")[0]))
    writer.write(head.encode())
    async with asyncio.timeout(10):
        assert b" 413 " in await reader.readline()
    writer.close()


async def test_a_body_that_grows_too_large_is_given_up(door: Door) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * (LARGEST_BODY // 8)

    headers = {"Content-Type": FORM, "X-Slack-Request-Timestamp": str(NOW), "X-Slack-Signature": f"v0={'0' * 64}"}
    async with door.session.post(door.url, data=endless(), headers=headers) as answer:
        assert answer.status == 413
    largest = b"a=" + b"x" * (LARGEST_BODY - 2)
    assert (await door.post(largest))[0] == 200


async def test_a_body_that_does_not_come_is_not_waited_for(door: Door) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"command="
        await asyncio.Event().wait()

    headers = {"Content-Type": FORM, "X-Slack-Request-Timestamp": str(NOW), "X-Slack-Signature": f"v0={'0' * 64}"}
    async with asyncio.timeout(10), door.session.post(door.url, data=slow(), headers=headers) as answer:
        assert (answer.status, answer.headers["Connection"]) == (408, "close")


async def test_other_methods_and_paths_are_none(door: Door) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        async with door.session.request(method, door.url) as answer:
            assert answer.status == 405, method
    async with door.session.post(f"{door.url}/else") as answer:
        assert answer.status == 404


async def test_what_is_of_another_workspace_is_acknowledged_and_not_taken(door: Door) -> None:
    assert await door.command(team_id=p.OTHER_TEAM.id) == (200, "")
    theirs = {**MENTION, "team_id": p.OTHER_TEAM.id}
    assert (await door.post(json.dumps(theirs).encode(), JSON))[0] == 200
    assert door.taken == []
    shared = {**theirs, "authorizations": [{"team_id": p.TEAM.id, "is_bot": True}]}
    assert (await door.post(json.dumps(shared).encode(), JSON))[0] == 200
    assert door.taken == ["Ev1"]


async def test_a_listener_that_breaks_is_not_acknowledged(door: Door) -> None:
    """So that Slack sends an event again, and tells a person that the command failed."""
    assert (await door.command("break"))[0] == 500
    assert (await door.post(json.dumps({**MENTION, "event_id": "break"}).encode(), JSON))[0] == 500
    assert door.taken == []


async def test_nothing_is_taken_before_the_start_and_after_the_stop(door: Door) -> None:
    await door.http.stop()
    assert not await door.http.connected()
    assert await door.command() == (503, "refused: not-serving\n")
    await door.http.start()
    assert await door.http.connected()
    assert (await door.command())[0] == 200


async def test_a_stop_waits_for_what_is_being_answered(door: Door) -> None:
    door.go_on.clear()
    asked = asyncio.create_task(door.command())
    async with asyncio.timeout(10):
        await door.arrived.wait()
    stopping = asyncio.create_task(door.http.stop())
    waiting = asyncio.create_task(door.http.acknowledged())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    assert not waiting.done()
    door.go_on.set()
    await stopping
    assert (await asked)[0] == 200
    assert door.taken == ["help"]
    await waiting


async def test_what_comes_while_it_drains_is_taken(server: SlackServer, session: ClientSession) -> None:
    http = HttpMode(app_of(server, session), SECRET, now=lambda: NOW, monotonic=time.monotonic, drain_seconds=30)
    await http.start()
    stopping = asyncio.create_task(http.stop())
    await asyncio.sleep(0)
    assert await http.connected()
    stopping.cancel()
    await asyncio.gather(stopping, return_exceptions=True)


async def test_the_log_tells_refusals_without_their_content_and_is_not_filled_by_them(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(50):
        await door.post(b"text=a-secret-of-somebody", secret="another")
    written = capsys.readouterr()
    lines = [line for line in (written.out + written.err).splitlines() if "was refused" in line]
    assert len(lines) == 1
    assert "signature" in lines[0]
    assert "a-secret-of-somebody" not in written.out + written.err
    assert door.http.refusals.numbers["signature"] == 50
