"""Marked tokens in every place a token can be, and none of them in anything that leaves the bot.

The search itself runs in the fixtures: after every scenario, over its Slack traffic and its output, and once more
at the end of the run. Here the marks are planted in a cluster, and the search is shown to find what it looks for.
"""

import asyncio
import base64
import json
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from demo.slack import SlackServer
from demo.slack import people as p
from tests.cluster.api import JsonObject
from tests.cluster.faults.scene import Scene
from tests.cluster.plane import Plane
from tests.scenarios import running
from tests.scenarios.conftest import Collected, StartBot
from tests.scenarios.marks import Marks


async def planted(scene: Scene, marks: Marks) -> JsonObject:
    """A pod with a marked token in its annotations, environment, command line, Secrets, log, file and events."""
    await scene.account()
    legacy = await scene.token_secret()
    legacy_token = base64.b64decode(legacy["data"]["token"]).decode()
    marks.plant("a token Secret", legacy_token)
    kubeconfig = json.dumps({"users": [{"name": "ci", "user": {"token": marks.token("a kubeconfig in a Secret")}}]})
    data = {
        "kubeconfig": base64.b64encode(kubeconfig.encode()).decode(),
        "password": base64.b64encode(marks.password("an opaque Secret").encode()).decode(),
    }
    metadata = {
        "name": "ci",
        "namespace": scene.namespace,
        "annotations": {"note": marks.token("a Secret's annotation")},
    }
    await scene.plane.workloads.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
    container = {
        "name": "app",
        "image": "shop/checkout:1.4",
        "command": ["serve", f"--token={marks.token('a command line')}"],
        "env": [
            {"name": "TOKEN", "value": marks.token("the environment")},
            {"name": "LEGACY", "valueFrom": {"secretKeyRef": {"name": "checkout-token", "key": "token"}}},
        ],
        "envFrom": [{"secretRef": {"name": "ci"}}],
        "volumeMounts": [{"name": "legacy", "mountPath": "/etc/legacy"}],
    }
    spec = {
        "serviceAccountName": "checkout",
        "containers": [container],
        "volumes": [{"name": "legacy", "secret": {"secretName": "checkout-token"}}],
    }
    pod = await scene.plane.workloads.run_pod(
        scene.namespace, spec=spec, annotations={"debug/last-token": marks.token("a pod's annotation")}
    )
    await told(scene, marks, pod)
    return pod


async def told(scene: Scene, marks: Marks, pod: JsonObject) -> None:
    """What the container writes and holds: a token really refused, and log lines with tokens in every dress."""
    claims = await scene.plane.tokens.bound_claims(scene.namespace, "checkout", pod=pod)
    late = {**claims, **{name: claims[name] - 7_200 for name in ("iat", "nbf", "exp")}}
    mounted = marks.plant("the mounted file", scene.plane.tokens.sign(late))
    scene.holds(pod, mounted)
    await scene.refused(pod, mounted)
    logged = marks.token("a log line")
    lines = [
        f"failed to list *v1.Pod: Unauthorized, sent Authorization: Bearer {logged}",
        f'{{"level":"error","msg":"401 Unauthorized","token":"{marks.token("a JSON log line")}"}}',
        f"401 Unauthorized for https://kubernetes.default.svc/api?access_token={quote(marks.token('a URL'))}",
        f"401 Unauthorized: secret data {base64.b64encode(marks.token('base64').encode()).decode()}",
        f"401 Unauthorized: password={marks.password('a password')}",
        f"failed to list *v1.Pod: Unauthorized {marks.token('a cut log line')[:150]}",
    ]
    scene.log(pod, [(scene.now(), line) for line in lines])
    await scene.event(pod, "FailedMount", f"failed to fetch token: {marks.token('an event')}")


async def terminal(*words: str, plane: Plane) -> bytes:
    """Everything that one command writes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *words,
        env=running.environment({"KUBECONFIG": str(plane.kubeconfig)}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return output


@pytest.mark.cluster
async def test_no_marked_token_leaves_the_bot(
    slack: SlackServer, plane: Plane, namespace: str, collected: Collected, start_bot: StartBot
) -> None:
    marks = collected.marks
    scene = Scene(plane, namespace)
    await planted(scene, marks)
    checks = {"exec": True, "probe": True, "read_secret_data": True}
    bot = await start_bot({"clusters": [{"name": "prod", "kubeconfig": str(plane.kubeconfig)}], "checks": checks})
    for target in (f"{namespace}/app", f"{namespace}/secret/checkout-token", f"{namespace}/sa/checkout"):
        await slack.command("/token", f"check {target}", user=p.ENGINEER, channel=p.INCIDENT)
    await slack.wait_for(lambda: len([m for m in slack.messages(p.INCIDENT) if m.history]) == 3, 60)
    assert "[token removed]" in json.dumps([m.blocks for m in slack.messages(p.INCIDENT)])
    assert await bot.stop() == 0
    routes = ("--exec", "--probe", "--secret-data")
    for output in ("text", "json"):
        said = await terminal("check", f"{namespace}/app", *routes, "-o", output, plane=plane)
        assert b"critical" in said.lower()
        collected.keep(said)
    collected.keep(
        await terminal("check", f"{namespace}/nowhere", "--debug", plane=plane),
        await terminal("decode", marks.token("an argument"), "--debug", plane=plane),
    )


@pytest.mark.parametrize("dress", ["plain", "url", "hex", "base64", "part", "segment"])
def test_the_search_finds_a_token_however_it_is_dressed(dress: str) -> None:
    marks = Marks()
    token = marks.token("planted")
    dressed = {
        "plain": token,
        "url": quote(f"https://x/?token={token}", safe=""),
        "hex": token.encode().hex(),
        "base64": base64.b64encode(f'{{"token":"{token}"}}'.encode()).decode(),
        "part": token[200:260],
        "segment": token.split(".")[1],
    }[dress]
    assert marks.found(f"some {dressed} text".encode()) == {"planted"}


@pytest.mark.parametrize("shift", range(3))
def test_the_search_finds_a_token_wherever_base64_begins(shift: int) -> None:
    marks = Marks()
    secret = marks.password("planted")
    assert marks.found(base64.b64encode(b"x" * shift + secret.encode() + b"y")) == {"planted"}
    assert Marks().found(secret.encode()) == set()


async def test_the_search_finds_what_people_send_to_the_bot(
    slack: SlackServer, marks: Marks, start_bot: StartBot
) -> None:
    """The same search, the other direction of the same traffic: there the marks are."""
    await start_bot()
    await slack.command("/token", f"check {marks.token('sent by a person')}", user=p.ENGINEER, channel=p.INCIDENT)
    await slack.wait_for(lambda: slack.ephemerals(p.ENGINEER), 15)
    sent = [record.data for record in slack.traffic.records if record.direction == "to_bot"]
    assert {name for data in sent for name in marks.found(data)} == {"sent by a person"}


def test_the_runs_are_collected(collected: Collected, tmp_path: Path) -> None:
    """What the fixtures of the other tests have gathered so far, searched as at the end."""
    assert collected.leaks() == set()
    collected.data.append(collected.marks.token("the control case").encode())
    assert collected.leaks() == {"the control case"}
    del collected.data[-1]
