"""Snoozing, acknowledging and waking what a digest tells of: recorded with a name, and shown where it was told."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from bot.blocks import modals, snoozing, values
from bot.blocks.digest_words import everything
from bot.delivery.showing import Showing
from bot.durations import relative
from bot.errors import StoreUnavailableError
from bot.model import Item, Person, Sighting, Snooze
from bot.slack.door import User
from bot.slack.posts import LaterError, PostRefusedError
from bot.store import Store

log = structlog.get_logger(__name__)

WAKE_TITLE = "Tell it again"
_PROPOSED = {False: timedelta(days=7), True: timedelta(days=30)}
_NAME_PARTS = 4  # and the place, which may hold slashes itself


class Snoozes:
    """Each method gives what the modal shows. Old, doubled and forged clicks get the present state.

    `zones` are the schedules' time zones: a day begins there. `later` is told what to do once the person has an answer.
    """

    def __init__(
        self,
        store: Store,
        showing: Showing,
        person: Callable[[str], Awaitable[User | None]],
        *,
        zones: Mapping[str, str],
        now: Callable[[], datetime],
        later: Callable[[Coroutine[object, object, None]], None],
    ) -> None:
        self._store = store
        self._showing = showing
        self._person = person
        self._zones = zones
        self._now = now
        self._later = later

    async def form(self, watched: values.Watched) -> modals.View:
        """For how long and why; or that there is nothing to keep quiet."""
        sighting = await self._store.seen.sighting(watched.schedule, watched.cluster, watched.key)
        name = _name(watched)
        if sighting is None or sighting.resolved_at:
            return self._gone(watched, sighting)
        item = await self._item(watched)
        present = sighting.snooze if sighting.is_quiet(self._now()) else None
        until = self._day(watched, present.until) if present else self.today(watched) + _PROPOSED[watched.acknowledged]
        return snoozing.ask(watched, name, item.why if item else "", until, present=present)

    async def keep_quiet(self, watched: values.Watched, user: str, until: date, reason: str) -> modals.View:
        """From now on; a snooze that is there already is replaced."""
        at = datetime.combine(until, time(), self._zone(watched)).astimezone(UTC)
        snooze = Snooze(until=at, by=await self._who(user), reason=reason, acknowledged=watched.acknowledged)
        return await self._set(watched, snooze) or snoozing.kept(_name(watched), snooze)

    async def wake(self, watched: values.Watched, user: str) -> modals.View:
        log.info("a snooze is ended", user=user, schedule=watched.schedule, cluster=watched.cluster)
        return await self._set(watched, None) or snoozing.woken(_name(watched))

    def today(self, watched: values.Watched) -> date:
        return self._day(watched, self._now())

    async def _set(self, watched: values.Watched, snooze: Snooze | None) -> modals.View | None:
        """What to say instead where nobody watches it any more."""
        seen = self._store.seen
        sighting = await seen.sighting(watched.schedule, watched.cluster, watched.key)
        known = sighting is not None and sighting.resolved_at is None
        if not known or not await seen.snooze(watched.schedule, watched.cluster, watched.key, snooze):
            return self._gone(watched, sighting)
        self._later(self._show(watched))
        return None

    async def _show(self, watched: values.Watched) -> None:
        try:
            await self._showing.again(watched.digest, (watched.cluster, watched.key))
        except StoreUnavailableError as error:
            log.warning("a digest shows what was before: the database is away", error=str(error))

    def _gone(self, watched: values.Watched, sighting: Sighting | None) -> modals.View:
        when = relative(sighting.resolved_at, self._now()) if sighting and sighting.resolved_at else ""
        return snoozing.gone(_name(watched), when)

    async def _item(self, watched: values.Watched) -> Item | None:
        kept = await self._store.digests.get(watched.digest)
        clusters = kept.digest.clusters if kept and kept.digest else ()
        items = (item for one in clusters if one.cluster == watched.cluster for item in everything(one))
        return next((item for item in items if item.key == watched.key), None)

    async def _who(self, user: str) -> Person:
        """Without a name where Slack does not tell it: the id says who it was."""
        try:
            found = await self._person(user)
        except (LaterError, PostRefusedError) as error:
            log.warning("Slack could not say who snoozes", user=user, error=str(error))
            found = None
        return Person(id=user, name=found.name if found else "")

    def _day(self, watched: values.Watched, at: datetime) -> date:
        return at.astimezone(self._zone(watched)).date()

    def _zone(self, watched: values.Watched) -> ZoneInfo:
        return ZoneInfo(self._zones.get(watched.schedule, "UTC"))


def _name(watched: values.Watched) -> str:
    """`Secret shop/ci-token`, as the key says it."""
    parts = watched.key.split("/", _NAME_PARTS)
    if len(parts) <= _NAME_PARTS:
        return watched.key
    _, namespace, kind, name, place = parts
    return f"{kind} {namespace}/{name}{f', {place}' if place else ''}"
