"""Two replicas behind one address, with PostgreSQL: whichever gets a request, it is answered, and once."""

import json
import socket
from collections.abc import AsyncIterator

import pytest

from demo.slack import SlackServer
from demo.slack import people as p
from tests.cluster.plane import Plane
from tests.scenarios.conftest import StartBot
from tests.scenarios.http.balancer import Balancer
from tests.scenarios.http.test_door import answers, send
from tests.scenarios.running import Bot
from tests.scenarios.stage import MAY_RESTART, PEOPLE, RESTART, Stage, shown
from tests.store.conftest import Address as Database
from tests.store.conftest import migrated, numbers, on_postgresql, server

__all__ = ["migrated", "numbers", "on_postgresql", "server"]


def free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture
async def replicas(
    start_bot: StartBot, plane: Plane, namespace: str, web_port: int, on_postgresql: Database
) -> AsyncIterator[tuple[list[Bot], Balancer]]:
    for person in PEOPLE:
        await plane.users.grant(person, MAY_RESTART, namespace=namespace)
    config = {
        "clusters": [{"name": "prod", "kubeconfig": str(plane.kubeconfig)}],
        "database": {"url": on_postgresql.url},
        "policy": [RESTART],
    }
    ports = free_ports(2)
    variables = {"DATABASE_PASSWORD": on_postgresql.password}
    bots = [await start_bot(config, variables, port=port) for port in ports]
    async with Balancer(web_port, ports) as balancer:
        yield bots, balancer


async def test_what_one_replica_begins_the_other_goes_on_with(
    slack: SlackServer, plane: Plane, namespace: str, replicas: tuple[list[Bot], Balancer]
) -> None:
    """The form is opened by one, sent in to the other, and so on with each click."""
    await plane.workloads.deployment(namespace, "checkout", replicas=2)
    stage = Stage(slack, plane, namespace)
    asked = await stage.asked()
    assert "Your approval counts" in shown(await stage.decided(asked, "approve", p.APPROVER))
    await slack.wait_for(lambda: "Done, looking whether it helped" in asked.text, 60)
    assert "kubectl.kubernetes.io/restartedAt" in await stage.template()
    assert len(slack.messages(p.INCIDENT)) == len(slack.messages(p.APPROVALS)) == 1
    bots, balancer = replicas
    assert len(set(balancer.turns)) == 2
    for bot in bots:
        assert [entry for entry in bot.log if entry["event"] in {"asked", "a form"}]


async def test_what_is_sent_again_to_the_other_replica_is_done_once(
    slack: SlackServer, namespace: str, replicas: tuple[list[Bot], Balancer]
) -> None:
    bots, balancer = replicas
    await slack.command("/token", f"check {namespace}/nothing", user=p.ENGINEER, channel=p.INCIDENT)
    await slack.wait_for(lambda: len(answers(slack)) == 1, 60)
    command = slack.http.sent[-1]
    assert (await send(command))[0] == 200  # by the other one
    await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
    await slack.mention(p.INCIDENT, p.ENGINEER, f"check {namespace}/nothing")
    await slack.wait_for(lambda: len(answers(slack)) == 2, 60)
    event = slack.http.sent[-1]
    retry = slack.http.signed("events_api", json.loads(event.body), {"X-Slack-Retry-Num": "1"})
    for _ in range(2):
        assert (await send(retry))[0] == 200
    await bots[0].says("another replica does this", 30)
    await bots[1].says("another replica does this", 30)
    assert balancer.turns[0] != balancer.turns[1]
    assert len(answers(slack)) == 2
