"""What people will notice of a rollout, in words."""

import json
from typing import Any

import msgspec
import pytest

from bot.actions.disruption import risk, sentence
from bot.kube.rollout import Workload, rollout
from bot.model import Risk

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtYXJrIn0.c2lnbmF0dXJl"


def workload(kind: str, *, spec: dict[str, Any], status: dict[str, Any] | None = None, generation: int = 1) -> Workload:
    manifest = {
        "metadata": {"name": "web", "uid": "u", "generation": generation},
        "spec": {"template": {"spec": {}}, **spec},
        "status": status or {},
    }
    return msgspec.structs.replace(msgspec.json.decode(json.dumps(manifest), type=Workload), kind=kind)


def deployment(replicas: int, **rolling: int | str) -> Workload:
    return workload("Deployment", spec={"replicas": replicas, "strategy": {"rollingUpdate": rolling}})


@pytest.mark.parametrize(
    ("found", "words", "risky"),
    [
        (deployment(1), "Rolling: 1 pod is replaced, one at a time, each only when", Risk.LOW),
        (deployment(3), "Rolling: 3 pods are replaced, one at a time, each only when a new one is ready", Risk.LOW),
        (deployment(10), "Rolling: of 10 pods at least 8 keep answering meanwhile.", Risk.LOW),
        (deployment(2, maxUnavailable=1, maxSurge=0), "of 2 pods at least 1 keeps answering meanwhile.", Risk.LOW),
        (deployment(1, maxUnavailable=0, maxSurge=0), "of 1 pod at least 0 keep answering", Risk.MEDIUM),
        (deployment(4, maxUnavailable="100%"), "of 4 pods at least 0 keep answering", Risk.MEDIUM),
        (deployment(8, maxUnavailable=0, maxSurge="50%"), "8 pods are replaced, 4 at a time", Risk.LOW),
        (deployment(1, maxUnavailable=0, maxSurge=3), "1 pod is replaced, one at a time", Risk.LOW),
        (
            workload("Deployment", spec={"replicas": 2, "strategy": {"type": "Recreate"}}),
            "Strategy Recreate: 2 pods are stopped before any new one is made, so nobody answers meanwhile.",
            Risk.MEDIUM,
        ),
        (
            workload("StatefulSet", spec={"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 1}}}),
            "in order, one at a time: that many are missing meanwhile; those numbered below 1 stay as they are",
            Risk.LOW,
        ),
        (workload("StatefulSet", spec={"replicas": 1}), "one at a time", Risk.MEDIUM),
        (
            workload("DaemonSet", spec={}, status={"desiredNumberScheduled": 3}),
            "It runs on 3 nodes; pods are replaced one at a time: that many nodes are without it.",
            Risk.MEDIUM,
        ),
        (
            workload(
                "DaemonSet",
                spec={"updateStrategy": {"rollingUpdate": {"maxSurge": "50%"}}},
                status={"desiredNumberScheduled": 4},
            ),
            "replaced 2 at a time: a new one is made beside each before it goes.",
            Risk.MEDIUM,
        ),
    ],
)
def test_what_people_will_notice(found: Workload, words: str, risky: Risk) -> None:
    assert words in sentence(found)
    assert risk(found) is risky


def test_the_fingerprint_is_of_the_template_alone() -> None:
    own = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z", "token-doctor.io/request": "r-1"}
    container = {"name": "app", "env": [{"name": "TOKEN", "value": TOKEN}]}
    labels = {"app": "web"}
    plain = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    restarted = {"spec": {"containers": [container]}, "metadata": {"annotations": own, "labels": {"app": "web"}}}
    noted = {**plain, "metadata": {"labels": labels, "annotations": {"team": "shop"}}}
    one, two, three = (
        workload("Deployment", spec={"replicas": count, "template": template}, generation=count)
        for count, template in ((1, plain), (2, restarted), (1, noted))
    )
    assert one.fingerprint == two.fingerprint != three.fingerprint
    assert TOKEN not in repr(two) + two.fingerprint
    assert two.template.metadata.annotations.request == "r-1"


@pytest.mark.parametrize(
    ("kind", "status", "underway", "complete"),
    [
        ("Deployment", {"observedGeneration": 1}, True, False),
        ("Deployment", {"replicas": 2, "updatedReplicas": 1, "availableReplicas": 2}, True, False),
        ("Deployment", {"replicas": 3, "updatedReplicas": 2, "availableReplicas": 3}, True, False),
        ("Deployment", {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}, False, False),
        ("Deployment", {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, False, True),
        ("StatefulSet", {"updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b"}, True, False),
        ("StatefulSet", {"updatedReplicas": 1, "currentRevision": "a", "updateRevision": "a"}, False, False),
        (
            "StatefulSet",
            {"updatedReplicas": 2, "availableReplicas": 2, "currentRevision": "b", "updateRevision": "b"},
            False,
            True,
        ),
        ("DaemonSet", {"desiredNumberScheduled": 2, "updatedNumberScheduled": 1}, True, False),
        ("DaemonSet", {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}, False, True),
    ],
)
def test_how_far_a_rollout_is(kind: str, status: dict[str, Any], *, underway: bool, complete: bool) -> None:
    found = workload(kind, spec={"replicas": 2}, status={"observedGeneration": 2, **status}, generation=2)
    stage = rollout(found)
    assert (stage.is_underway, stage.is_complete) == (underway, complete)
