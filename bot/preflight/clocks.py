"""How far this machine's clock is off Slack's and the API servers'. Pure."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from bot.durations import span
from bot.model import Offset, ServedDate
from bot.preflight.trial import Section, Trial, failed, ok, warning

_WORTH_SAYING = 30.0
_REFUSED_BEYOND = 300.0
"""Seconds: a signed request further off is refused, as Slack advises (docs.slack.dev, verifying requests)."""
_SLACKS = "Slack's"
_MEND = "Set the clock of the machine that token-doctor runs on (NTP)."


def of_slack(date: ServedDate | None, *, signed: bool) -> Iterable[Trial]:
    """`signed`: Slack's requests come over HTTP, and their age is judged by this clock."""
    if date is None:
        return
    offset = date.ahead
    if signed and _surely(offset) > _REFUSED_BEYOND:
        yield failed(Section.CLOCKS, f"{_told(offset, _SLACKS)}: every signed request would be refused", _MEND)
    else:
        yield _judged(offset, _SLACKS, "expiry and leases go by this machine's clock")


def of_cluster(name: str, dates: Sequence[ServedDate]) -> Iterable[Trial]:
    """For each API server that answered; its clock is the one that judges tokens."""
    for endpoint in dict.fromkeys(date.endpoint for date in dates):
        ends = [date.ahead for date in dates if date.endpoint == endpoint]
        least, most = max(one.least for one in ends), min(one.most for one in ends if one.most is not None)
        # Several API servers behind one address may disagree: then anything between them is as good.
        offset = Offset(least=min(least, most), most=max(least, most), source=ends[0].source)
        yield _judged(offset, f"that of cluster {name} at {endpoint}", "tokens are judged by the API server's")


def _judged(offset: Offset, whose: str, why: str) -> Trial:
    if _surely(offset) >= _WORTH_SAYING:
        return warning(Section.CLOCKS, f"{_told(offset, whose)}; {why}", _MEND)
    return ok(Section.CLOCKS, _told(offset, whose))


def _surely(offset: Offset) -> float:
    """The seconds that the two are apart at least, whichever is ahead."""
    most = offset.least if offset.most is None else offset.most
    return max(offset.least, -most, 0.0)


def _told(offset: Offset, whose: str) -> str:
    surely = _surely(offset)
    if surely < 1:
        width = max(abs(offset.least), abs(offset.most or 0.0))
        return f"this machine's clock agrees with {whose}, to {max(width, 1.0):.0f} s"
    way = "behind" if offset.least > 0 else "ahead of"
    return f"this machine's clock is at least {span(timedelta(seconds=surely))} {way} {whose}"
