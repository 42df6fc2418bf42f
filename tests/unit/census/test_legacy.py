"""Token Secrets: what each is, who uses it, what becomes of it, and what can be done."""

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from bot.census.aspects import Aspect
from bot.kube.gaps import UnavailableError
from bot.model import ActionKind, Due, Item, ItemKind, Severity, TokenTracking
from bot.versions import Minor
from tests.unit.census.world import (
    FACTS,
    NOW,
    YEAR,
    World,
    account,
    container,
    counted,
    day,
    items,
    kinds,
    only,
    pod,
    stamp,
    token_secret,
)

SINCE = (NOW - 3 * YEAR).date()
YOUNG = TokenTracking(since=(NOW - timedelta(days=5)).date())
MOUNTED: dict[str, Any] = {"volumes": [{"name": "t", "secret": {"secretName": "checkout-token"}}]}
IN_ENVIRONMENT: dict[str, Any] = {
    "containers": [
        container(env=[{"name": "T", "valueFrom": {"secretKeyRef": {"name": "checkout-token", "key": "token"}}}])
    ]
}
WHOLE_ENVIRONMENT: dict[str, Any] = {"containers": [container(envFrom=[{"secretRef": {"name": "checkout-token"}}])]}
PROJECTED_SECRET: dict[str, Any] = {
    "volumes": [{"name": "t", "projected": {"sources": [{"secret": {"name": "checkout-token"}}]}}]
}


def offered(item: Item) -> list[ActionKind]:
    return [offer.kind for offer in item.offers]


def world(*secrets: dict[str, Any], listed: tuple[str, ...] = (), pods: tuple[dict[str, Any], ...] = ()) -> World:
    return World(accounts=[account(secrets=listed)], token_secrets=list(secrets), pods=list(pods))


async def test_one_that_the_token_controller_made_is_told_from_one_made_by_hand() -> None:
    generated = token_secret("checkout-token-x7k2p", by="kube-controller-manager")
    found = await kinds(world(generated, token_secret("ci"), listed=("checkout-token-x7k2p", "ci")))
    assert found == {"checkout-token-x7k2p": ItemKind.LEGACY_SECRET, "ci": ItemKind.MANUAL_SECRET}


async def test_without_managed_fields_the_list_and_the_generated_name_tell() -> None:
    secrets = [token_secret(name, managedFields=[]) for name in ("checkout-token-x7k2p", "checkout-token-abcde", "ci")]
    found = await kinds(world(*secrets, listed=("checkout-token-x7k2p", "ci")))
    assert found == {
        "checkout-token-x7k2p": ItemKind.LEGACY_SECRET,
        "checkout-token-abcde": ItemKind.MANUAL_SECRET,
        "ci": ItemKind.MANUAL_SECRET,
    }


async def test_an_unused_one_is_offered_for_deletion_with_the_cleaner_s_days() -> None:
    item = await only(world(token_secret(last_used=day(300)), listed=("checkout-token",)))
    assert offered(item) == [ActionKind.DELETE_LEGACY_SECRET]
    assert item.offers[0].ref.uid == "uid-of-checkout-token"
    assert item.used == f"no pod uses it; last used on {day(300)}"
    marked = date.fromisoformat(day(300)) + timedelta(days=366)
    assert (
        f"the cleaner marks it invalid from {marked} and deletes it from {marked + timedelta(days=366)} on" in item.why
    )
    assert item.ends is not None
    assert item.ends.date() == marked + timedelta(days=1), "when that day is over"
    assert item.severity is Severity.WARNING
    assert item.cause == "secret-listed-on-service-account"


@pytest.mark.parametrize("spec", [MOUNTED, IN_ENVIRONMENT, WHOLE_ENVIRONMENT, PROJECTED_SECRET])
async def test_one_that_a_pod_refers_to_is_never_offered_for_deletion(spec: dict[str, Any]) -> None:
    pods = tuple(pod(f"checkout-5d9c7b8f6d-{number}", **spec) for number in range(3))
    item = await only(world(token_secret(), listed=("checkout-token",), pods=pods))
    assert item.used == f"used by deployment checkout (3 pods); no use since {SINCE}, when recording began"
    assert offered(item) == [ActionKind.ROTATE_TOKEN_SECRET]
    assert "leaves it alone as long as a pod uses it" in item.why
    assert item.ends is None
    assert "projected token" in item.next_step


async def test_a_pod_that_has_ended_still_uses_it_as_the_cleaner_sees_it() -> None:
    item = await only(world(token_secret(), pods=(pod(phase="Succeeded", **MOUNTED),)))
    assert item.used.startswith("used by deployment checkout;")


async def test_one_used_lately_by_no_pod_is_asked_after_and_may_have_a_successor() -> None:
    item = await only(world(token_secret(last_used=day(3))))
    assert offered(item) == [ActionKind.ROTATE_TOKEN_SECRET]
    assert "Find who sends it" in item.next_step
    assert "does not list it" in item.why
    assert item.ends is None


@pytest.mark.parametrize(
    ("tracking", "age", "said"),
    [
        (YOUNG, 2 * YEAR, f"last use unknown: uses are recorded only since {YOUNG.since}, and 30 days are asked for"),
        (None, 2 * YEAR, "last use unknown: this cluster does not record the use of legacy tokens"),
        (FACTS.tracking, timedelta(days=3), "last use unknown: it is younger than 30 days"),
    ],
)
async def test_what_is_not_recorded_is_unknown_and_not_unused(
    tracking: TokenTracking | None, age: timedelta, said: str
) -> None:
    item = await only(world(token_secret(age=age)), replace(FACTS, tracking=tracking))
    assert said in item.used
    assert item.offers == ()
    assert "is not known" in item.next_step


async def test_tracking_that_was_not_read_is_said_so() -> None:
    item = await only(world(token_secret(), listed=("checkout-token",)), replace(FACTS, tracking=None, tracked=False))
    assert "since when uses are recorded was not read" in item.used
    assert "cannot be told" in item.why
    assert (item.offers, item.ends) == ((), None)


async def test_a_marked_one_that_nobody_needs_ends_when_it_is_deleted() -> None:
    item = await only(world(token_secret(invalid_since=day(200)), listed=("checkout-token",)))
    assert offered(item) == [ActionKind.REACTIVATE_LEGACY_TOKEN, ActionKind.DELETE_LEGACY_SECRET]
    deleted = date.fromisoformat(day(200)) + timedelta(days=366)
    assert item.ends is not None
    assert item.ends.date() == deleted + timedelta(days=1)
    assert f"marked it invalid on {day(200)}" in item.why
    assert f"deletes the Secret from {deleted} on" in item.why
    assert item.severity is Severity.WARNING


async def test_a_marked_one_that_was_sent_since_is_critical() -> None:
    item = await only(world(token_secret(invalid_since=day(20), last_used=day(2)), listed=("checkout-token",)))
    assert item.severity is Severity.CRITICAL
    assert offered(item) == [ActionKind.REACTIVATE_LEGACY_TOKEN]
    assert "was refused" in item.why
    assert item.cause == "legacy-token-invalidated"


async def test_a_marked_one_that_a_pod_mounts_is_critical() -> None:
    item = await only(world(token_secret(invalid_since=day(20)), listed=("checkout-token",), pods=(pod(**MOUNTED),)))
    assert item.severity is Severity.CRITICAL
    assert "deployment checkout uses it" in item.why
    assert item.ends is None


async def test_a_version_without_a_cleaner_has_no_forecast() -> None:
    item = await only(world(token_secret(), listed=("checkout-token",)), replace(FACTS, version=Minor(1, 27)))
    assert "no cleaner yet" in item.why
    assert item.ends is None


async def test_an_unfilled_one_is_told_once_the_controller_has_had_its_time() -> None:
    assert await items(world(token_secret(filled=False, age=timedelta(seconds=20)))) == ()
    item = await only(world(token_secret(filled=False, age=timedelta(hours=1))))
    assert (item.kind, item.severity, item.offers) == (ItemKind.UNFILLED_SECRET, Severity.WARNING, ())
    used = await only(world(token_secret(filled=False, age=timedelta(hours=1)), pods=(pod(**MOUNTED),)))
    assert used.severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("accounts", "cause"),
    [
        ([account("other")], "secret-service-account-missing"),
        ([account(metadata={"uid": "another"})], "secret-uid-mismatch"),
    ],
)
async def test_an_orphaned_one_is_told_with_its_reason(accounts: list[dict[str, Any]], cause: str) -> None:
    item = await only(World(accounts=accounts, token_secrets=[token_secret(last_used=day(1))]))
    assert (item.kind, item.cause) == (ItemKind.ORPHANED_SECRET, cause)
    assert item.offers == ()
    young = World(accounts=accounts, token_secrets=[token_secret(age=timedelta(seconds=20))])
    assert await items(young) == ()


async def test_what_is_just_being_deleted_is_left_alone_and_what_is_stuck_is_told() -> None:
    leaving = account(metadata={"deletionTimestamp": stamp(NOW)})
    assert await items(World(accounts=[leaving], token_secrets=[token_secret()])) == ()
    going = token_secret(deletionTimestamp=stamp(NOW - timedelta(seconds=10)))
    assert await items(world(going)) == ()
    item = await only(world(token_secret(deletionTimestamp=stamp(NOW - timedelta(hours=2)))))
    assert (item.kind, item.cause, item.offers) == (ItemKind.ORPHANED_SECRET, "secret-terminating", ())


async def test_without_the_accounts_nothing_is_called_orphaned_or_unused() -> None:
    found = World(token_secrets=[token_secret()])
    found.broken[Aspect.ACCOUNTS] = UnavailableError("the connection broke off")
    item = await only(found)
    assert item.kind is ItemKind.MANUAL_SECRET
    assert item.offers == ()
    assert "its service account was not read" in item.why


async def test_without_the_pods_nothing_is_called_unused() -> None:
    found = world(token_secret(), listed=("checkout-token",))
    found.broken[Aspect.PODS] = UnavailableError("the connection broke off")
    item = await only(found)
    assert item.offers == ()
    assert item.used.startswith("which pods use it was not read;")
    assert item.ends is None
    assert "the pods were not read" in item.why


async def test_pull_secrets_of_an_account_are_a_use() -> None:
    found = world(token_secret())
    found.accounts.append(account("puller", imagePullSecrets=[{"name": "checkout-token"}]))
    item = await only(found)
    assert item.used.startswith("used by serviceaccount puller;")


async def test_one_that_the_cleaner_takes_today_has_not_ended_yet() -> None:
    item = await only(world(token_secret(), listed=("checkout-token",)))
    assert f"invalid from {NOW.date()} and" in item.why
    assert item.ends is not None
    assert timedelta() < item.ends - NOW <= timedelta(days=1)


async def test_each_is_counted_by_what_it_is_and_when_it_ends() -> None:
    secrets = [
        token_secret("marked", invalid_since=day(360)),
        token_secret("unused", last_used=day(300)),
        token_secret("ci", last_used=day(1)),
    ]
    tally = (await counted(world(*secrets, listed=("marked", "unused")))).tally.tallies()["shop"]
    assert tally.kinds == {ItemKind.MANUAL_SECRET: 3}
    assert tally.due == {Due.WEEK: 1, Due.LATER: 1}
