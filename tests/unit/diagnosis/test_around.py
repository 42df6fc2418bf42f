"""What stands around the findings: the timeline, and who else is hit."""

from msgspec.structs import replace

from bot.diagnosis import diagnose
from bot.model import BlastRadius, Facet, Gap, GapKind, Scope, Snapshot
from bot.objects import Meta, Named
from tests.causes.cases import Case


def recorded(name: str) -> Snapshot:
    return Case(cause="", kind="fail", recorded=name).snapshot()


def radius(snapshot: Snapshot) -> BlastRadius:
    found = diagnose(snapshot).blast_radius
    assert found
    return found


def test_the_timeline_is_in_the_order_of_events() -> None:
    moments = diagnose(recorded("account-recreated")).timeline
    assert [moment.at for moment in moments] == sorted(moment.at for moment in moments)
    words = [moment.what for moment in moments]
    assert words.index("pod app created") < words.index("service account checkout created")
    assert words[-2:] == ["first 401 in the log that was read", "last of 3 such lines"]


def test_the_timeline_leaves_out_what_was_not_read() -> None:
    gap: Facet[object] = Facet(gap=Gap(facet="logs", kind=GapKind.DENIED, reason="for this test"))
    words = [moment.what for moment in diagnose(replace(recorded("account-recreated"), logs=gap)).timeline]
    assert "pod app created" in words
    assert not [word for word in words if "401" in word]


def test_a_key_that_is_gone_hits_every_client() -> None:
    found = radius(recorded("kid-unknown-exec"))
    assert found.scope is Scope.CLUSTER
    assert found.sentence.startswith("Every client of this API server")


def test_an_account_that_is_gone_hits_its_other_pods_by_name() -> None:
    snapshot = replace(recorded("account-deleted"), peers=Facet(value=("cart-1", "cart-2")))
    found = radius(snapshot)
    assert found.scope is Scope.SERVICE_ACCOUNT
    assert found.pods == ("cart-1", "cart-2")
    assert found.sentence.startswith("2 other pods run as ")


def test_who_else_is_hit_is_not_claimed_where_it_was_not_read() -> None:
    gap: Facet[object] = Facet(gap=Gap(facet="peers", kind=GapKind.DENIED, reason="for this test"))
    found = radius(replace(recorded("account-deleted"), peers=gap))
    assert "was not read" in found.sentence


def test_a_cached_token_hits_the_workloads_other_pods() -> None:
    owner = Named(kind="Deployment", metadata=Meta(name="checkout"))
    assert (
        "deployment checkout" in radius(replace(recorded("expired-and-cached"), owners=Facet(value=(owner,)))).sentence
    )


def test_a_healthy_pod_hits_nobody() -> None:
    assert diagnose(recorded("healthy-plain")).blast_radius is None
