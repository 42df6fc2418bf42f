"""Socket Mode's start, watchdog and stop, in this process and with short times; the whole way is in tests/scenarios."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.errors import SlackRefusedError
from bot.slack.client import sdk_logger, web_client
from bot.slack.socket import SocketMode
from demo.slack import SlackServer
from demo.slack import people as p


async def authorize() -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id=p.TEAM.id, bot_user_id=p.BOT_USER, bot_id="B0TOKENDOC1")


@pytest.fixture
def app(server: SlackServer, session: ClientSession, monkeypatch: pytest.MonkeyPatch) -> AsyncApp:
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    client = web_client(session, server.api_url, None)
    return AsyncApp(name="test", logger=sdk_logger(), client=client, authorize=authorize)


@pytest.fixture
async def socket(app: AsyncApp, server: SlackServer, session: ClientSession) -> AsyncIterator[SocketMode]:
    client = web_client(session, server.api_url, server.app_token)
    socket = SocketMode(app, client, watch_seconds=0.2, ping_seconds=0.2)
    yield socket
    await socket.stop()


async def test_a_start_ends_when_slack_has_said_hello(server: SlackServer, socket: SocketMode) -> None:
    await socket.start(5)
    assert len(server.socket.connections) == 1


async def test_a_start_without_a_websocket_is_given_up(server: SlackServer, socket: SocketMode) -> None:
    server.fail("handshake", status=500, times=1_000)
    with pytest.raises(SlackRefusedError, match="no websocket to Slack") as refused:
        await socket.start(1)
    assert "wss://" in refused.value.next_step


async def test_a_stale_address_is_replaced(server: SlackServer, socket: SocketMode) -> None:
    server.fail("handshake", status=500, times=2)
    await socket.start(10)
    assert len(server.traffic.at("/api/apps.connections.open", "from_bot")) > 1


async def test_a_stop_hands_over_what_has_arrived(server: SlackServer, app: AsyncApp, socket: SocketMode) -> None:
    taken: list[str] = []
    begun = asyncio.Event()

    async def token(ack: AsyncAck, body: dict[str, str]) -> None:
        begun.set()
        await asyncio.sleep(0.3)
        taken.append(body["text"])
        await ack()

    app.command("/token")(token)
    await socket.start(5)
    delivery = await server.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
    assert delivery.acked
    await begun.wait()
    await socket.stop()
    assert taken == ["help"]
    assert server.socket.connections == []


async def test_a_command_is_acknowledged_however_long_its_listener_takes(
    server: SlackServer, app: AsyncApp, socket: SocketMode
) -> None:
    done = asyncio.Event()

    async def token(ack: AsyncAck) -> None:
        await done.wait()
        await ack()

    app.command("/token")(token)
    await socket.start(5)
    delivery = await server.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
    assert (delivery.acked, delivery.response) == (True, None)
    await socket.acknowledged()
    assert not done.is_set()
    done.set()
    await socket.stop()
    answers = [record for record in server.traffic.at("websocket 1", "from_bot") if b"envelope_id" in record.data]
    assert len(answers) == 1


async def test_an_acknowledgement_that_cannot_be_sent_leaves_the_command_alone(
    server: SlackServer, app: AsyncApp, socket: SocketMode
) -> None:
    """Slack tells the person that it failed, or sends the event again: it must not be done as well."""
    taken: list[str] = []

    async def token(ack: AsyncAck, body: dict[str, str]) -> None:
        taken.append(body["text"])
        await ack()

    app.command("/token")(token)
    await socket.start(5)
    request = SocketModeRequest("slash_commands", "e1", {"command": "/token", "text": "help"})
    await socket.stop()
    with pytest.raises(ConnectionError):
        await socket._handler.handle(socket._client, request)  # noqa: SLF001  # as the SDK would call it
    assert taken == []
