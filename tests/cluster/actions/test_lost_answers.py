"""Answers that came too late, or never, to what did take effect: it is found done, and is not done again."""

from pathlib import Path

import pytest

from bot.errors import ClusterUnreachableError
from bot.model import ActionKind
from tests.cluster.actions.acting import Acting, ref_of
from tests.cluster.actions.proxied import losing_answers
from tests.cluster.actions.test_rights import EACH, Make
from tests.cluster.plane import Plane

EFFECTS = [(kind, make) for kind, make, _ in EACH if kind is not ActionKind.PROBE_TOKEN]


@pytest.mark.parametrize(("kind", "make"), EFFECTS)
async def test_what_took_effect_is_found_done(
    kind: ActionKind, make: Make, plane: Plane, namespace: str, tmp_path: Path
) -> None:
    found, lost = await make(plane, namespace), list[str]()
    async with losing_answers(plane, tmp_path, lost=lost) as cluster:
        acting = Acting(cluster, kind, ref_of(found))
        plan = await acting.plan()
        assert lost == []
        if kind is ActionKind.DELETE_LEGACY_SECRET:
            await acting.apply(plan)  # a DELETE is asked again by the HTTP client itself, and finds nothing
        else:
            with pytest.raises(ClusterUnreachableError, match=r"gave no clear answer: no answer from .* broke off"):
                await acting.apply(plan)
        assert len(lost) == 1
        assert await acting.is_done(plan)
        await acting.apply(plan)
        assert len(lost) == 1, "another effect would have lost its answer too"
        assert (await acting.follow(plan)).failed == ""
        assert len(lost) == 1
