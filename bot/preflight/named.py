"""The channels, user groups and people that the configuration names by id: looked up one by one, nobody is told."""

from collections.abc import Mapping
from typing import NamedTuple

from bot.actions.identity import kubernetes_user
from bot.kube.together import all_of
from bot.preflight.asking import of_slack
from bot.preflight.seen import Subject
from bot.preflight.trial import Section, Trial, failed, not_tried, ok, warning
from bot.slack import people
from bot.slack.door import Slack, User
from bot.slack.lookups import Channel, Lookups, UserGroup
from bot.slack.verify import Installed
from config.policy import Identity
from config.settings import Settings

_INVITE = "Write `/invite @{bot}` there."
_OTHER_ID = "Check the id, which Slack shows in the details."
_SEE = "Add channels:read and groups:read to the app and reinstall it; or write `/invite @{bot}` there and see."


class Found(NamedTuple):
    trials: tuple[Trial, ...]
    subjects: Mapping[str, Subject]
    names: Mapping[str, str]


def anything(settings: Settings) -> bool:
    return bool(_channels(settings) or _groups(settings) or _people(settings))


async def look_up(lookups: Lookups, slack: Slack, settings: Settings, installed: Installed, seconds: float) -> Found:
    """`seconds` are for each question."""
    scopes, bot = installed.scopes or frozenset(), installed.identity.user
    places = _channels(settings)
    named = _people(settings)
    channels = await all_of(of_slack(lookups.channel(id_, scopes), f"channel {id_}", seconds) for id_ in places)
    persons = await all_of(of_slack(slack.user(id_), f"person {id_}", seconds) for id_ in named)
    groups = await _looked_up(lookups, _groups(settings), seconds)
    trials: list[Trial] = [
        found if isinstance(found, Trial) else _of_channel(id_, places[id_], found, bot)
        for id_, found in zip(places, channels, strict=True)
    ]
    subjects: dict[str, Subject] = {}
    for id_, group in groups.items():
        trial, subjects[id_] = _of_group(id_, group)
        trials.append(trial)
    names: dict[str, str] = {}
    for id_, user in zip(named, persons, strict=True):
        trial, subjects[id_] = _of_person(id_, user, installed.identity.team_id, settings.identity)
        trials.append(trial)
        names[id_] = subjects[id_].name
    return Found(tuple(dict.fromkeys(trials)), subjects, names)


def _channels(settings: Settings) -> dict[str, str]:
    """Each channel's id, and what it is for."""
    uses: dict[str, list[str]] = {}
    for id_ in settings.channels:
        uses.setdefault(id_, []).append("channels")
    for digest in settings.digests:
        for id_ in (digest.channel, *(route.channel for route in digest.routes)):
            uses.setdefault(id_, []).append(f"digest {digest.name}")
    for number, rule in enumerate(settings.policy, 1):
        if rule.approval_channel:
            uses.setdefault(rule.approval_channel, []).append(f"approvals of rule {number}")
        for id_ in rule.channels:
            uses.setdefault(id_, []).append(f"rule {number}")
    return {id_: ", ".join(dict.fromkeys(each)) for id_, each in uses.items()}


def _subjects(settings: Settings) -> tuple[str, ...]:
    named = [subject for rule in settings.policy for subject in (*rule.requesters, *rule.approvers)]
    mapped = settings.identity.groups if settings.policy else ()
    return tuple(dict.fromkeys([*named, *mapped]))


def _groups(settings: Settings) -> tuple[str, ...]:
    return tuple(subject for subject in _subjects(settings) if subject.startswith("S"))


def _people(settings: Settings) -> tuple[str, ...]:
    return tuple(subject for subject in _subjects(settings) if not subject.startswith("S"))


async def _looked_up(lookups: Lookups, ids: tuple[str, ...], seconds: float) -> Mapping[str, UserGroup | Trial | None]:
    if not ids:
        return {}
    found = await of_slack(lookups.user_groups(), f"user groups {', '.join(ids)}", seconds)
    return {id_: found if isinstance(found, Trial) else found.get(id_) for id_ in ids}


def _of_channel(id_: str, uses: str, found: Channel | None, bot: str) -> Trial:
    if found is None:
        text = f"channel {id_} ({uses}): there is none of this id, or it is private and @{bot} is not in it"
        return failed(Section.SLACK, text, f"{_OTHER_ID} If it is right: {_INVITE.format(bot=bot)}")
    called = f"channel {f'#{found.name} ' if found.name else ''}{id_} ({uses})"
    if found.is_archived:
        return failed(Section.SLACK, f"{called} is archived", "Unarchive it, or name another channel.")
    if found.is_member is None:
        text = f"{called} is there; whether @{bot} is in it takes another scope to see"
        return not_tried(Section.SLACK, text, _SEE.format(bot=bot))
    if not found.is_member:
        return failed(Section.SLACK, f"{called}: @{bot} is not in it", _INVITE.format(bot=bot))
    return ok(Section.SLACK, f"{called}: @{bot} is in it")


def _of_group(id_: str, found: UserGroup | Trial | None) -> tuple[Trial, Subject]:
    if isinstance(found, Trial):
        return found, Subject(name=id_, people=None)
    nobody = Subject(name=id_, people=frozenset())
    if found is None:
        return failed(Section.SLACK, f"user group {id_}: Slack knows none of this id", _OTHER_ID), nobody
    called = f"user group @{found.handle} {id_}"
    if found.is_disabled:
        return failed(Section.SLACK, f"{called} is disabled", "Enable it in Slack, or name another group."), nobody
    if not found.users:
        return failed(Section.SLACK, f"{called} is empty", "Add people to it in Slack."), nobody
    people_ = "1 person" if len(found.users) == 1 else f"{len(found.users)} people"
    return ok(Section.SLACK, f"{called}: {people_}"), Subject(name=f"@{found.handle}", people=found.users)


def _of_person(id_: str, found: User | Trial | None, team_id: str, identity: Identity) -> tuple[Trial, Subject]:
    if isinstance(found, Trial):
        return found, Subject(name=id_, people=None)
    refusal = people.refusal(found, team_id)
    if found is None or refusal:
        why = "Slack knows nobody of this id" if found is None else refusal.rstrip(".")
        mend = f"{_OTHER_ID} Or name somebody else in the policy."
        return failed(Section.SLACK, f"person {id_}: {why}", mend), Subject(name=id_, people=frozenset())
    subject = Subject(name=found.name or id_, people=frozenset({id_}))
    called = f"person {found.name} {id_}".replace("  ", " ")
    if identity.subject_access_review and not kubernetes_user(identity.kubernetes_user, found):
        text = f"{called} has no address in Slack by which Kubernetes could know them, so nothing counts that they say"
        mend = "Give them an email address in Slack, or build identity.kubernetes_user from {id}."
        return warning(Section.SLACK, text, mend), subject
    return ok(Section.SLACK, called), subject
