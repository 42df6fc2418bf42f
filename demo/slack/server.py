"""SlackServer: the whole stand-in, started and stopped with `async with`."""

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self, TypeVar, Unpack

from aiohttp import web

from demo.slack import manifest as manifests
from demo.slack import people
from demo.slack.acts import Acts
from demo.slack.changes import Changes
from demo.slack.clock import Clock
from demo.slack.delivery import Delivery
from demo.slack.errors import JsonObject
from demo.slack.faults import Fault, FaultOptions, Faults
from demo.slack.grants import ResponseUrls, Triggers
from demo.slack.http_api import HttpApi
from demo.slack.http_delivery import HttpDelivery
from demo.slack.page import PageRoutes, Panel
from demo.slack.rate_limits import Limit, RateLimits
from demo.slack.socket_mode import SocketMode, SocketTimes
from demo.slack.traffic import Traffic
from demo.slack.web_api import WebApi
from demo.slack.workspace import Blocks, Ephemeral, Message, View, Workspace

T = TypeVar("T")
LARGEST_BODY = 4 * 1024 * 1024  # bytes


class SlackServer:
    """One workspace on a free port of 127.0.0.1.

    `now` gives seconds since the epoch for everything that expires; `times` are Socket Mode's waits;
    `limits` replace the documented rate limits by method; `panel` is the cluster that the page shows beside it.
    With a `manifest` the app is what that says, its scopes too: where it switches Socket Mode off, `http` delivers.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] | None = None,
        port: int = 0,
        bot_scopes: Iterable[str] = people.BOT_SCOPES,
        times: SocketTimes | None = None,
        limits: Mapping[str, Limit] | None = None,
        panel: Panel | None = None,
        manifest: JsonObject | None = None,
    ) -> None:
        now = now or Clock()
        self._port = port
        self._runner: web.AppRunner | None = None
        self._address = ""
        self.now = now
        app = people.demo_app()
        if manifest is not None:
            app, bot_scopes = manifests.app_of(manifest, app), manifests.scopes_of(manifest)
        self.workspace: Workspace = people.demo_workspace(now, bot_scopes, app)
        self.traffic = Traffic(now)
        self.limits = RateLimits(now, limits or {})
        self.faults = Faults()
        self.changes = Changes()
        self.triggers = Triggers(now)
        self.response_urls = ResponseUrls(now, self.workspace.team.id)
        times = times or SocketTimes()
        self.socket = SocketMode(app.id, now, self.traffic, self.changes, times)
        urls = manifests.urls_of(manifest) if manifest else {}
        self.http = HttpDelivery(app, urls, now, traffic=self.traffic, changes=self.changes, times=times)
        self._page = PageRoutes(self.workspace, lambda: self.acts, self.changes, panel)

    async def start(self) -> None:
        api = WebApi(self.workspace, self.limits, self.triggers, self._socket_url)
        http = HttpApi(self.workspace, api, self.response_urls, self.socket, self.faults, self.traffic, self.changes)
        app = web.Application(client_max_size=LARGEST_BODY)
        app.add_routes(http.routes())
        app.add_routes(self._page.routes())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port)
        await site.start()
        self._runner = runner
        port = runner.addresses[0][1]
        self._address = f"127.0.0.1:{port}"

    async def stop(self) -> None:
        await self._page.close()
        await self.http.close()
        await self.socket.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _socket_url(self) -> str:
        return f"ws://{self._address}{self.socket.issue_ticket()}"

    @property
    def url(self) -> str:
        return f"http://{self._address}"

    @property
    def api_url(self) -> str:
        """The base_url of a client, with the slash at the end."""
        return f"{self.url}/api/"

    @property
    def bot_token(self) -> str:
        return people.BOT_TOKEN

    @property
    def app_token(self) -> str:
        return people.APP_TOKEN

    @property
    def acts(self) -> Acts:
        """What people do; the methods below are the most used of them."""
        wire = self.http if self.http.urls else self.socket
        return Acts(self.workspace, wire, self.triggers, self.response_urls, self.url)

    def messages(self, channel: str) -> list[Message]:
        """The channel's messages, threads included, oldest first, without deleted ones."""
        return self.workspace.live_messages(channel)

    def ephemerals(self, user: str) -> list[Ephemeral]:
        return [e for e in self.workspace.ephemerals if e.user == user and not e.deleted]

    def modals(self, user: str) -> list[View]:
        """The person's open modals, the lowest of the stack first."""
        return [view for view in self.workspace.views.values() if view.user == user and view.open]

    def home(self, user: str) -> View | None:
        return self.workspace.homes.get(user)

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 5.0) -> T:  # noqa: ASYNC109 - the caller's patience is part of the question
        """The predicate's first truthy value, judged after each request, frame and act.

        It should ask about this Slack: what changes inside the bot alone wakes nobody. Raises TimeoutError.
        """
        try:
            return await self.changes.wait_for(predicate, timeout)
        except TimeoutError as error:
            last = ", ".join(f"{record.direction} {record.where}" for record in self.traffic.records[-5:])
            raise TimeoutError(f"Not true within {timeout} s. Last on the wire: {last or 'nothing'}.") from error

    async def say(  # what a message is made of
        self,
        channel: str,
        user: str,
        text: str,
        *,
        thread_ts: str = "",
        blocks: Blocks | None = None,
        attachments: Blocks | None = None,
    ) -> Message:
        """A person or another app writes, and the bot is not told."""
        message = self.acts.say(channel, user, text, thread_ts=thread_ts, blocks=blocks, attachments=attachments)
        await self.changes.notify()
        return message

    async def command(self, command: str, text: str, *, user: str, channel: str) -> Delivery:
        delivery = await self.acts.command(command, text, user=user, channel=channel)
        await self.changes.notify()
        return delivery

    async def mention(self, channel: str, user: str, text: str, thread_ts: str | None = None) -> Delivery | None:
        return await self.acts.mention(channel, user, text, thread_ts or "")

    async def click(
        self, target: Message | Ephemeral | View, action_id: str, *, user: str, value: object = None
    ) -> Delivery:
        return await self.acts.click(target, action_id, user=user, value=value)

    async def submit(self, view: View, values: Mapping[str, object], *, user: str) -> Delivery:
        delivery = await self.acts.submit(view, values, user=user)
        await self.changes.notify()
        return delivery

    async def shortcut(self, message: Message, callback_id: str, *, user: str) -> Delivery:
        return await self.acts.shortcut(message, callback_id, user=user)

    async def open_home(self, user: str) -> Delivery | None:
        return await self.acts.open_home(user)

    def fail(self, method: str, *, times: int = 1, **how: Unpack[FaultOptions]) -> None:
        """The next `times` calls of `method` (`*`, `response_url`, `handshake`) meet this fault."""
        self.faults.add(Fault(method, times=times, **how))

    def revoke(self, token: str) -> None:
        self.workspace.tokens[token].revoked = True
