"""token-doctor as deploy/ installs it, with every feature switched on."""

import asyncio
import fcntl
import re
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import yaml

from bot.kube.roles import READING
from tests.cluster.api import Api, ApiError, JsonObject
from tests.cluster.plane import Plane
from tests.cluster.users import SERVICE_ACCOUNT
from tests.cluster.waiting import eventually

DEPLOY = Path(__file__).parents[2] / "deploy"
HOME = "token-doctor"
PROBES = "token-doctor-probe"
ACCOUNT = f"{SERVICE_ACCOUNT}{HOME}:token-doctor"
DRY_RUN = {"dryRun": "All"}


async def kubectl(plane: Plane, *words: str, stdin: str = "") -> str:
    """The administrator's; AssertionError with what it said where it failed."""
    process = await asyncio.create_subprocess_exec(
        plane.binaries / "kubectl",
        f"--kubeconfig={plane.kubeconfig}",
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(stdin.encode())
    assert process.returncode == 0, f"kubectl {' '.join(words)}: {err.decode()}"
    return out.decode()


def everything(folder: Path) -> Path:
    """A copy of deploy/base with every commented feature switched on."""
    copy = folder / "deploy"
    shutil.copytree(DEPLOY, copy)
    switches = copy / "rbac" / "kustomization.yaml"
    switches.write_text(re.sub(r"^  # - ", "  - ", switches.read_text(), flags=re.MULTILINE))
    return copy / "base"


async def install(plane: Plane, folder: Path) -> Path:
    """Installs it once for all tests of this control plane; returns the kubeconfig of its account."""
    with (plane.layout.folder / "installed.lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        built = await kubectl(plane, "kustomize", str(everything(folder)))
        await kubectl(plane, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=built)
        kubeconfig = await plane.users.kubeconfig_for(ACCOUNT, [])
    await eventually(lambda: _refused(unbounded(plane)), bool, "the admission policy holds")
    return kubeconfig


def unbounded(plane: Plane) -> Api:
    """Its account with every right there is: only the admission policy is left to stop it."""
    return replace(plane.api, extra_headers={"Impersonate-User": ACCOUNT, "Impersonate-Group": "system:masters"})


async def with_features(plane: Plane, user: str, features: Iterable[str]) -> Path:
    """The kubeconfig of somebody with just what the features' files grant, and what every check reads."""
    for feature in (READING, *features):
        for document in yaml.safe_load_all((DEPLOY / "rbac" / f"{feature}.yaml").read_text()):
            if document["kind"] in {"Role", "ClusterRole"}:
                where = document["metadata"].get("namespace")
                await plane.users.grant(user, document["rules"], namespace=where)
    return await plane.users.kubeconfig_for(user, [])


async def _refused(bot: Api) -> bool:
    manifest: JsonObject = {"metadata": {"name": "is-the-policy-there"}}
    try:
        await bot.post("/api/v1/namespaces/default/configmaps", manifest, DRY_RUN)
    except ApiError as error:
        return "denied request: token-doctor never does this" in error.text
    return False
