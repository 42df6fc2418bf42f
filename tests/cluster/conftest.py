"""A real control plane as fixtures: etcd, kube-apiserver, controller manager, scheduler, kwok and a kubelet of our own.

Fixtures: `plane` (one for the whole run, shared by xdist's workers), `old_plane` (the same with Kubernetes 1.30),
`namespace` (a fresh one of `plane` for the test) and `private_plane`
(`await private_plane({"kube-apiserver": {"v": "4"}})`: whole control planes of the test's own, with changed flags;
only these may be stopped). Everything under tests/cluster gets the marker `cluster`.

    pod = await plane.workloads.run_pod(namespace, "web", spec={"serviceAccountName": "default"})    # Running, Ready
    app = container_of(pod)                                     # tests.cluster.workloads
    plane.kubelet.set_logs(app, [(moment, "GET /api 401 Unauthorized")], previous=False)
    plane.kubelet.set_exec(app, ExecOutcome(["cat", "/token"], stdout="…"))       # tests.cluster.kubelet.state
    await plane.workloads.set_container(pod, crash_looping(pod, restarts=5, exit_code=1, ended_at="…Z"))
    await plane.etcd.age(path_of(pod), by=timedelta(hours=3))   # as if it had stood there for hours
    claims = await plane.tokens.bound_claims(namespace, "default", pod=pod)
    expired = plane.tokens.sign({**claims, "exp": claims["exp"] - 7200})
    assert await plane.tokens.authenticate(expired) == 401      # the API server logs why
    assert "expired" in (await plane.tokens.review(expired))["error"]
    fresh = await plane.tokens.mint(namespace, "default", audiences=["vault"], bound_to=pod)
    config = await plane.users.kubeconfig_for("alice", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])
    await plane.api.get("/api/v1/namespaces/…")                 # the administrator; plane.kubeconfig is theirs

`cat FILE` in a container gives what its volumes hold: a projected token is really minted, bound to the pod. Other
commands are not found unless set. kwok makes pods ready at once; the annotation `token-doctor.test/status: by-hand`
on a pod leaves its status to the test. Nodes: control-plane, worker-1, worker-2; for a node of the test's own:
`plane.create_node`, `delay_node_clock`, `stop_node`.
"""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from tests.cluster import binaries, launch, network
from tests.cluster.api import ApiError
from tests.cluster.layout import LOOPBACK, Layout
from tests.cluster.plane import MakePlane, Plane, opened
from tests.cluster.supervise import Changes, Wanted

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)


def cannot(why: str) -> NoReturn:
    """Skips with a line that says what to install; where CI=true, a machine that cannot is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


def _built(request: pytest.FixtureRequest, build: binaries.Build) -> Path:
    capture = request.config.pluginmanager.getplugin("capturemanager")
    try:
        with capture.global_and_fixture_disabled():
            return binaries.ensure(build)
    except binaries.CannotBuildError as error:
        cannot(str(error))


@pytest.fixture(scope="session")
def control_plane_binaries(request: pytest.FixtureRequest) -> Path:
    """The folder with kube-apiserver, kubectl and the others; built the first time."""
    return _built(request, binaries.PRESENT)


@pytest.fixture(scope="session")
def old_control_plane_binaries(request: pytest.FixtureRequest) -> Path:
    """The same with an older kube-apiserver and kube-controller-manager."""
    return _built(request, binaries.OLD)


@asynccontextmanager
async def _shared(programs: Path, name: str, temporary: pytest.TempPathFactory) -> AsyncIterator[Plane]:
    """One for the whole run: all tests and workers share it."""
    base, served = temporary.getbasetemp(), os.getpid()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base, served = base.parent, os.getppid()
    layout = launch.shared(base / name, served, Wanted(programs))
    async with opened(layout, programs, private=False) as found:
        yield found


@pytest.fixture(scope="session")
async def plane(control_plane_binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plane]:
    """The run's one control plane."""
    async with _shared(control_plane_binaries, "control-plane", tmp_path_factory) as found:
        yield found


@pytest.fixture(scope="session")
async def old_plane(old_control_plane_binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plane]:
    """The run's older one."""
    async with _shared(old_control_plane_binaries, "control-plane-1.30", tmp_path_factory) as found:
        yield found


@pytest.fixture
async def namespace(plane: Plane) -> AsyncIterator[str]:
    """A namespace of the test's own."""
    name = await plane.create_namespace()
    yield name
    try:
        await plane.api.delete(f"/api/v1/namespaces/{name}")
    except ApiError as error:
        if error.status not in (404, 409):  # the test may have deleted it
            raise


@pytest.fixture
def own_address() -> Iterator[str]:
    """An address that API servers can publish: on a network of the test's own."""
    try:
        with network.own_network() as address:
            yield address
    except network.CannotMakeNetworkError as error:
        cannot(str(error))


@pytest.fixture
async def private_plane(control_plane_binaries: Path, tmp_path: Path) -> AsyncIterator[MakePlane]:
    """Makes control planes of the test's own."""
    numbers = itertools.count(1)
    async with AsyncExitStack() as stack:

        async def make(changes: Changes | None = None, *, address: str = LOOPBACK) -> Plane:
            layout = Layout(tmp_path / f"control-plane-{next(numbers)}")
            wanted = Wanted(control_plane_binaries, changes or {}, address)
            supervisor = await asyncio.to_thread(launch.start, layout, os.getpid(), wanted)
            stack.push_async_callback(asyncio.to_thread, launch.stop, supervisor)
            return await stack.enter_async_context(opened(layout, control_plane_binaries, private=True))

        yield make
