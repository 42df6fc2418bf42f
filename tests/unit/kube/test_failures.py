"""Every request of a check fails in each way in turn: what it was for becomes a Gap of the right kind, no other does.

Driven by what a healthy check asks and by the list of facets: a facet that is added is covered here.
"""

from datetime import UTC, datetime

import pytest

from bot.kube.client import Cluster
from bot.kube.facets.gather import FACETS, gather
from bot.kube.facets.graph import POD as OF_PODS
from bot.model import Facet, GapKind, ObjectRef, Routes, Snapshot
from tests.unit.kube import fake_api
from tests.unit.kube.fake_api import UID, Answer, FakeApi, breaks_off, hangs, refuses, says

REF = ObjectRef(cluster="here", api_version="v1", kind="Pod", namespace=fake_api.NAMESPACE, name=fake_api.POD, uid=UID)
NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)

FAILURES: dict[str, tuple[Answer, GapKind]] = {
    "403": (refuses(403, "", "Forbidden"), GapKind.DENIED),
    "500": (refuses(500, "etcdserver: leader changed"), GapKind.UNAVAILABLE),
    "reset": (breaks_off, GapKind.UNAVAILABLE),
    "not-json": (says(b"{not json"), GapKind.UNAVAILABLE),
    "hangs": (hangs, GapKind.TIMED_OUT),
}


async def read(cluster: Cluster, seconds: float = 10) -> Snapshot:
    return await gather(
        cluster, REF, routes=Routes(), deadline_seconds=seconds, log_lines=100, others=[], now=lambda: NOW
    )


def unread(snapshot: Snapshot) -> dict[str, GapKind]:
    """The facets of which something was not read, and could have been."""
    fields = {name: getattr(snapshot, name) for name in snapshot.__struct_fields__}
    gaps = {name: value.unread.kind for name, value in fields.items() if isinstance(value, Facet) and value.unread}
    return {name: kind for name, kind in gaps.items() if kind.spoils}


def paths() -> list[str]:
    api = FakeApi()
    fake_api.healthy(api)
    return sorted(api.answers)


def cases() -> list[tuple[str, str]]:
    """A log is any text, so that no answer is too odd for it."""
    odd = [(path, failure) for path in paths() for failure in FAILURES]
    return [(path, failure) for path, failure in odd if not (failure == "not-json" and path.endswith("/log"))]


@pytest.mark.parametrize(("path", "failure"), cases())
async def test_a_failed_request_becomes_gaps_of_its_kind(
    api: FakeApi, cluster: Cluster, path: str, failure: str
) -> None:
    answer, kind = FAILURES[failure]
    api.on(path, answer)

    found = unread(await read(cluster, 0.4 if failure == "hangs" else 10))

    assert failure == "hangs" or api.asked(path)  # on a busy machine the time may be over before it is asked
    assert found
    assert set(found.values()) == {kind}


ELSEWHERE = {"endpoint_discoveries", "issuer_publication", "other_issuers"}
"""Several API servers, an issuer that was read and found broken, other clusters: each has tests of its own."""


async def test_each_facet_of_a_pod_can_be_made_a_gap(api: FakeApi, cluster: Cluster) -> None:
    seen = set[str]()
    for path in paths():
        kept = api.answers[path]
        api.on(path, refuses(500, "etcdserver: leader changed"))
        seen |= set(unread(await read(cluster)))
        api.answers[path] = kept
    wanted = {spec.name for spec in FACETS if OF_PODS & spec.of and not spec.shared and spec.switch is None}

    assert wanted - seen == ELSEWHERE
