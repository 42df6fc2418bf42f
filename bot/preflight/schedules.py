"""When each digest is due next. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.digest.slots import following
from bot.durations import relative
from bot.preflight.trial import Section, Trial, failed, ok
from config import cron
from config.digests import Digest


def trials(digests: Sequence[Digest], now: datetime) -> Iterator[Trial]:
    for digest in digests:
        slot = following(cron.parse(digest.cron), ZoneInfo(digest.timezone), now)
        if slot is None:
            text = f"digest {digest.name}: its cron “{digest.cron}” has no day for years"
            yield failed(Section.DIGESTS, text, "Change digests.cron.")
        else:
            at = f"{slot.minute.replace('T', ' ')} {slot.zone}, {relative(slot.at, now)}"
            yield ok(Section.DIGESTS, f"digest {digest.name}: next at {at}")
