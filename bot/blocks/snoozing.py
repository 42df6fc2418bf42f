"""Modals of a digest's items: kept quiet until a day, and why; or told again."""

from datetime import date

from bot.blocks import elements as kit
from bot.blocks import values
from bot.blocks.digest_items import quiet
from bot.blocks.limits import METADATA, REASON, one_line, weight
from bot.blocks.modals import View, modal, refused
from bot.model import Snooze

QUIET = "quiet"
"""The callback_id that the handlers listen to."""
WHY, UNTIL = "reason", "until"
"""The fields' names."""

MOST_DAYS = 90

_TITLES = {False: "Snooze", True: "Acknowledge"}
_MEANING = {
    False: "Snoozed: the digests leave it in peace until that day, and say so.",
    True: "Acknowledged: you have taken it on. The digests say so, and tell of it again from that day on.",
}


def title(*, acknowledged: bool) -> str:
    return _TITLES[acknowledged]


def ask(watched: values.Watched, name: str, why: str, until: date, *, present: Snooze | None) -> View:
    """For how long and why; `name` is the item's, `why` says what is wrong with it, and `until` is proposed."""
    acknowledged = watched.acknowledged
    groups = [kit.line(kit.bold(name, 400))]
    if why:
        groups.append(kit.line(*kit.prose(why, 500)))
    groups.append(kit.line(kit.words(_MEANING[acknowledged])))
    if present:
        groups.append(kit.line(*quiet(present)))
        groups.append(kit.line(kit.words("What you write takes the place of that.")))
    metadata = values.written(watched)
    if weight(metadata) > METADATA:
        return refused(_TITLES[acknowledged], "Its name is too long for Slack.")
    label = "It is told again from this day on"
    reason = "What becomes of it" if acknowledged else "Why it can wait"
    hint = "It stands in the digest, with your name. Never write a token here."
    return modal(
        _TITLES[acknowledged],
        [
            kit.rich(*groups),
            kit.date_field(UNTIL, label, until, hint=f"At most {MOST_DAYS} days ahead."),
            kit.text_field(WHY, reason, most=REASON, hint=hint, given=present.reason if present else ""),
        ],
        callback=QUIET,
        submit=_TITLES[acknowledged],
        metadata=metadata,
    )


def kept(name: str, snooze: Snooze) -> View:
    """It is quiet now."""
    groups = [
        kit.line(kit.bold(name, 400)),
        kit.line(*quiet(snooze)),
        kit.line(kit.words("The digest says so. It lapses by itself; “Tell it again” in the digest ends it earlier.")),
    ]
    return modal(_TITLES[snooze.acknowledged], [kit.rich(*groups)])


def woken(name: str) -> View:
    return modal("Tell it again", [kit.rich(kit.line(kit.bold(name, 400), kit.words(" is told again from now on.")))])


def gone(name: str, when: str) -> View:
    """There is nothing to keep quiet; `when` is when a digest found it gone, "" where none knows of it."""
    shown = one_line(name, 300)
    if when:
        return refused("token-doctor", f"{shown} is gone: a digest found so {when}.", "If it comes back, it is new.")
    step = "It can be snoozed once a digest by schedule has told of it."
    return refused("token-doctor", f"{shown} is not among what this channel's digests have seen.", step)
