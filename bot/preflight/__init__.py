"""Every precondition, tried for real. Nothing is changed anywhere: no message, no row, no object."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec.structs import replace

from bot.clusters import ways
from bot.preflight import clocks, clusters, database, policy, schedules, slack
from bot.preflight.clusters import Asked
from bot.preflight.trial import Section, Trial, ok
from bot.redact import redact
from config.settings import Settings


async def tried(
    settings: Settings,
    *,
    source: str,
    now: Callable[[], datetime],
    namespaces: Sequence[str] = (),
    program: str = "token-doctor",
) -> tuple[Trial, ...]:
    """All of them at once, each with the deadline of a check. `source` is the configuration's file, "" for none."""
    seconds = settings.checks.deadline_seconds
    asked = Asked(namespaces, program, seconds)
    to_clusters = ways(settings.clusters).items()
    stored, looked, seen = await asyncio.gather(
        database.trials(settings, seconds),
        slack.look(settings, now, seconds, required=False),
        asyncio.gather(*(clusters.look(name, connect, settings, asked) for name, connect in to_clusters)),
    )
    found = [each.seen for each in seen]
    trials = [_configuration(source), *looked.trials, *(trial for each in seen for trial in each.trials), *stored]
    trials += clocks.of_slack(looked.seen.date, signed=settings.slack.mode != "socket")
    trials += (trial for each in found for trial in clocks.of_cluster(each.name, each.dates))
    trials += policy.trials(settings.policy, looked.seen.subjects, looked.seen.names, found)
    trials += schedules.trials(settings.digests, now())
    return _told(trials)


async def required(settings: Settings, *, source: str, now: Callable[[], datetime]) -> tuple[Trial, ...]:
    """Only what the bot does not start without."""
    seconds = settings.checks.deadline_seconds
    to_clusters = ways(settings.clusters).items()
    stored, looked, found = await asyncio.gather(
        database.trials(settings, seconds),
        slack.look(settings, now, seconds, required=True),
        asyncio.gather(*(clusters.found(name, connect, seconds) for name, connect in to_clusters)),
    )
    return _told([_configuration(source), *looked.trials, *(trial for each in found for trial in each), *stored])


def _configuration(source: str) -> Trial:
    return ok(Section.CONFIGURATION, f"{source}: read, without mistakes" if source else "the defaults: no --config")


def _told(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """In the order of the sections, without tokens, whatever somebody else's words may hold."""
    order = list(Section)
    clean = (
        replace(trial, text=redact(trial.text), mend=redact(trial.mend), command=redact(trial.command))
        for trial in trials
    )
    return tuple(sorted(clean, key=lambda trial: order.index(trial.section)))
