"""How a restart goes on, and whether it helped: to the evidence, and through an API server that goes away meanwhile."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from demo.slack import SlackServer
from demo.slack import people as p
from tests.cluster.faults.scene import Scene
from tests.cluster.faults.workload import one_stale_pod
from tests.cluster.plane import MakePlane
from tests.cluster.waiting import eventually
from tests.scenarios.conftest import StartBot
from tests.scenarios.stage import MAY_RESTART, PEOPLE, RESTART, SECONDS, Stage, empty_stage, shown

__all__ = ["empty_stage"]

pytestmark = pytest.mark.cluster


async def test_that_the_401s_have_stopped_is_said_on_the_evidence_of_the_new_pods(
    empty_stage: Stage, tmp_path: Path
) -> None:
    stage, slack = empty_stage, empty_stage.slack
    scene = Scene(stage.plane, stage.namespace)
    sick = await one_stale_pod(scene)
    name = sick["metadata"]["name"]
    await slack.command("/token", f"check {stage.namespace}/deployment/{name}", user=p.ENGINEER, channel=p.INCIDENT)
    answer = await stage.message(p.INCIDENT, f"Restart deployment {name} …")
    await slack.click(answer, "act:0", user=p.ENGINEER)
    await slack.submit(await stage.modal(p.ENGINEER, "Policy rule 1"), {"reason": "it serves 401s"}, user=p.ENGINEER)
    asked = await stage.message(p.APPROVALS, "it serves 401s")
    await stage.decided(asked, "approve", p.APPROVER)
    await slack.wait_for(lambda: "Looking again in 6 min" in shown(asked), SECONDS)
    assert "401s have stopped" not in shown(asked)

    # Nine minutes later: every new pod has been at work since, and none was refused.
    await _later(tmp_path / "token-doctor.db", timedelta(minutes=9))
    for pod in await stage.plane.workloads.pods_of(sick):
        scene.log(
            pod, [(datetime.now(UTC) - timedelta(minutes=back), "GET /cart 200 3ms") for back in range(8, -1, -1)]
        )
    outcome = await stage.outcome("Done")
    assert "The 401s have stopped: its 3 pods have logged for 8 min since without one" in shown(outcome)
    assert outcome.thread_ts == answer.ts
    await slack.wait_for(lambda: "The 401s have stopped" in shown(asked), SECONDS)


async def test_an_api_server_that_restarts_in_the_middle_of_a_rollout_delays_it_and_no_more(
    slack: SlackServer, private_plane: MakePlane, start_bot: StartBot, tmp_path: Path
) -> None:
    plane = await private_plane()
    namespace = await plane.create_namespace()
    for person in PEOPLE:
        await plane.users.grant(person, MAY_RESTART, namespace=namespace)
    await plane.workloads.deployment(namespace, "checkout", replicas=2)
    bot = await start_bot(
        {
            "clusters": [{"name": "prod", "kubeconfig": str(plane.kubeconfig)}],
            "database": {"url": f"sqlite+aiosqlite:///{tmp_path}/token-doctor.db"},
            "policy": [RESTART],
        }
    )
    stage = Stage(slack, plane, namespace)
    asked = await stage.asked()
    await plane.pause("kwok")  # no new pod becomes ready from now on
    await stage.decided(asked, "approve", p.APPROVER)
    await slack.wait_for(lambda: "of 2 new pods" in shown(asked), SECONDS)
    done = await stage.template()

    await plane.stop("kube-apiserver")
    await slack.wait_for(lambda: "It cannot be seen at the moment how it goes" in shown(asked), SECONDS)
    await plane.start("kube-apiserver")
    await plane.resume("kwok")

    await slack.wait_for(lambda: "2 of 2 new pods are ready" in shown(asked), SECONDS)
    assert await stage.template() == done
    sets = await plane.api.get(f"/apis/apps/v1/namespaces/{namespace}/replicasets")
    assert len(sets["items"]) == 2, "it was restarted once"
    assert bot.events("error") == []


async def _later(database: Path, by: timedelta) -> None:
    """As if what was done had been done that much earlier, and the next look, which has been laid aside, were due."""

    async def moved() -> bool:
        with sqlite3.connect(database, timeout=10) as connection:
            ((at,),) = connection.execute("SELECT applied_at FROM requests").fetchall()
            before, now = datetime.fromisoformat(at) - by, datetime.now(UTC)
            values = [each.isoformat(" ", "microseconds") for each in (before, now)]
            move = "UPDATE requests SET applied_at = ?, lease_until = ? WHERE looks = 1"
            return connection.execute(move, values).rowcount == 1

    await eventually(moved, bool, "the time was moved")
