"""Socket Mode on the wire: tickets, connections, acknowledgements and redelivery, over plain aiohttp."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from demo.slack import Clock, SlackServer, SocketTimes
from demo.slack import people as p

Json = dict[str, Any]
PATIENT = SocketTimes(ack=2.0, retries=(0.2,) * 50)
PINGING = SocketTimes(ping=0.05)


class Wire:
    """A bare websocket client that says only what a test tells it to say."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def receive(self) -> Json:
        frame: Json = json.loads((await asyncio.wait_for(self.socket.receive(), 5)).data)
        return frame

    async def acknowledge(self, envelope: Json) -> None:
        await self.socket.send_json({"envelope_id": envelope["envelope_id"]})


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def address(slack: SlackServer, session: aiohttp.ClientSession) -> str:
    headers = {"Authorization": f"Bearer {slack.app_token}"}
    async with session.post(slack.api_url + "apps.connections.open", headers=headers) as answer:
        url: str = (await answer.json())["url"]
    return url


@asynccontextmanager
async def wire(slack: SlackServer, session: aiohttp.ClientSession) -> AsyncIterator[tuple[Wire, Json]]:
    """A fresh connection and its first frame."""
    async with session.ws_connect(await address(slack, session), autoping=False) as socket:
        client = Wire(socket)
        yield client, await client.receive()


async def refused(session: aiohttp.ClientSession, url: str) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await session.ws_connect(url)
    return caught.value.status


async def test_a_ticket_opens_one_connection(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    url = await address(slack, session)
    async with session.ws_connect(url):
        assert await refused(session, url) == 404


async def test_a_ticket_ends_after_thirty_seconds(
    slack: SlackServer, session: aiohttp.ClientSession, clock: Clock
) -> None:
    url = await address(slack, session)
    clock.advance(31)
    assert await refused(session, url) == 404


async def test_addresses_can_be_made_stale(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    url = await address(slack, session)
    slack.socket.expire_tickets()
    assert await refused(session, url) == 404


async def test_an_eleventh_connection_is_turned_away(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    sockets = [await session.ws_connect(await address(slack, session)) for _ in range(10)]
    hello = [await socket.receive_json() for socket in sockets]
    assert [frame["num_connections"] for frame in hello] == list(range(1, 11))
    async with wire(slack, session) as (_, first):
        assert (first["type"], first["reason"]) == ("disconnect", "too_many_websockets")
    for socket in sockets:
        await socket.close()


async def test_each_payload_goes_to_one_connection(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    async with wire(slack, session) as (left, _), wire(slack, session) as (right, _):

        async def serve(client: Wire, count: int) -> list[str]:
            texts = []
            for _ in range(count):
                envelope = await client.receive()
                await client.acknowledge(envelope)
                texts.append(envelope["payload"]["text"])
            return texts

        serving = asyncio.gather(serve(left, 2), serve(right, 2))
        for number in range(4):
            delivery = await slack.command("/token", str(number), user=p.ENGINEER, channel=p.INCIDENT)
            assert len(delivery.connections) == 1
        texts_left, texts_right = await serving
    assert sorted(texts_left + texts_right) == ["0", "1", "2", "3"]


async def test_an_event_not_acknowledged_comes_again(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    async with wire(slack, session) as (client, _):
        mention = asyncio.create_task(slack.mention(p.INCIDENT, p.ENGINEER, "check"))
        first, second = await client.receive(), await client.receive()
        await client.acknowledge(second)
        delivery = await mention
        assert delivery is not None
        await slack.wait_for(lambda: delivery.acked)
    assert [(e["retry_attempt"], e["retry_reason"]) for e in (first, second)] == [(0, ""), (1, "timeout")]
    assert first["payload"] == second["payload"]
    assert first["envelope_id"] != second["envelope_id"]
    assert delivery.attempts == 2


async def test_an_event_is_given_up_after_three_retries(slack: SlackServer) -> None:
    delivery = await slack.mention(p.INCIDENT, p.ENGINEER, "check")
    assert delivery is not None
    await slack.wait_for(lambda: delivery.attempts == 4)
    assert (delivery.acked, delivery.failure) == (False, "no_connection")


async def test_an_event_without_a_connection_reaches_the_next_one(
    slack: SlackServer, session: aiohttp.ClientSession
) -> None:
    slack.socket.times = PATIENT
    delivery = await slack.mention(p.INCIDENT, p.ENGINEER, "check")
    assert delivery is not None
    async with wire(slack, session) as (client, _):
        envelope = await client.receive()
        await client.acknowledge(envelope)
        await slack.wait_for(lambda: delivery.acked)
    assert envelope["retry_attempt"] > 0


async def test_a_command_is_sent_once_only(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    async with wire(slack, session) as (client, _):
        delivery = await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
        sent = [r for r in slack.traffic.at("websocket 1", "to_bot") if b"slash_commands" in r.data]
        await client.receive()
    assert (delivery.attempts, delivery.failure, len(sent)) == (1, "timeout", 1)


async def test_a_payload_to_a_ghost_is_lost(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    async with wire(slack, session) as (client, _):
        slack.socket.silence()
        await client.socket.ping(b"still there?")
        delivery = await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
        assert (delivery.failure, delivery.connections) == ("timeout", [1])
        with pytest.raises(TimeoutError):
            await client.socket.receive(timeout=0.05)


async def test_pings_go_both_ways(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    slack.socket.times = PINGING
    async with wire(slack, session) as (client, _):
        ping = await asyncio.wait_for(client.socket.receive(), 5)
        assert (ping.type, ping.data) == (aiohttp.WSMsgType.PING, b"Ping from applink-demo")
        await client.socket.pong(ping.data)
        await client.socket.ping(b"sdk-ping-pong:1")
        while (frame := await asyncio.wait_for(client.socket.receive(), 5)).type != aiohttp.WSMsgType.PONG:
            assert frame.type == aiohttp.WSMsgType.PING
        assert frame.data == b"sdk-ping-pong:1"


async def test_a_disconnect_frame_comes_before_the_end(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    async with wire(slack, session) as (client, _):
        await slack.socket.disconnect("warning")
        assert await client.receive() == {
            "type": "disconnect",
            "reason": "warning",
            "debug_info": {"host": "applink-demo"},
        }
        assert (await asyncio.wait_for(client.socket.receive(), 5)).type == aiohttp.WSMsgType.CLOSE


async def test_frames_are_in_the_traffic(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    async with wire(slack, session) as (client, _):
        await client.socket.send_str("planted-frame")
        command = slack.command("/token", "planted-text", user=p.ENGINEER, channel=p.INCIDENT)
        await asyncio.gather(command, client.receive())
    seen = sorted((record.direction, record.where) for record in slack.traffic.containing(b"planted"))
    assert seen == [("from_bot", "websocket 1"), ("to_bot", "websocket 1")]
