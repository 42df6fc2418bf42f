"""What becomes of generated token Secrets that nobody uses: the same on both clusters."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from demo.cluster import ClusterServer
from demo.cluster.keys import SigningKey as DemoKey
from tests.cluster.api import ApiError, JsonObject
from tests.cluster.conftest import private_plane
from tests.cluster.faults.secret import TRACKING
from tests.cluster.plane import MakePlane
from tests.cluster.waiting import eventually
from tests.contract.cluster.conftest import QUICK, embedded_side, real_side
from tests.contract.cluster.side import Side

__all__ = ["private_plane"]

LAST_USED, INVALID_SINCE = "kubernetes.io/legacy-token-last-used", "kubernetes.io/legacy-token-invalid-since"
AGE = timedelta(days=400)
NAMES = ("unused", "forgotten", "used", "mounted", "by-hand", "over")
LISTED = [{"name": name} for name in NAMES if name != "by-hand"]
Clean = Callable[[], Awaitable[None]]
"""Makes all of it four hundred days old, and has the cleaner look at it."""


@pytest.fixture
async def embedded_cleaner(foreign_key: DemoKey, tmp_path: Path) -> AsyncIterator[tuple[Side, Clean]]:
    async with ClusterServer("empty", pace=QUICK) as cluster, embedded_side(cluster, foreign_key, tmp_path) as side:

        async def clean() -> None:
            cluster.move_clock(AGE)

        # Its labels' days are those of the time that it is moved to.
        yield side, clean


@pytest.fixture
async def real_cleaner(private_plane: MakePlane) -> AsyncIterator[tuple[Side, Clean]]:
    plane = await private_plane()
    async with real_side(plane) as side:

        async def clean() -> None:
            await plane.stop("kube-controller-manager")
            for name in NAMES:
                await plane.etcd.age(f"{side.root}/secrets/{name}", by=AGE)
            await plane.api.patch(TRACKING, {"data": {"since": day(datetime.now(UTC) - 2 * AGE)}})
            await plane.start("kube-controller-manager")

        yield side, clean


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.cluster)])
def cleaner(request: pytest.FixtureRequest) -> tuple[Side, Clean, datetime]:
    """And when it is that the cleaner looks."""
    side, clean = request.getfixturevalue(f"{request.param}_cleaner")
    return side, clean, datetime.now(UTC) + (AGE if request.param == "embedded" else timedelta())


def day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d")


async def labels(side: Side) -> dict[str, JsonObject]:
    found = await side.api.get(f"{side.root}/secrets")
    return {each["metadata"]["name"]: each["metadata"].get("labels", {}) for each in found["items"]}


async def test_what_nobody_has_used_for_a_year_is_marked_and_after_another_one_deleted(
    cleaner: tuple[Side, Clean, datetime],
) -> None:
    side, clean, then = cleaner
    await side.account("old")
    for name in NAMES:
        await side.token_secret(name, "old")
    await side.api.patch(f"{side.root}/serviceaccounts/old", {"secrets": LISTED})
    for name, label, ago in (("used", LAST_USED, 300), ("forgotten", LAST_USED, 370), ("over", INVALID_SINCE, 370)):
        marked = {"metadata": {"labels": {label: day(then - timedelta(days=ago))}}}
        await side.api.patch(f"{side.root}/secrets/{name}", marked)
    await side.pod("web", volumes=[{"name": "t", "secret": {"secretName": "mounted"}}])

    await clean()

    await eventually(lambda: labels(side), lambda found: INVALID_SINCE in found["unused"], "it is marked")
    await eventually(lambda: labels(side), lambda found: "over" not in found, "it is deleted")
    found = await eventually(lambda: labels(side), lambda found: INVALID_SINCE in found["forgotten"], "it is marked")
    assert found["unused"][INVALID_SINCE] == day(then)
    assert {name for name, own in found.items() if INVALID_SINCE in own} == {"unused", "forgotten"}
    with pytest.raises(ApiError):
        await side.api.get(f"{side.root}/secrets/over")
