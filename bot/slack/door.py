"""Slack's Web API as the bot uses it: post and edit messages, whisper to one person, look a person up."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

import structlog
from aiohttp import ClientError, ClientSession
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.slack import client as setup
from bot.slack.answers import creating, editing
from bot.slack.marks import AnyMark, among
from bot.slack.outgoing import Rendering, content, contents
from bot.slack.pace import POSTS, UPDATES, Monotonic, Pace
from bot.slack.posts import GoneError, LaterError, Post, PostRefusedError, PostUncertainError, Queue

log = structlog.get_logger(__name__)

_TOO_LONG = {"msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format"}
_GONE_FOR_GOOD = 404  # a response_url after thirty minutes or five uses
_MAY_NOT_LOOK = {"missing_scope", "not_allowed_token_type", "no_permission"}
_LOOKED_AT = 200  # messages


@dataclass(frozen=True, slots=True)
class User:
    """What users.info says of a person. `teams` are all workspaces of an enterprise that have them.

    `email` is "" where the person shows none, or the bot may not see it.
    """

    id: str
    teams: frozenset[str]
    is_stranger: bool = False
    is_bot: bool = False
    deleted: bool = False
    name: str = ""
    email: str = ""


class Slack:
    """Posts go through one queue a channel, edits are sent as they look by then."""

    def __init__(self, client: AsyncWebClient, session: ClientSession, monotonic: Monotonic) -> None:
        self._client = client
        self._session = session
        self._monotonic = monotonic
        self._updates = Pace(UPDATES, monotonic)
        self._queues: dict[str, Queue] = {}
        self._tasks: set[asyncio.Future[None]] = set()

    def post(self, channel: str, rendering: Rendering, thread_ts: str = "") -> Post:
        """A new message, in a thread where there is a `thread_ts`. Returns at once."""
        return Post(channel, thread_ts, rendering, self._queue(channel).wake)

    async def put(self, channel: str, thread_ts: str, ts: str, rendering: Rendering, mark: AnyMark) -> str:
        """One try to edit the message at `ts`, or to make it where that is ""; its ts. Waits for its turn.

        For messages that a database remembers, and not a task. Raises LaterError, GoneError, PostRefusedError, and
        PostUncertainError: `find` says what became of it.
        """
        await self._queue(channel).turn(edits=bool(ts))
        if ts:
            await self.edit(channel, ts, rendering)
            return ts
        return await self.create(channel, thread_ts, rendering, mark)

    async def find(self, channel: str, thread_ts: str, mark: AnyMark, since: float) -> str:
        """The ts of the message with this mark, "" where there is none, or where the bot may not look.

        Looking takes the scope channels:history (groups:history in a private channel), which is not needed otherwise.
        Raises LaterError and PostRefusedError.
        """
        where = {"channel": channel, "oldest": f"{since:.6f}", "include_all_metadata": True, "limit": _LOOKED_AT}
        method = "conversations.replies" if thread_ts else "conversations.history"
        try:
            answer = await editing(
                self._client.api_call(method, params={**where, **({"ts": thread_ts} if thread_ts else {})})
            )
        except PostRefusedError as refused:
            if refused.code in _MAY_NOT_LOOK:
                return ""
            raise
        return among(answer.get("messages"), mark)

    async def remove(self, channel: str, ts: str) -> None:
        """Deletes a message of the bot's own. Raises LaterError and PostRefusedError; GoneError: it is not there."""
        await editing(self._client.api_call("chat.delete", json={"channel": channel, "ts": ts}))

    async def permalink(self, channel: str, ts: str) -> str:
        """The message's address, "" where it has none. Raises LaterError."""
        try:
            answer = await editing(self._client.chat_getPermalink(channel=channel, message_ts=ts))
        except (PostRefusedError, GoneError):
            return ""
        return str(answer.get("permalink", ""))

    async def create(self, channel: str, thread_ts: str, rendering: Rendering, mark: AnyMark | None = None) -> str:
        """One chat.postMessage; again without charts where a workspace refuses them.

        A message that Slack finds too long even so loses its blocks to the thread.
        """
        marked: dict[str, object] = {"metadata": mark.metadata} if mark else {}
        outgoing: dict[str, object] = {}
        for looks in contents(rendering):
            outgoing = {**looks, **marked}
            try:
                return await self._create(channel, thread_ts, outgoing)
            except PostRefusedError as refused:
                _raise_unless_too_long(refused, outgoing)
        ts = await self._create(channel, thread_ts, {**outgoing, "blocks": []})
        await self._in_pieces(channel, thread_ts or ts, outgoing)
        return ts

    async def edit(self, channel: str, ts: str, rendering: Rendering) -> None:
        """One chat.update, with the same ways out."""
        outgoing: dict[str, object] = {}
        for outgoing in contents(rendering):
            try:
                return await self._edit(channel, ts, outgoing)
            except PostRefusedError as refused:
                _raise_unless_too_long(refused, outgoing)
        await self._edit(channel, ts, {**outgoing, "blocks": []})
        await self._in_pieces(channel, ts, outgoing)
        return None

    async def whisper(self, channel: str, user: str, rendering: Rendering, thread_ts: str = "") -> None:
        """chat.postEphemeral: seen by one person only. Raises PostRefusedError or PostUncertainError."""
        outgoing = {"channel": channel, "user": user, **content(rendering)}
        if thread_ts:
            outgoing["thread_ts"] = thread_ts
        try:
            await creating(self._client.api_call("chat.postEphemeral", json=outgoing))
        except LaterError as later:
            raise PostRefusedError("ratelimited") from later

    async def respond(self, response_url: str, rendering: Rendering) -> None:
        """An answer that only the asker sees, over the command's response_url: works in every channel.

        Raises PostRefusedError or PostUncertainError.
        """
        webhook = AsyncWebhookClient(
            response_url,
            session=self._session,
            retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=setup.RATE_LIMIT_RETRIES)],
            logger=setup.sdk_logger(),
        )
        webhook.proxy = setup.proxy_for(response_url)
        try:
            answer = await webhook.send_dict({**content(rendering), "response_type": "ephemeral"})
        except (ClientError, TimeoutError) as error:
            raise PostUncertainError("the connection broke") from error
        if answer.status_code != 200:  # noqa: PLR2004  # HTTP's OK
            code = "response_url expired" if answer.status_code == _GONE_FOR_GOOD else f"HTTP {answer.status_code}"
            raise PostRefusedError(code)

    async def user(self, user_id: str) -> User | None:
        """The person, None where Slack knows none. Raises PostRefusedError, LaterError: nothing can be said."""
        try:
            answer = await editing(self._client.users_info(user=user_id))
        except PostRefusedError as refused:
            if refused.code in {"user_not_found", "user_not_visible"}:
                return None
            raise
        found = answer.get("user") or {}
        enterprise = found.get("enterprise_user") or {}
        return User(
            id=str(found.get("id", "")),
            teams=frozenset({str(found.get("team_id", "")), *map(str, enterprise.get("teams") or ())}),
            is_stranger=bool(found.get("is_stranger")),
            is_bot=bool(found.get("is_bot")),
            deleted=bool(found.get("deleted")),
            name=str(found.get("real_name") or found.get("name") or ""),
            email=str((found.get("profile") or {}).get("email") or ""),
        )

    async def members(self, group_id: str) -> frozenset[str]:
        """Who is in a user group; nobody where there is none of this id, or it is disabled.

        Raises PostRefusedError, LaterError: nothing can be said.
        """
        try:
            answer = await editing(self._client.usergroups_users_list(usergroup=group_id))
        except PostRefusedError as refused:
            if refused.code in {"no_such_subteam", "subteam_not_found"}:
                return frozenset()
            raise
        return frozenset(map(str, answer.get("users") or ()))

    async def drain(self, seconds: float) -> None:
        """Waits until every channel shows the newest, at most this long; then gives up what is left."""
        if self._tasks:
            await asyncio.wait(self._tasks.copy(), timeout=seconds)
        left = self._tasks.copy()
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if left:
            log.error("messages were left unsent at the stop", channels=len(left))

    async def _create(self, channel: str, thread_ts: str, outgoing: dict[str, object]) -> str:
        quiet = {"unfurl_links": False, "unfurl_media": False}
        thread = {"thread_ts": thread_ts} if thread_ts else {}
        call = self._client.api_call("chat.postMessage", json={"channel": channel, **outgoing, **thread, **quiet})
        return str((await creating(call)).get("ts", ""))

    async def _edit(self, channel: str, ts: str, outgoing: dict[str, object]) -> None:
        await editing(self._client.api_call("chat.update", json={"channel": channel, "ts": ts, **outgoing}))

    async def _in_pieces(self, channel: str, thread_ts: str, outgoing: dict[str, object]) -> None:
        """Each block as a reply of its own; one that is refused even so is logged and left out."""
        blocks = outgoing["blocks"]
        for block in blocks if isinstance(blocks, list) else ():
            try:
                await self._create(channel, thread_ts, {**outgoing, "blocks": [block]})
            except PostRefusedError as refused:
                log.warning("Slack refused a block", code=refused.code, kind=block.get("type"))

    def _queue(self, channel: str) -> Queue:
        if channel not in self._queues:
            self._queues[channel] = Queue(self, Pace(POSTS, self._monotonic), self._updates, self._spawn)
        return self._queues[channel]

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _raise_unless_too_long(refused: PostRefusedError, outgoing: dict[str, object]) -> None:
    if refused.code not in _TOO_LONG or not outgoing["blocks"]:
        raise refused
    log.error("Slack refused the blocks of a message", code=refused.code)
