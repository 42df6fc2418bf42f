"""Socket Mode at wire level: tickets, connections, envelopes and their acknowledgements.

Frames follow docs.slack.dev/apis/events-api/using-socket-mode; retry_attempt and retry_reason are on
events_api envelopes only, as in the logs of slackapi/bolt-js#2487.
"""

import asyncio
import contextlib
import json
import secrets
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from demo.slack.changes import Changes
from demo.slack.delivery import Delivery
from demo.slack.errors import JsonObject
from demo.slack.traffic import Traffic

MOST_CONNECTIONS = 10
HOST = "applink-demo"


@dataclass(frozen=True, slots=True)
class SocketTimes:
    """Seconds; Slack's own values, which a test may shorten.

    `retries` are the waits before an event nobody acknowledged is sent again.
    """

    ack: float = 3.0
    retries: tuple[float, ...] = (0.0, 60.0, 300.0)
    ticket: float = 30.0
    ping: float = 10.0
    farewell: float = 10.0  # from a disconnect frame until the socket is closed
    connection: int = 18_060  # only announced, in hello


@dataclass(slots=True)
class Connection:
    """One websocket. A `silent` one is a ghost: registered, but nothing goes in or out."""

    number: int
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    silent: bool = False


class SocketMode:
    def __init__(
        self, app_id: str, now: Callable[[], float], traffic: Traffic, changes: Changes, times: SocketTimes
    ) -> None:
        self.times = times
        self.connections: list[Connection] = []
        self.late_acks: list[str] = []
        self._app_id = app_id
        self._now = now
        self._traffic = traffic
        self._changes = changes
        self._tickets: dict[str, float] = {}
        self._waiting: dict[str, asyncio.Future[JsonObject]] = {}
        self.opened = 0
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_connected(self) -> bool:
        return bool(self.connections)

    def issue_ticket(self) -> str:
        """The path of a fresh websocket address; its ticket opens one connection."""
        ticket = str(uuid.uuid4())
        self._tickets[ticket] = self._now()
        return f"/link/?ticket={ticket}&app_id={secrets.token_hex(32)}"

    def expire_tickets(self) -> None:
        """Every address given out so far stops working."""
        self._tickets.clear()

    def redeem(self, ticket: str) -> bool:
        issued = self._tickets.pop(ticket, None)
        return issued is not None and self._now() - issued <= self.times.ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """A handshake whose ticket is already redeemed: hello, then frames until the socket closes."""
        socket = web.WebSocketResponse(autoping=False, timeout=0.5)
        await socket.prepare(request)
        self.opened += 1
        transport = request.transport
        connection = Connection(self.opened, socket, transport if isinstance(transport, asyncio.Transport) else None)
        if len(self.connections) >= MOST_CONNECTIONS:
            await self._send(connection, _disconnect("too_many_websockets"))
            await socket.close()
            return socket
        self.connections.append(connection)
        pings = self._spawn(self._ping(connection))
        try:
            with contextlib.suppress(ConnectionError):  # the client left during hello or a pong
                await self._send(connection, self._hello())
                await self._receive(connection)
        finally:
            pings.cancel()
            self.connections.remove(connection)
            await self._changes.notify()
        return socket

    def _hello(self) -> JsonObject:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {"host": HOST, "build_number": 1, "approximate_connection_time": self.times.connection},
            "connection_info": {"app_id": self._app_id},
        }

    async def _receive(self, connection: Connection) -> None:
        where = f"websocket {connection.number}"
        async for frame in connection.socket:
            data = frame.data.encode() if isinstance(frame.data, str) else bytes(frame.data or b"")
            if frame.type in (WSMsgType.PING, WSMsgType.PONG):
                self._traffic.add("from_bot", f"{where} {frame.type.name.lower()}", data)
            else:
                self._traffic.add("from_bot", where, data)
            if connection.silent:
                continue
            if frame.type == WSMsgType.PING:
                self._traffic.add("to_bot", f"{where} pong", data)
                await connection.socket.pong(data)
            elif frame.type == WSMsgType.TEXT:
                self._acknowledge(data)
                await self._changes.notify()

    def _acknowledge(self, data: bytes) -> None:
        """An ack is known by its envelope_id, whichever connection it comes over."""
        try:
            ack = json.loads(data)
        except ValueError:
            return  # kept in the traffic; Slack ignores what it cannot read
        envelope_id = str(ack.get("envelope_id", "")) if isinstance(ack, dict) else ""
        waiting = self._waiting.get(envelope_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(ack)
        elif envelope_id:
            self.late_acks.append(envelope_id)

    async def _send(self, connection: Connection, frame: JsonObject) -> None:
        data = json.dumps(frame, ensure_ascii=False)
        self._traffic.add("to_bot", f"websocket {connection.number}", data.encode())
        if not connection.silent:
            await connection.socket.send_str(data)
        await self._changes.notify()

    async def _ping(self, connection: Connection) -> None:
        while not connection.socket.closed:
            await asyncio.sleep(self.times.ping)
            if not connection.silent:
                data = f"Ping from {HOST}".encode()
                self._traffic.add("to_bot", f"websocket {connection.number} ping", data)
                with contextlib.suppress(ConnectionError):  # _receive sees the end and takes it off the list
                    await connection.socket.ping(data)

    async def deliver(self, kind: str, payload: JsonObject, *, accepts_response: bool) -> Delivery:
        """Sends to one open connection and waits for the ack; an event goes on being retried behind."""
        delivery = Delivery(kind, payload)
        await self._attempt(delivery, accepts_response=accepts_response)
        if kind == "events_api" and not delivery.acked and self.times.retries:
            self._spawn(self._retry(delivery))
        return delivery

    async def _retry(self, delivery: Delivery) -> None:
        for wait in self.times.retries:
            await asyncio.sleep(wait)
            await self._attempt(delivery, accepts_response=False)
            await self._changes.notify()
            if delivery.acked:
                return

    async def _attempt(self, delivery: Delivery, *, accepts_response: bool) -> None:
        envelope: JsonObject = {
            "envelope_id": str(uuid.uuid4()),
            "payload": delivery.payload,
            "type": delivery.kind,
            "accepts_response_payload": accepts_response,
        }
        if delivery.kind == "events_api":
            envelope["retry_attempt"] = delivery.attempts
            envelope["retry_reason"] = "timeout" if delivery.attempts else ""
        delivery.attempts += 1
        connection = self._next_connection()
        if connection is None:
            delivery.failure = "no_connection"
            return
        delivery.connections.append(connection.number)
        ack = await self._exchange(connection, envelope)
        if ack is None:
            delivery.failure = "timeout"
            return
        delivery.acked, delivery.failure = True, ""
        delivery.response = ack.get("payload") or None

    async def _exchange(self, connection: Connection, envelope: JsonObject) -> JsonObject | None:
        waiting: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = waiting
        try:
            async with asyncio.timeout(self.times.ack):
                await self._send(connection, envelope)
                return await waiting
        except (TimeoutError, ConnectionError):
            return None
        finally:
            del self._waiting[envelope["envelope_id"]]

    def _next_connection(self) -> Connection | None:
        """In turn, so that two connections both get payloads."""
        usable = [connection for connection in self.connections if not connection.socket.closed]
        if not usable:
            return None
        self._turn += 1
        return usable[self._turn % len(usable)]

    async def disconnect(self, reason: str, connections: list[Connection] | None = None) -> None:
        """Tells clients to reconnect (`warning`, `refresh_requested`, `link_disabled`); closes later."""
        for connection in connections or self.connections.copy():
            with contextlib.suppress(ConnectionError):  # it left by itself
                await self._send(connection, _disconnect(reason))
            self._spawn(self._close_later(connection))

    async def _close_later(self, connection: Connection) -> None:
        await asyncio.sleep(self.times.farewell)
        await connection.socket.close()

    def drop(self, connections: list[Connection] | None = None) -> None:
        """Cuts without a close frame, as a broken network does."""
        for connection in connections or self.connections.copy():
            if connection.transport is not None:
                connection.transport.abort()

    def silence(self, connections: list[Connection] | None = None) -> None:
        """Leaves connections open but dead: no pong, no frame, acks unread; payloads to them are lost."""
        for connection in connections or self.connections.copy():
            connection.silent = True

    async def close(self) -> None:
        for task in self._tasks.copy():
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in self.connections.copy():
            if connection.silent and connection.transport is not None:
                connection.transport.abort()
            await connection.socket.close(code=1001)

    def _spawn(self, work: Coroutine[object, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _disconnect(reason: str) -> JsonObject:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": HOST}}
