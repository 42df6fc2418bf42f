"""One open page: its websocket is sent what changed for its person, once it changed."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from demo.slack.changes import Changes
from demo.slack.page.sight import Entries, difference

GATHER_SECONDS = 0.03  # an act of the bot is several requests: one repaint shows them all
LOOK_SECONDS = 1.0  # the cluster's state tells nobody that it changed


@dataclass(slots=True)
class Live:
    """`seen` gives the present entries; the browser's own messages are only pings."""

    socket: web.WebSocketResponse
    changes: Changes
    seen: Callable[[], Entries]
    _shown: Entries = field(default_factory=dict)

    async def run(self) -> None:
        """Until the page is closed, or the server is."""
        sending = asyncio.create_task(self._send())
        try:
            async for _ in self.socket:
                pass
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self) -> None:
        fresh = True
        while not self.socket.closed:
            count = self.changes.count
            entries = self.seen()
            changed = dict(difference(self._shown, entries))
            if changed or fresh:
                self._shown = entries
                await self.socket.send_str(json.dumps({"fresh": fresh, "entries": changed}, ensure_ascii=False))
                fresh = False
            await self._change(count)

    async def _change(self, count: int) -> None:
        try:
            await self.changes.wait_for(lambda: self.changes.count != count, LOOK_SECONDS)
        except TimeoutError:
            return
        await asyncio.sleep(GATHER_SECONDS)
