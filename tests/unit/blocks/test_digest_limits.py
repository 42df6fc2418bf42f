"""However much a census finds and however things are called: Slack takes the digest, and its counts are right."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.blocks.digest import messages
from bot.blocks.digest_pages import PAGES
from bot.blocks.digest_words import everything
from bot.blocks.limits import Message
from bot.model import (
    ActionKind,
    ClusterDigest,
    Digest,
    Due,
    Item,
    ItemKind,
    ObjectRef,
    Offer,
    Person,
    Resolved,
    Scanned,
    Severity,
    Snooze,
    Snoozed,
    Tally,
    TrendPoint,
    Unscanned,
)
from tests.unit.blocks.digests import DAILY, DELETE, MONDAY, PROD, SNOOZE, STAGE, legacy
from tests.unit.blocks.test_limits import check, texts, times

TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6IkFBQSJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl"
LONGEST = Snooze(until=MONDAY, by=Person(id="terminal", name='"' * 90), reason="“" + "\\" * 300)

refs = st.builds(ObjectRef, cluster=texts, api_version=texts, kind=texts, namespace=texts, name=texts, uid=texts)
offers = st.builds(Offer, kind=st.sampled_from(ActionKind), ref=refs, label=texts)
items = st.builds(
    Item,
    kind=st.sampled_from(ItemKind),
    namespace=texts,
    object_kind=texts,
    name=texts,
    place=texts,
    owner=texts,
    severity=st.sampled_from(Severity),
    why=texts,
    next_step=texts,
    used=texts,
    ends=st.none() | times,
    cause=texts,
    offers=st.lists(offers, max_size=4).map(tuple),
)
counts = st.integers(0, 10_000_000)
snoozes = st.builds(
    Snooze, until=times, by=st.builds(Person, id=texts, name=texts), reason=texts, acknowledged=st.booleans()
)
tallies = st.builds(
    Tally, kinds=st.dictionaries(st.sampled_from(ItemKind), counts), due=st.dictionaries(st.sampled_from(Due), counts)
)
snoozed = st.lists(st.builds(Snoozed, item=items, snooze=snoozes), max_size=5).map(tuple)
several = st.lists(items, max_size=7).map(tuple)
clusters = st.builds(
    ClusterDigest,
    cluster=texts,
    taken_at=times,
    window=st.integers(1, 365).map(lambda days: timedelta(days=days)),
    is_first=st.booleans(),
    new=several,
    due=several,
    lapsed=snoozed,
    snoozed=snoozed,
    rest=several,
    resolved=st.lists(
        st.builds(
            Resolved,
            kind=st.sampled_from(ItemKind),
            namespace=texts,
            object_kind=texts,
            name=texts,
            place=texts,
            first_seen=times,
        ),
        max_size=30,
    ).map(tuple),
    totals=tallies,
    trend=st.lists(st.builds(TrendPoint, at=times, totals=tallies, complete=st.booleans()), max_size=30).map(tuple),
    left_out=st.dictionaries(st.sampled_from(ItemKind), counts),
    scanned=st.builds(
        Scanned,
        namespaces=counts,
        token_secrets=counts,
        service_accounts=counts,
        pods=counts,
        secrets=st.none() | counts,
    ),
    unscanned=st.lists(
        st.builds(
            Unscanned,
            what=texts,
            reason=texts,
            mend=texts,
            namespaces=st.lists(texts, max_size=20).map(tuple),
            count=counts,
            by_choice=st.booleans(),
        ),
        max_size=8,
    ).map(tuple),
    unreachable=st.just("") | texts,
    mend=texts,
)
digests = st.builds(
    Digest,
    id=st.just("4f34ddaa12c0ffee"),
    schedule=st.just("") | texts,
    channel=st.just("C0TOKENS001"),
    at=times,
    timezone=st.sampled_from(["Europe/Berlin", "UTC", "Europe", "Nowhere/At-all", ""]),
    minute=texts,
    due_at=st.none() | times,
    clusters=st.lists(clusters, max_size=3).map(tuple),
    missed=st.lists(texts, max_size=20).map(tuple),
    missed_count=counts,
    elsewhere=st.dictionaries(st.just("C0SHOP00001"), counts),
    next_at=st.none() | times,
    heartbeat=st.booleans(),
    quiet_since=st.none() | times,
)


def look(shown: tuple[Message, ...]) -> str:
    return json.dumps([list(message.blocks) for message in shown], ensure_ascii=False)


def checked(shown: tuple[Message, ...]) -> tuple[Message, ...]:
    for message in shown:
        check(message)
        check(Message(message.text, message.instead))
    return shown


def all_snoozed(digest: Digest) -> Mapping[tuple[str, str], Snooze]:
    """Whatever there is, somebody has snoozed it, with many words."""
    return {(cluster.cluster, item.key): LONGEST for cluster in digest.clusters for item in everything(cluster)}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(digests)
def test_any_digest_becomes_messages_that_slack_takes(digest: Digest) -> None:
    shown = checked(messages(digest, acts=True))
    later = checked(messages(digest, all_snoozed(digest), acts=True))
    assert len(shown) == len(later) <= PAGES + 1


def many(count: int, **changes: object) -> ClusterDigest:
    secrets = tuple(legacy("shop", f"token-{number:05}", used=f"deployment app-{number}") for number in range(count))
    totals = Tally(kinds={ItemKind.LEGACY_SECRET: count})
    return replace(PROD, new=(), due=(), lapsed=(), snoozed=(), resolved=(), rest=secrets, totals=totals, **changes)


def test_ten_thousand_items_are_counted_where_they_are_not_shown() -> None:
    shown = checked(messages(replace(DAILY, clusters=(many(10_000),))))
    assert len(shown) == PAGES + 1
    assert "10 000 Secrets never expire" in shown[0].text
    listed = len(set(re.findall(r"shop/token-\d{5}", look(shown[1:]))))
    assert listed > 60
    assert f"… and {10_000 - listed:,} more".replace(",", " ") in look(shown[-1:])


def test_what_the_census_has_left_out_is_counted_too() -> None:
    cluster = many(10, left_out={ItemKind.LEGACY_SECRET: 990})
    shown = checked(messages(replace(DAILY, clusters=(cluster,))))
    assert "… and 990 more" in look(shown[-1:])
    assert "990 auto-generated token Secrets among them" in look(shown[-1:])


def test_an_item_stays_on_its_page_whatever_is_snoozed() -> None:
    digest = replace(DAILY, clusters=(many(40),))
    before = messages(digest)
    after = checked(messages(digest, all_snoozed(digest)))
    for old, new in zip(before[1:], after[1:], strict=True):
        names = [f"shop/token-{number:05}" for number in range(40)]
        assert [name in look((old,)) for name in names] == [name in look((new,)) for name in names]
        assert "Snoozed by" not in look((old,))
        assert "Snoozed by" in look((new,))


def test_an_items_text_cannot_reach_more_than_its_readers() -> None:
    item = replace(legacy(f"shop{TOKEN}", TOKEN, owner=f"<!channel> {TOKEN}"), why=TOKEN, next_step=f"x {TOKEN}")
    shown = checked(messages(replace(DAILY, clusters=(replace(PROD, new=(item,), rest=(item, item)),))))
    assert "[token removed]" in look(shown)
    # A button brings back what it was given, so a key with a token in it gets none.
    assert "eyJ" not in look(shown)


def test_without_a_policy_no_action_is_offered_and_without_a_schedule_nothing_is_snoozed() -> None:
    digest = replace(DAILY, clusters=(replace(PROD, new=(legacy("shop", "ci", offers=(DELETE,)),)),))
    assert DELETE.label in look(messages(digest, acts=True))
    assert DELETE.label not in look(messages(digest))
    assert '"snooze"' in look(messages(digest))
    assert '"snooze"' not in look(messages(replace(digest, schedule=""), acts=True))


@pytest.mark.parametrize("what", ["expiring", "expire within"])
def test_what_was_not_read_is_never_nothing(what: str) -> None:
    (first, *_) = messages(replace(DAILY, clusters=(replace(STAGE, rest=(), totals=Tally()),)))
    assert "ot everything could be read" in first.text
    assert "🟢" not in look((first,))
    assert f"0 {what}" not in look((first,))
    assert "pods (vault, pay)" in look((first,))


def test_a_channel_of_many_clusters_says_how_many_it_does_not_show() -> None:
    some = tuple(replace(PROD, cluster=f"prod-{number}") for number in range(30))
    (first, *_) = checked(messages(replace(DAILY, clusters=some)))
    assert "… and 22 more clusters" in look((first,))


def test_a_snooze_is_shown_with_who_why_and_until_when() -> None:
    (first, *_) = messages(DAILY, {("prod", PROD.new[1].key): SNOOZE})
    assert SNOOZE.reason in look((first,))
    assert f'"user_id": "{SNOOZE.by.id}"' in look((first,))
    assert str(int(SNOOZE.until.timestamp())) in look((first,))


def test_the_longest_names_that_kubernetes_has_fit_with_all_their_buttons() -> None:
    name, account = "a" * 253, "b" * 63
    uid = "11111111-1111-1111-1111-111111111111"
    ref = replace(DELETE.ref, namespace=account, name=name, uid=uid, cluster="c" * 60)
    offer = replace(DELETE, ref=ref, label=f"Delete unused Secret {name}", cause="secret-listed-on-service-account")
    longest = "Its token never expires. " * 40
    item = replace(legacy(account, name, owner="o" * 80, used=longest), why=longest, next_step=longest, place=name)
    item = replace(item, ends=MONDAY, offers=(offer, replace(offer, kind=ActionKind.REACTIVATE_LEGACY_TOKEN)))
    digest = replace(DAILY, schedule="d" * 40, clusters=(replace(PROD, cluster="c" * 60, new=(item, item)),))
    for shown in (messages(digest, acts=True), messages(digest, all_snoozed(digest), acts=True)):
        page = look(checked(shown)[1:2])
        assert page.count('"action_id": "act:') == 2
        assert page.count('"action_id": "snooze"') == 1
