"""Logs: which runs are read, that the newest lines are kept, and how a line is taken apart."""

from datetime import UTC, datetime

import pytest
from aiohttp import web

from bot.diagnosis import diagnose
from bot.kube.client import Cluster
from bot.kube.facets import logs as module
from bot.kube.facets.gather import gather
from bot.model import CheckStatus, ContainerLog, GapKind, ObjectRef, Routes, Snapshot, Verdict
from tests.unit.kube import fake_api
from tests.unit.kube.fake_api import (
    CONTROL_PLANE_PATH,
    LOG_PATH,
    NAMESPACE,
    POD,
    POD_PATH,
    Answer,
    FakeApi,
    component,
    hangs,
    listed,
    refuses,
    says,
)

REF = ObjectRef(cluster="here", api_version="v1", kind="Pod", namespace=NAMESPACE, name=POD)
STAMP = "2026-11-22T13:00:0"
RUNNING = {"running": {"startedAt": "2026-11-22T13:00:00Z"}}
WAITING = {"waiting": {"reason": "CrashLoopBackOff"}}


async def snapshot(cluster: Cluster, lines: int = 100) -> Snapshot:
    return await gather(
        cluster,
        REF,
        routes=Routes(),
        deadline_seconds=10,
        log_lines=lines,
        others=[],
        now=lambda: datetime(2026, 11, 22, 13, 5, tzinfo=UTC),
    )


async def logs(cluster: Cluster, lines: int = 100) -> tuple[ContainerLog, ...]:
    return (await snapshot(cluster, lines)).logs.read()


async def test_a_line_is_its_time_and_its_text(api: FakeApi, cluster: Cluster) -> None:
    api.on(LOG_PATH, says(f"{STAMP}1.123456789Z a b\r\n{STAMP}2+02:00 \x0b\u2028 c\nno time\n".encode()))

    (log,) = await logs(cluster)

    assert [line.text for line in log.lines] == ["a b", "\x0b\u2028 c", "no time"]
    assert log.lines[0].at == datetime(2026, 11, 22, 13, 0, 1, 123456, tzinfo=UTC)
    assert log.lines[1].at == datetime(2026, 11, 22, 11, 0, 2, tzinfo=UTC)
    assert log.lines[2].at is None
    assert not log.truncated


async def test_a_long_line_is_cut_and_bytes_that_are_no_text_do_no_harm(api: FakeApi, cluster: Cluster) -> None:
    api.on(LOG_PATH, says(f"{STAMP}1Z ".encode() + b"x" * 5000 + b"\n" + f"{STAMP}2Z ".encode() + b"\xff\xfe!\n"))

    (log,) = await logs(cluster)

    assert len(log.lines[0].text) == 2000
    assert log.lines[1].text.endswith("!")


async def test_as_many_lines_as_asked_for_means_there_may_be_older_ones(api: FakeApi, cluster: Cluster) -> None:
    api.on(LOG_PATH, says(f"{STAMP}1Z a\n{STAMP}2Z b\n".encode()))

    assert (await logs(cluster, lines=2))[0].truncated
    assert not (await logs(cluster, lines=3))[0].truncated
    assert api.asked(LOG_PATH)[0].query["tailLines"] == "2"
    assert api.asked(LOG_PATH)[0].query["timestamps"] == "true"


async def test_of_too_long_a_log_the_newest_lines_are_kept(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 1000)
    api.on(LOG_PATH, says("".join(f"{STAMP}1Z line {each}\n" for each in range(5000)).encode()))

    (log,) = await logs(cluster, lines=10_000)

    assert log.lines[-1].text == "line 4999"
    assert len(log.lines) < 50
    assert log.truncated


async def test_every_run_of_every_container_that_ever_ran_is_read(api: FakeApi, cluster: Cluster) -> None:
    status = {
        "initContainerStatuses": [{"name": "init", "state": {"terminated": {"exitCode": 0}}}],
        "containerStatuses": [
            {"name": "steady", "state": RUNNING},
            {"name": "crashing", "restartCount": 3, "state": WAITING},
            {"name": "never", "state": {"waiting": {"reason": "ContainerCreating"}}},
        ],
    }
    api.on(POD_PATH, says(fake_api.pod(status=status)))

    found = {(log.container, log.previous) for log in await logs(cluster)}

    assert found == {("init", False), ("steady", False), ("crashing", False), ("crashing", True)}
    previous = [request.query["container"] for request in api.asked(LOG_PATH) if "previous" in request.query]
    assert previous == ["crashing"]


async def test_a_run_that_is_no_longer_kept_has_no_lines_and_is_no_gap(api: FakeApi, cluster: Cluster) -> None:
    api.on(LOG_PATH, refuses(400, 'previous terminated container "app" not found'))
    assert await logs(cluster) == ()


async def test_a_kubelet_that_cannot_be_reached_is_a_gap(api: FakeApi, cluster: Cluster) -> None:
    api.on(LOG_PATH, refuses(500, 'Get "https://10.0.0.9:10250/containerLogs": dial tcp: connection refused'))

    gap = (await snapshot(cluster)).logs.gap

    assert gap is not None
    assert gap.kind is GapKind.UNAVAILABLE
    assert "connection refused" in gap.reason


async def test_a_log_that_the_kubelet_lost_is_a_gap(api: FakeApi, cluster: Cluster) -> None:
    api.on(LOG_PATH, says(b"unable to retrieve container logs for containerd://4f1a"))

    gap = (await snapshot(cluster)).logs.gap

    assert gap is not None
    assert gap.kind is GapKind.UNAVAILABLE


async def test_of_the_api_server_s_log_only_the_lines_about_tokens_are_kept(api: FakeApi, cluster: Cluster) -> None:
    line = f'{STAMP}1Z E1122 authentication.go:75] "Unable to authenticate the request" err="…"'
    path = "/api/v1/namespaces/kube-system/pods/kube-apiserver-a/log"
    api.on(path, says(f"{STAMP}1Z I1122 handler.go:1] other\n{line}\n".encode()))

    (log,) = (await snapshot(cluster)).api_server_logs.read()

    assert log.pod == "kube-apiserver-a"
    assert [entry.text for entry in log.lines] == [line.partition(" ")[2]]


# --- some of them cannot be read ----------------------------------------------------------------------------


def of_container(**answers: Answer) -> Answer:
    """The answers by the name of the container whose log is asked for."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await answers[request.query["container"]](request)

    return answer


def two_containers() -> Answer:
    statuses = [{"name": name, "state": RUNNING} for name in ("app", "sidecar")]
    return says(fake_api.pod(status={"containerStatuses": statuses}))


async def test_one_container_s_unreadable_log_does_not_hide_the_other_s(api: FakeApi, cluster: Cluster) -> None:
    api.on(POD_PATH, two_containers())
    lost = says(b"unable to retrieve container logs for containerd://4f1a")
    api.on(LOG_PATH, of_container(app=says(f"{STAMP}1Z a\n".encode()), sidecar=lost))

    found = (await snapshot(cluster)).logs

    assert [log.container for log in found.read()] == ["app"]
    assert found.missing is not None
    assert found.missing.kind is GapKind.UNAVAILABLE
    assert found.missing.reason.startswith("the log of container sidecar was not read: ")


async def test_a_log_that_hangs_does_not_hide_the_others(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.6)
    api.on(POD_PATH, two_containers())
    api.on(LOG_PATH, of_container(app=says(f"{STAMP}1Z a\n".encode()), sidecar=hangs))

    found = (await snapshot(cluster)).logs

    assert [log.container for log in found.read()] == ["app"]
    assert found.missing is not None
    assert found.missing.kind is GapKind.TIMED_OUT


async def test_of_several_api_servers_the_readable_logs_are_kept(api: FakeApi, cluster: Cluster) -> None:
    servers = [component("kube-apiserver", suffix=suffix) for suffix in "abc"]
    api.on(CONTROL_PLANE_PATH, says(listed(*servers)))
    line = f'{STAMP}1Z E1122 authentication.go:75] "Unable to authenticate the request" err="…"\n'
    api.on(f"{CONTROL_PLANE_PATH}/kube-apiserver-a/log", refuses(500, "dial tcp 10.0.0.9:10250: i/o timeout"))
    api.on(f"{CONTROL_PLANE_PATH}/kube-apiserver-b/log", says(line.encode()))
    api.on(f"{CONTROL_PLANE_PATH}/kube-apiserver-c/log", refuses(500, "dial tcp 10.0.0.10:10250: i/o timeout"))

    found = (await snapshot(cluster)).api_server_logs

    assert [log.pod for log in found.read()] == ["kube-apiserver-b"]
    assert found.missing is not None
    assert "kube-apiserver-a (and 1 more) was not read" in found.missing.reason


async def test_what_a_log_that_was_not_read_might_hold_keeps_checks_from_passing(
    api: FakeApi, cluster: Cluster
) -> None:
    api.on(POD_PATH, two_containers())
    quiet, refused = says(f"{STAMP}1Z GET /cart 200\n".encode()), refuses(500, "dial tcp: i/o timeout")

    api.on(LOG_PATH, of_container(app=quiet, sidecar=refused))
    report = diagnose(await snapshot(cluster))
    results = {result.name: result for result in report.checks}
    assert results["api-unauthorized"].status is CheckStatus.SKIPPED
    assert results["api-unauthorized"].reason.startswith("logs: the log of container sidecar was not read")
    assert report.verdict is Verdict.UNKNOWN

    said = says(f"{STAMP}1Z failed to list *v1.Pod: Unauthorized\n".encode())
    api.on(LOG_PATH, of_container(app=said, sidecar=refused))
    report = diagnose(await snapshot(cluster))
    assert "api-unauthorized" in {finding.code for finding in report.findings}
    assert "logs" in {gap.facet for gap in report.gaps}
