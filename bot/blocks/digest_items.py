"""One item of a digest in words: whose it is, why it matters, who uses it, what to do; and its buttons."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.blocks import elements as kit
from bot.blocks import values
from bot.blocks.knowledge import SIGNS
from bot.blocks.limits import Block, one_line
from bot.blocks.request import ACT
from bot.durations import relative
from bot.model import ClusterDigest, Digest, Item, Snooze

SNOOZE, ACKNOWLEDGE, WAKE = "snooze", "acknowledge", "wake"
"""What the buttons are called: the action_ids that the handlers listen to."""

_NAME = 320
_PLACE = 120
_OWNER = 100
_WHY = 400
_USED = 200
_NEXT = 400
_REASON = 150
_SHORT = 170
_OFFERS = 2
_VALUE = 900  # of a button: an item has four of them, and the longest names take 700
_LABEL = 60


@dataclass(frozen=True, slots=True)
class Told:
    """An item as it is told now. `snooze` is the one in force, `lapsed` the one that ended since the last digest."""

    item: Item
    cluster: ClusterDigest
    digest: Digest
    snooze: Snooze | None = None
    lapsed: Snooze | None = None

    @property
    def place(self) -> tuple[str, str]:
        """What the store knows it by, within a schedule."""
        return self.cluster.cluster, self.item.key


def short(told: Told) -> kit.Group:
    """One line of a list."""
    item = told.item
    sign = "💤" if told.snooze else SIGNS[item.severity]
    end = f"{_end(told)}. " if item.ends else ""
    owner = f" · owner: {one_line(item.owner, _OWNER)}" if item.owner else ""
    return kit.line(
        kit.words(f"{sign} "),
        kit.bold(f"{item.namespace}/{item.name}", _NAME),
        kit.words(f": {end}{one_line(_first_sentence(item.why), _SHORT)}{owner}", _SHORT + 2 * _OWNER),
    )


def whole(told: Told, *, alike: bool = False, acts: bool = False) -> list[Block]:
    """Everything about it. `alike`: why it matters and what to do stand above it already."""
    item = told.item
    groups = [_head(told)]
    if not alike:
        groups.append(kit.line(*kit.prose(item.why, _WHY)))
    groups.append(_whose(told))
    if not alike:
        groups.append(next_step(item))
    if told.snooze:
        groups.append(kit.line(*quiet(told.snooze)))
    elif told.lapsed:
        groups.append(kit.line(*_lapsed(told.lapsed)))
    buttons = list(_buttons(told, acts=acts))
    return [kit.rich(*groups), *([kit.actions(*buttons)] if buttons else [])]


def next_step(item: Item) -> kit.Group:
    more = [kit.words(" More: "), kit.code(f"/token explain {item.cause}")] if item.cause else []
    return kit.line(kit.bold("Next:"), kit.words(" "), *kit.prose(item.next_step, _NEXT), *more)


def _head(told: Told) -> kit.Group:
    item = told.item
    what = " · ".join(one_line(part, _PLACE) for part in (item.object_kind, item.place) if part)
    leaves = [kit.words(f"{SIGNS[item.severity]} "), kit.bold(f"{item.namespace}/{item.name}", _NAME)]
    return kit.line(*leaves, kit.words(f" · {what}", 2 * _PLACE)) if what else kit.line(*leaves)


def _whose(told: Told) -> kit.Group:
    """`Ends 25 Nov 2026 (in 2 d 3 h) · Owner: team-pay · used by deployment checkout`."""
    item = told.item
    leaves: list[kit.Leaf] = []
    if item.ends:
        verb = "Ended " if item.ends < told.cluster.taken_at else "Ends "
        leaves += [kit.words(verb), kit.moment(item.ends)]
        leaves.append(kit.words(f" ({relative(item.ends, told.cluster.taken_at)}) · "))
    owner = one_line(item.owner, _OWNER) if item.owner else "nobody is named"
    used = f" · {one_line(item.used, _USED)}" if item.used else ""
    return kit.line(*leaves, kit.words(f"Owner: {owner}{used}", _OWNER + _USED + 40))


def _first_sentence(text: str) -> str:
    first, stop, _ = text.partition(". ")
    return f"{first}." if stop else text


def _end(told: Told) -> str:
    ends, now = told.item.ends, told.cluster.taken_at
    if ends is None:
        return ""
    return f"{'ended' if ends < now else 'ends'} {relative(ends, now)}"


def quiet(snooze: Snooze) -> list[kit.Leaf]:
    """`💤 Snoozed by Erin until 1 Dec: “reason”`."""
    sign, verb = ("☑️", "Acknowledged") if snooze.acknowledged else ("💤", "Snoozed")
    return [
        kit.words(f"{sign} {verb} by "),
        kit.named(snooze.by),
        kit.words(" until "),
        kit.moment(snooze.until),
        *_reason(snooze),
    ]


def _lapsed(snooze: Snooze) -> list[kit.Leaf]:
    """`⏰ Snoozed by Erin, which ended 1 Dec: “reason”`."""
    verb = "Acknowledged" if snooze.acknowledged else "Snoozed"
    by = [kit.words(f"⏰ {verb} by "), kit.named(snooze.by), kit.words(", which ended ")]
    return [*by, kit.moment(snooze.until), *_reason(snooze)]


def _reason(snooze: Snooze) -> list[kit.Leaf]:
    return [kit.words(f": “{one_line(snooze.reason, _REASON)}”", _REASON + 20)] if snooze.reason else []


def _buttons(told: Told, *, acts: bool) -> Iterator[kit.Leaf]:
    """None of a schedule's without a schedule, and none of the actions' without a policy."""
    value = _watched(told)
    if value and told.snooze:
        yield kit.button("Change …", ACKNOWLEDGE if told.snooze.acknowledged else SNOOZE, value)
        yield kit.button("Tell it again", WAKE, value)
    elif value:
        yield kit.button("Snooze …", SNOOZE, value)
        yield kit.button("Acknowledge …", ACKNOWLEDGE, value)
    if acts:
        offered = [(offer, values.of_offer(offer, _VALUE)) for offer in told.item.offers]
        for index, (offer, wanted) in enumerate([pair for pair in offered if pair[1]][:_OFFERS]):
            yield kit.button(f"{one_line(offer.label, _LABEL)} …", f"{ACT}:{index}", wanted)


def _watched(told: Told) -> str:
    digest, (cluster, key) = told.digest, told.place
    if not digest.schedule:
        return ""
    watched = values.Watched(digest=digest.id, schedule=digest.schedule, cluster=cluster, key=key)
    return values.of_button(watched, _VALUE)
