"""The Home tab: published when it is opened, and again when something has changed while it may be open."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp

from bot.blocks import elements as kit
from bot.blocks import home
from bot.blocks.home import ClusterState
from bot.errors import StoreUnavailableError
from bot.slack.posts import LaterError, PostRefusedError
from bot.slack.views import Views
from handlers.middleware import Doorkeeper
from handlers.overview import Listed, Overview
from handlers.requesting import NO_POLICY

log = structlog.get_logger(__name__)

Monotonic = Callable[[], float]

_LOOK_SECONDS = 5.0
_OPEN_SECONDS = 1_800.0  # Slack tells that a Home tab is opened, and never that it is left
_MOST_OPEN = 20


class Homes:
    """`clusters` says how each of them is; without an `overview` there are no requests at all."""

    def __init__(
        self,
        views: Views,
        doorkeeper: Doorkeeper,
        clusters: Callable[[], Awaitable[Sequence[ClusterState]]],
        overview: Overview | None,
        *,
        monotonic: Monotonic,
        now: Callable[[], datetime],
    ) -> None:
        self._views = views
        self._doorkeeper = doorkeeper
        self._clusters = clusters
        self._overview = overview
        self._monotonic = monotonic
        self._now = now
        self._open: dict[str, float] = {}
        self._shown: dict[str, home.View] = {}
        self._stamp: tuple[tuple[str, int], ...] = ()

    async def opened(self, user: str) -> None:
        """Shows it, and keeps it up to date for half an hour."""
        self._open.pop(user, None)
        self._open[user] = self._monotonic() + _OPEN_SECONDS
        self._shown.pop(user, None)
        while len(self._open) > _MOST_OPEN:
            self._forget(next(iter(self._open)))
        await self._show(user)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self.refresh()

    async def refresh(self) -> None:
        """Publishes anew what looks different by now; where no request has changed, nothing does."""
        for user, until in list(self._open.items()):
            if until <= self._monotonic():
                self._forget(user)
        if not self._open or self._overview is None:
            return
        try:
            stamp = await self._overview.stamp()
        except StoreUnavailableError:
            return  # what works on the requests says so in the log
        if stamp != self._stamp:
            self._stamp = stamp
            for user in list(self._open):
                await self._show(user)

    def _forget(self, user: str) -> None:
        self._open.pop(user, None)
        self._shown.pop(user, None)

    async def _show(self, user: str) -> None:
        try:
            view = await self._view(user)
            if self._shown.get(user) != view:
                await self._views.publish(user, view)
                self._shown[user] = view
        except (PostRefusedError, LaterError) as error:
            log.warning("a Home tab could not be published", user=user, error=str(error))
        except Exception:
            log.exception("a Home tab broke", user=user)

    async def _view(self, user: str) -> home.View:
        if refusal := await self._doorkeeper.refusal(user):
            return {"type": "home", "blocks": [kit.rich(kit.line(kit.words(refusal)))]}
        listed, trouble = Listed((), ()), NO_POLICY
        if self._overview is not None:
            try:
                listed, trouble = await self._overview.of(user, self._now()), ""
            except StoreUnavailableError as error:
                trouble = str(error)
        return home.home(listed.mine, listed.waiting, await self._clusters(), trouble=trouble)


def register(app: AsyncApp, homes: Homes, start: Callable[[Any], None]) -> None:
    async def opened(event: dict[str, Any]) -> None:
        """Events are acknowledged by bolt before this runs. The Messages tab of the app sends this too."""
        if event.get("tab") == "home" and event.get("user"):
            start(homes.opened(str(event["user"])))

    app.event("app_home_opened")(opened)
