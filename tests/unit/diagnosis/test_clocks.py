"""Clocks are intervals: what two readings prove, and what they leave open."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.diagnosis import diagnose
from bot.diagnosis.clocks import aligned, clock_notes, disagreement, node_behind, server_ahead, server_now
from bot.model import Facet, GapKind, ObjectRef, Offset, Renewal, Renewals, ServedDate, Snapshot
from bot.objects import Event, EventSource, Meta
from tests.causes.cases import Case

NOW = datetime(2026, 11, 22, 13, 5, 0, 250_000, tzinfo=UTC)
REF = ObjectRef(cluster="", api_version="v1", kind="Pod", namespace="shop", name="checkout-1")
MAIN, OTHER = "https://10.0.0.1:6443", "https://10.0.0.2:6443"


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def served(endpoint: str, ahead: float, *, took: float = 0.02) -> ServedDate:
    """The answer of an API server whose clock is that far ahead."""
    received = NOW + seconds(took)
    return ServedDate(
        endpoint=endpoint, date=(received + seconds(ahead)).replace(microsecond=0), sent=NOW, received=received
    )


def snapshot(*dates: ServedDate, leases: tuple[Renewal, ...] = (), api_servers: tuple[str, ...] = ()) -> Snapshot:
    return Snapshot(
        target=REF,
        taken_at=NOW,
        endpoints=(MAIN,),
        dates=dates,
        identity_leases=Facet(value=Renewals(sent=NOW, received=NOW + seconds(0.05), leases=leases)),
        api_servers=Facet(value=api_servers),
    )


def lease(holder: str, renewed: float, revision: int = 0) -> Renewal:
    return Renewal(holder=holder, renewed=NOW + seconds(renewed), revision=revision)


@pytest.mark.parametrize("lag", [0.0, 300.0, -45.0, 1200.5])
@pytest.mark.parametrize("latency", [0.003, 4.0])
def test_the_true_lag_of_a_node_is_within_the_bounds(lag: float, latency: float) -> None:
    truly = datetime(2026, 11, 22, 13, 5, 0, 999_000, tzinfo=UTC)
    written = truly.replace(microsecond=0)
    renewed = truly - seconds(latency) - seconds(lag)

    behind = node_behind(Renewal(holder="node-1", renewed=renewed, written=written))

    assert behind is not None
    assert behind.most is not None
    assert behind.least <= lag <= behind.most
    assert behind.most - behind.least == pytest.approx(11)


def test_a_lease_without_managed_fields_tells_nothing() -> None:
    assert node_behind(Renewal(holder="node-1", renewed=NOW)) is None
    assert node_behind(None) is None


@pytest.mark.parametrize("ahead", [-7200.0, -40.0, -0.5, 0.0, 0.5, 31.0, 3600.0])
def test_the_api_server_s_time_is_never_missed_by_more_than_a_cut_second(ahead: float) -> None:
    found = snapshot(served(MAIN, ahead), served(MAIN, ahead, took=0.5))

    assert abs(server_now(found) - (NOW + seconds(ahead))) <= seconds(1.5)


def test_a_right_clock_is_not_corrected() -> None:
    assert server_now(snapshot(served(MAIN, 0))) == NOW
    assert server_now(snapshot()) == NOW
    assert server_ahead(snapshot(served(OTHER, 500))) is None


def test_two_api_servers_are_compared_through_one_clock_that_drops_out() -> None:
    for own in (0.0, -5000.0):
        found = disagreement(snapshot(served(MAIN, own), served(OTHER, own + 90)))
        assert found is not None
        assert (found.ahead, found.behind) == (OTHER, MAIN)
        assert found.offset.most is not None
        assert found.offset.least <= 90 <= found.offset.most
        assert found.offset.least > 88


def test_one_address_with_two_clocks_behind_it_is_two_api_servers() -> None:
    found = disagreement(snapshot(served(MAIN, 0), served(MAIN, 75)))

    assert found is not None
    assert 73 < found.offset.least <= 75
    assert (now := server_now(snapshot(served(MAIN, 0), served(MAIN, 75)))) <= NOW + seconds(75)
    assert now >= NOW


def test_clocks_that_agree_are_no_disagreement_worth_a_word() -> None:
    alike = disagreement(snapshot(served(MAIN, 0), served(OTHER, 0.4), leases=(lease("a", -3), lease("b", -9))))
    assert alike is None or alike.offset.least < 1


def test_a_lease_from_the_future_is_a_clock_that_is_ahead() -> None:
    found = disagreement(snapshot(served(MAIN, 0), leases=(lease("a", -4), lease("b", 90))))

    assert found is not None
    assert (found.ahead, found.behind) == ("b", MAIN)
    assert 88 <= found.offset.least <= 90


def test_an_old_lease_is_no_slow_clock_unless_its_api_server_is_surely_there() -> None:
    leases = (lease("a", -4, revision=20), lease("b", -300, revision=10))

    assert disagreement(snapshot(served(MAIN, 0), leases=leases)) is None
    known = disagreement(snapshot(served(MAIN, 0), leases=leases, api_servers=(MAIN, OTHER)))
    assert known is not None
    assert known.behind == "b"
    assert known.offset.least <= 300 - 15


def test_a_lease_that_was_written_later_with_an_earlier_time_is_a_slow_clock() -> None:
    found = disagreement(snapshot(served(MAIN, 0), leases=(lease("a", -4, revision=20), lease("b", -94, revision=30))))

    assert found is not None
    assert (found.ahead, found.behind) == ("a", "b")
    assert found.offset == Offset(least=85, most=None, source="resourceVersion")


def test_a_lease_that_somebody_else_wrote_to_proves_no_order() -> None:
    touched = (lease("a", -4, revision=20), lease("b", -1200, revision=0))
    assert disagreement(snapshot(served(MAIN, 0), leases=touched)) is None


def healthy() -> Snapshot:
    return Case(cause="", kind="pass", recorded="healthy-plain").snapshot()


def on_a_slow_node(lag: float) -> Snapshot:
    found = healthy()
    written = found.taken_at.replace(microsecond=0)
    slow = Renewal(holder="worker-1", renewed=found.taken_at - seconds(lag), written=written, duration_seconds=40)
    return replace(found, node_lease=Facet(value=slow))


def test_what_a_slow_node_has_stamped_is_moved_and_nothing_else() -> None:
    before = on_a_slow_node(300)
    said = Event(metadata=Meta(name="e"), last_timestamp=before.taken_at, source=EventSource(component="kubelet"))
    other = replace(said, source=EventSource(component="default-scheduler"))
    before = replace(before, events=Facet(value=(said, other)))

    after = aligned(before)

    (old, *_), (new, *_) = before.logs.read()[0].lines, after.logs.read()[0].lines
    assert old.at is not None
    assert new.at is not None
    assert abs(new.at - old.at - seconds(300)) <= seconds(1)
    status, moved = before.pod.read().status.container_statuses[0], after.pod.read().status.container_statuses[0]
    assert status.state.running is not None
    assert moved.state.running is not None
    assert moved.state.running.started_at != status.state.running.started_at
    assert after.pod.read().metadata == before.pod.read().metadata
    first, second = after.events.read()
    assert first.last_timestamp != said.last_timestamp
    assert second == other


def test_a_node_that_may_be_right_is_left_alone() -> None:
    for lag in (0.0, 5.0):
        assert aligned(on_a_slow_node(lag)) == on_a_slow_node(lag)


def test_our_own_wrong_clock_is_said_and_found_nowhere() -> None:
    right = healthy()
    leases = right.identity_leases.read()
    hour = seconds(3600)
    wrong = replace(
        right,
        identity_leases=Facet(value=replace(leases, sent=leases.sent + hour, received=leases.received + hour)),
        dates=(
            ServedDate(
                endpoint=right.endpoints[0],
                date=right.taken_at.replace(microsecond=0),
                sent=right.taken_at + hour,
                received=right.taken_at + hour,
            ),
        ),
        taken_at=right.taken_at + hour,
    )

    report, usual = diagnose(wrong), diagnose(right)

    assert abs(report.taken_at - usual.taken_at) <= seconds(1)
    assert (report.verdict, report.findings) == (usual.verdict, usual.findings)
    (note,) = [gap for gap in report.gaps if gap.facet == "exact_time"]
    assert note.kind is GapKind.UNOBSERVABLE
    assert "own clock is at least 59 min 59 s ahead of the API server's" in note.reason
    assert not [gap for gap in usual.gaps if gap.facet == "exact_time"]


def test_a_slow_node_is_said_beside_the_times_that_were_moved() -> None:
    (note,) = clock_notes(on_a_slow_node(300))
    assert "the node's clock is about" in note.reason
    assert list(clock_notes(on_a_slow_node(3))) == []
