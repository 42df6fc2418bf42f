"""What sets the pods that have a cause apart from those that have not."""

from datetime import UTC, datetime, timedelta

from bot.diagnosis.differences import Traits, difference

T = datetime(2026, 11, 22, 12, tzinfo=UTC)


def traits(controller: str = "ReplicaSet web-1", node: str = "n1", account: str = "web", minutes: int = 0) -> Traits:
    return Traits(controller=controller, node=node, account=account, started=T + timedelta(minutes=minutes))


def test_nothing_is_said_where_nothing_differs() -> None:
    assert difference([traits()], [traits()]) == ""
    assert difference([traits(), traits()], []) == ""
    assert difference([], [traits()]) == ""


def test_an_old_revision() -> None:
    old = traits("ReplicaSet web-0")
    assert difference([old], [traits(), traits()]) == "It alone is of ReplicaSet web-0."
    assert difference([old, old], [traits()]) == "They alone are of ReplicaSet web-0."


def test_one_node_of_several_pods() -> None:
    assert difference([traits(node="n2"), traits(node="n2")], [traits()]) == "They alone run on node n2."


def test_a_node_for_each_pod_tells_nothing() -> None:
    assert difference([traits(node="n2")], [traits(), traits(node="n3")]) == ""


def test_another_account() -> None:
    assert difference([traits(account="old")], [traits()]) == "It alone runs as service account old."


def test_what_was_started_before_the_others() -> None:
    text = difference([traits(), traits(minutes=5)], [traits(minutes=60), traits(minutes=90)])
    assert text == (
        "Their containers started until 2026-11-22 12:05:00 UTC, before all others (from 2026-11-22 13:00:00 UTC on)."
    )


def test_what_was_started_after_the_others() -> None:
    text = difference([traits(minutes=60)], [traits()])
    assert text == ("Its containers started at 2026-11-22 13:00:00 UTC, after all others (at 2026-11-22 12:00:00 UTC).")


def test_one_rollout_s_seconds_tell_nothing() -> None:
    assert difference([traits()], [Traits("ReplicaSet web-1", "n1", "web", T + timedelta(seconds=30))]) == ""


def test_a_pod_that_does_not_run_leaves_its_start_out() -> None:
    assert difference([traits()], [Traits("ReplicaSet web-1", "n1", "web", None)]) == ""
