"""Preflight on a real control plane: what it says of rights is so, and what it says to run really grants them."""

import shlex
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from functools import partial
from pathlib import Path

import pytest
import yaml

from bot.kube.client import connect
from bot.preflight.clusters import Asked, look
from bot.preflight.trial import Outcome, Trial
from config.settings import Settings, load
from tests.cluster.api import JsonObject
from tests.cluster.installed import kubectl
from tests.cluster.plane import Plane
from tests.cluster.users import SERVICE_ACCOUNT
from tests.cluster.waiting import eventually
from tests.scenarios.running import environment

GROUP = "S012USERGROUP"


def configured(folder: Path, namespaces: list[str]) -> Settings:
    """Everything that can be switched on; actions for these namespaces."""
    file = folder / "token-doctor.yaml"
    actions = ["restart-workload", "delete-pod", "create-token-secret", "delete-legacy-secret", "probe-token"]
    rule = {"actions": actions, "namespaces": namespaces, "requesters": [GROUP], "approvers": [GROUP]}
    checks = {"exec": True, "probe": True, "read_secret_data": True, "controller_probe": "token-doctor-probe"}
    file.write_text(yaml.safe_dump({"checks": checks, "policy": [rule]}))
    return load(file)


async def tried(kubeconfig: Path, settings: Settings) -> list[Trial]:
    """Every line about the cluster that does not hold."""
    asked = Asked(namespaces=(), program="token-doctor", seconds=30)
    found = await look("prod", partial(connect, "prod", kubeconfig=kubeconfig), settings, asked)
    assert found.trials[0].outcome is Outcome.OK
    return [trial for trial in found.trials if trial.outcome is not Outcome.OK]


async def printed(command: str) -> list[JsonObject]:
    """What the first half of a mend's command prints."""
    first, second = command.split(" | ")
    assert second == "kubectl apply -f -"
    program, *words = shlex.split(first)
    assert program == "token-doctor"
    process = await create_subprocess_exec(sys.executable, "-m", "bot", *words, env=environment({}), stdout=PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return [document for document in yaml.safe_load_all(out) if document]


async def applied(plane: Plane, documents: list[JsonObject], suffix: str) -> None:
    """Under names of the test's own: others of this control plane have roles of these names."""
    for document in documents:
        for named in (document["metadata"], document.get("roleRef", {})):
            if document["kind"] != "Namespace" and "name" in named:
                named["name"] += suffix
    await kubectl(plane, "apply", "-f", "-", stdin=yaml.safe_dump_all(documents))


@pytest.fixture
async def doctor(plane: Plane, namespace: str) -> tuple[str, Path]:
    """An account without any right, as the API server names it, and its kubeconfig."""
    user = f"{SERVICE_ACCOUNT}{namespace}:doctor"
    return user, await plane.users.kubeconfig_for(user, [])


async def test_an_account_without_rights_has_all_of_them_once_the_mends_are_run(
    plane: Plane, namespace: str, doctor: tuple[str, Path], tmp_path: Path
) -> None:
    settings = configured(tmp_path, ["*"])
    troubles = await tried(doctor[1], settings)
    names = [trial.text.partition(": ")[0].removeprefix("cluster prod, ") for trial in troubles]
    assert names[:2] == ["identity", "reading"]
    assert len(names) == 11
    assert {trial.outcome for trial in troubles} == {Outcome.FAILED}
    assert all(f"--service-account {namespace}/doctor | kubectl apply -f -" in trial.command for trial in troubles)
    for trial in troubles:
        await applied(plane, await printed(trial.command), f"-{namespace}")
    await eventually(lambda: tried(doctor[1], settings), lambda left: left == [], "every permission is there")


async def test_one_missing_right_is_named_and_its_mend_grants_that_and_no_more(
    plane: Plane, namespace: str, doctor: tuple[str, Path], tmp_path: Path
) -> None:
    """In the one namespace that the policy names: what is read everywhere is left as it is."""
    settings = configured(tmp_path, [namespace])
    account = f"--service-account {namespace}/doctor"
    given = await printed(f"token-doctor rbac --features probe,exec,controller-probe {account} | kubectl apply -f -")
    actions = "delete-pod,create-token-secret,delete-legacy-secret,probe-token"
    given += await printed(
        f"token-doctor rbac --features {actions} -n {namespace} --no-reading {account} | kubectl apply -f -"
    )
    await applied(plane, given, f"-{namespace}")
    reader = doctor[1]
    (trial,) = await eventually(lambda: tried(reader, settings), lambda left: len(left) == 1, "all but one is there")
    kinds = "deployments.apps, statefulsets.apps, daemonsets.apps"
    assert trial.text == (
        f"cluster prod, restart-workload: token-doctor may not patch {kinds} in namespace {namespace} (3 of 3)"
    )
    mend = await printed(trial.command)
    assert {(document["kind"], document["metadata"]["namespace"]) for document in mend} == {
        ("Role", namespace),
        ("RoleBinding", namespace),
    }
    await applied(plane, mend, f"-{namespace}")
    await eventually(lambda: tried(reader, settings), lambda left: left == [], "every permission is there")
    patch = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]}
    assert not await plane.users.allowed(doctor[0], patch, namespace="default")


async def test_a_person_s_own_kubeconfig_may_do_everything_and_is_told_who_it_is(plane: Plane, tmp_path: Path) -> None:
    asked = Asked(namespaces=(), program="token-doctor", seconds=30)
    way = partial(connect, "prod", kubeconfig=plane.kubeconfig)
    found = await look("prod", way, configured(tmp_path, ["*"]), asked)
    assert {trial.outcome for trial in found.trials} == {Outcome.OK}
    assert " answers, Kubernetes v1." in found.trials[0].text
    assert " and takes token-doctor for " in found.trials[0].text
    assert "kube-system" in (found.seen.namespaces or ())
    assert found.seen.dates
