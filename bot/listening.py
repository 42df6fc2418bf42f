"""Who listens to what Slack sends: the handlers, with what they work with."""

import time
from datetime import datetime
from typing import NamedTuple

from slack_bolt.app.async_app import AsyncApp

from bot.actions.catalog import ACTIONS
from bot.actions.offers import offers
from bot.actions.planning import Planner
from bot.blocks.home import ClusterState
from bot.blocks.modals import refused, unknown
from bot.clusters import Clusters
from bot.digests import Digests
from bot.examine import examine
from bot.kube.client import utc_now
from bot.model import Report, Routes, Target
from bot.remedy import Remedy
from bot.slack.door import Slack
from bot.slack.verify import Identity
from bot.slack.views import Views
from bot.store import Store
from config import settings as configured
from handlers import buttons, commands, home, mentions, modals, shortcuts
from handlers import digests as digest_buttons
from handlers.censuses import Censuses
from handlers.checks import Checks, Examine
from handlers.decisions import Decisions
from handlers.desk import Desk
from handlers.forms import Forms
from handlers.home import Homes
from handlers.middleware import ChannelRule, Doorkeeper, Heard
from handlers.overview import Overview
from handlers.remedies import Remedies
from handlers.requesting import ADD_ONE, NO_POLICY, Requesting
from handlers.snoozes import Snoozes
from handlers.work import Work

_LOOK_SECONDS = 10


def routes_of(settings: configured.Settings) -> Routes:
    checks = settings.checks
    return Routes(
        exec=checks.exec,
        probe=checks.probe,
        secret_data=checks.read_secret_data,
        controller_probe=checks.controller_probe,
    )


class Counter(NamedTuple):
    """What every listener works with."""

    slack: Slack
    views: Views
    doorkeeper: Doorkeeper
    heard: Heard
    work: Work


def listen(
    app: AsyncApp,
    settings: configured.Settings,
    identity: Identity,
    clusters: Clusters,
    counter: Counter,
    *,
    remedy: Remedy | None,
    digests: Digests,
    store: Store | None,
) -> Homes:
    """Tells bolt who listens to what. Without a policy there are no remedies: nothing of theirs is offered."""
    rules = {channel: ChannelRule(rule.cluster or "", rule.namespaces) for channel, rule in settings.channels.items()}
    forms = Forms(counter.views, counter.slack, counter.doorkeeper, counter.heard, counter.work)
    checked: dict[str, datetime] = {}
    examine_ = _examination(settings, clusters, checked)
    checks = Checks(examine_, rules, identity.user, *([offers] if remedy else []))
    censuses = Censuses(
        digests.demand,
        rules,
        identity.user,
        clusters=lambda: clusters.names,
        store=store,
        acts=remedy is not None,
        monotonic=time.monotonic,
    )
    _listen_to_digests(app, settings, counter, forms, digests=digests, store=store)
    overview = requesting = None
    if remedy:
        remedies = Remedies(Planner(ACTIONS, clusters.reached), remedy.approvals, rules)
        overview = Overview(remedy.store, remedy.approvals, rules)
        requesting = Requesting(forms, remedies, overview, utc_now)
        decisions = Decisions(remedy.store, remedy.approvals)
        buttons.register(app, forms, remedies, decisions)
        modals.register(app, forms, remedies, decisions)
    desk = Desk(
        counter.slack,
        counter.doorkeeper,
        counter.heard,
        counter.work,
        checks=checks,
        censuses=censuses,
        name=identity.user,
        requesting=requesting,
    )
    commands.register(app, desk)
    mentions.register(app, desk)
    shortcuts.register(app, shortcuts.Alerts(forms, desk, clusters.names))
    buttons.register_rest(app, forms, unknown() if remedy else refused("token-doctor", NO_POLICY, ADD_ONE))

    async def seen() -> tuple[ClusterState, ...]:
        found = await clusters.looked_at(_LOOK_SECONDS)
        return tuple(
            ClusterState(name, version, trouble, checked.get(name)) for name, (version, trouble) in found.items()
        )

    homes = Homes(counter.views, counter.doorkeeper, seen, overview, monotonic=time.monotonic, now=utc_now)
    home.register(app, homes, counter.work.start)
    return homes


def _listen_to_digests(
    app: AsyncApp,
    settings: configured.Settings,
    counter: Counter,
    forms: Forms,
    *,
    digests: Digests,
    store: Store | None,
) -> None:
    """Their items' buttons. Without a store nothing is remembered, so nothing can be snoozed."""
    if store is None or digests.showing is None:
        digest_buttons.register_none(app, forms)
        return
    snoozes = Snoozes(
        store,
        digests.showing,
        counter.slack.user,
        zones={digest.name: digest.timezone for digest in settings.digests},
        now=utc_now,
        later=counter.work.start,
    )
    digest_buttons.register(app, forms, snoozes)


def _examination(settings: configured.Settings, clusters: Clusters, checked: dict[str, datetime]) -> Examine:
    """How a target is examined; `checked` is told when a cluster was last asked."""
    checks, routes = settings.checks, routes_of(settings)

    async def examined(target: Target) -> Report:
        chosen = await clusters.chosen(target)
        report = await examine(
            clusters.connected,
            chosen,
            routes=routes,
            now=utc_now,
            monotonic=time.monotonic,
            deadline_seconds=checks.deadline_seconds,
            log_lines=checks.log_lines,
        )
        checked[report.target.cluster] = report.taken_at
        return report

    return examined
