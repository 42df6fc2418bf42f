"""Workloads run, and the kubelet serves their logs and commands as a real one, through the real API server."""

import asyncio
import datetime as dt
import json

import aiohttp
import jwt
import pytest
from kubernetes.aio import client as kubernetes_client
from kubernetes.aio import config as kubernetes_config
from kubernetes.aio.stream import WsApiClient

from tests.cluster.api import ApiError, JsonObject
from tests.cluster.kubelet.state import Container, ExecOutcome, Fault
from tests.cluster.plane import Plane
from tests.cluster.workloads import ANNOTATION, container_of, crash_looping, path_of

MOUNTED = "/var/run/secrets/kubernetes.io/serviceaccount"
START = dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC)


async def execute(plane: Plane, container: Container, argv: list[str]) -> tuple[bytes, bytes, JsonObject]:
    """Standard output, standard error and the final status, by the client that the bot uses."""
    configuration = kubernetes_client.Configuration()
    await kubernetes_config.load_kube_config(str(plane.kubeconfig), client_configuration=configuration)
    async with WsApiClient(configuration) as ws:
        call = kubernetes_client.CoreV1Api(ws).connect_get_namespaced_pod_exec_without_preload_content
        opened = await call(
            container.pod,
            container.namespace,
            container=container.name,
            command=argv,
            stdout=True,
            stderr=True,
            stdin=False,
            tty=False,
        )
        channels = {1: b"", 2: b"", 3: b""}
        async with opened as socket:
            async for message in socket:
                channels[message.data[0]] += message.data[1:]
    status: JsonObject = json.loads(channels[3])
    return channels[1], channels[2], status


async def logs(plane: Plane, container: Container, **options: str) -> str:
    path = f"/api/v1/namespaces/{container.namespace}/pods/{container.pod}/log"
    return await plane.api.text(path, {"container": container.name, **options})


async def test_a_pod_is_ready_and_mounts_its_token(plane: Plane, namespace: str) -> None:
    pod = await plane.workloads.run_pod(namespace)

    assert pod["status"]["containerStatuses"][0]["containerID"].startswith("containerd://")
    assert pod["spec"]["containers"][0]["volumeMounts"][0]["mountPath"] == MOUNTED


async def test_a_deployment_rolls_out(plane: Plane, namespace: str) -> None:
    deployment = await plane.workloads.deployment(namespace, "web", replicas=2)

    pods = await plane.workloads.pods_of(deployment)
    assert [pod["status"]["phase"] for pod in pods] == ["Running", "Running"]


@pytest.mark.parametrize(
    ("kind", "version", "more"), [("StatefulSet", "apps/v1", {"serviceName": "db"}), ("DaemonSet", "apps/v1", {})]
)
async def test_other_controllers_run_too(
    plane: Plane, namespace: str, kind: str, version: str, more: JsonObject
) -> None:
    labels = {"app": "db"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "db", "image": "db:1"}]}}
    spec = {"selector": {"matchLabels": labels}, "template": template, **more}
    workload = await plane.workloads.run(
        {"apiVersion": version, "kind": kind, "metadata": {"name": "db", "namespace": namespace}, "spec": spec}
    )

    assert await plane.workloads.pods_of(workload)


async def test_a_job_completes_unless_it_is_to_keep_running(plane: Plane, namespace: str) -> None:
    def job(name: str, annotations: dict[str, str]) -> JsonObject:
        pod = {"containers": [{"name": "app", "image": "job:1"}], "restartPolicy": "Never"}
        template = {"metadata": {"annotations": annotations}, "spec": pod}
        metadata = {"name": name, "namespace": namespace}
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}}

    lasting = await plane.workloads.create(job("lasting", {ANNOTATION: "running"}))
    await plane.workloads.run(job("short", {}))

    assert (await plane.api.get(path_of(lasting)))["status"].get("succeeded", 0) == 0


async def test_logs_are_served_with_every_option(plane: Plane, namespace: str) -> None:
    app = container_of(await plane.workloads.run_pod(namespace))
    assert await logs(plane, app) == ""
    plane.kubelet.set_logs(app, [(START + dt.timedelta(minutes=each), f"line {each}") for each in range(4)])

    assert await logs(plane, app) == "line 0\nline 1\nline 2\nline 3\n"
    assert await logs(plane, app, tailLines="2") == "line 2\nline 3\n"
    assert await logs(plane, app, tailLines="0") == ""
    assert await logs(plane, app, sinceTime="2026-11-22T13:03:00Z") == "line 3\n"
    assert await logs(plane, app, sinceSeconds="1", tailLines="3") == ""
    assert await logs(plane, app, limitBytes="9") == "line 0\nli"
    told = await logs(plane, app, timestamps="true", tailLines="1")
    assert told == "2026-11-22T13:03:00.000000000Z line 3\n"


async def test_the_last_instance_s_log_needs_a_last_instance(plane: Plane, namespace: str) -> None:
    pod = await plane.workloads.run_pod(namespace)
    app = container_of(pod)
    plane.kubelet.set_logs(app, [(START, "401 Unauthorized")], previous=True)
    with pytest.raises(ApiError, match='previous terminated container \\\\"app\\\\" in pod \\\\"app\\\\" not found'):
        await logs(plane, app, previous="true")

    looping = crash_looping(pod, restarts=5, exit_code=1, ended_at="2026-11-22T13:00:00Z")
    changed = await plane.workloads.set_container(pod, looping)

    assert changed["status"]["containerStatuses"][0]["restartCount"] == 5
    assert await logs(plane, app, previous="true") == "401 Unauthorized\n"


async def test_a_waiting_container_has_no_log(plane: Plane, namespace: str) -> None:
    pod = await plane.workloads.run_pod(namespace)
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff"}}}
    await plane.workloads.set_container(pod, waiting)

    with pytest.raises(ApiError, match="is waiting to start: trying and failing to pull image") as raised:
        await logs(plane, container_of(pod))
    assert raised.value.status == 400


async def test_the_kubelet_can_be_slow_or_broken(plane: Plane, namespace: str) -> None:
    pod = await plane.workloads.run_pod(namespace)
    app = container_of(pod)
    plane.kubelet.set_fault(app.namespace, app.pod, "logs", Fault(status=500, text="rpc error: no such container"))

    with pytest.raises(ApiError, match="rpc error: no such container") as raised:
        await logs(plane, app)
    assert raised.value.status == 500
    plane.kubelet.set_fault(app.namespace, app.pod, "logs", Fault(delay_seconds=30))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(logs(plane, app), 0.5)
    plane.kubelet.set_fault(app.namespace, app.pod, "logs", None)
    assert await logs(plane, app) == ""


async def test_the_api_server_s_own_log_is_its_pod_s(plane: Plane, namespace: str) -> None:
    claims = await plane.tokens.bound_claims(namespace, "default")
    expired = plane.tokens.sign({**claims, "exp": claims["iat"] - 3600})
    assert await plane.tokens.authenticate(expired) == 401

    log = await logs(plane, Container("kube-system", "kube-apiserver-control-plane", "kube-apiserver"), tailLines="50")
    assert '"Unable to authenticate the request" err="[invalid bearer token, service account token has expired]"' in log


async def test_a_command_prints_what_a_test_has_set(plane: Plane, namespace: str) -> None:
    app = container_of(await plane.workloads.run_pod(namespace))
    text = "ü" * 40_000  # more than one frame, and a character split between two
    plane.kubelet.set_exec(app, ExecOutcome(["env"], stdout=text, stderr="warned\n", exit_code=3))

    stdout, stderr, status = await execute(plane, app, ["env"])

    assert stdout.decode() == text
    assert stderr == b"warned\n"
    assert status["reason"] == "NonZeroExitCode"
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]


async def test_a_command_that_is_not_there(plane: Plane, namespace: str) -> None:
    app = container_of(await plane.workloads.run_pod(namespace))
    plane.kubelet.set_exec(app, ExecOutcome(None, executable_found=False))

    stdout, stderr, status = await execute(plane, app, ["cat", f"{MOUNTED}/token"])

    assert (stdout, stderr) == (b"", b"")
    assert status["code"] == 500
    assert 'exec: "cat": executable file not found in $PATH' in status["message"]


async def test_exec_may_fail_in_the_kubelet(plane: Plane, namespace: str) -> None:
    app = container_of(await plane.workloads.run_pod(namespace))
    plane.kubelet.set_fault(app.namespace, app.pod, "exec", Fault(status=500, text="container not found"))

    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        await execute(plane, app, ["cat", "x"])
    assert raised.value.status == 500


async def test_the_mounted_token_is_real_and_kept_until_refreshed(plane: Plane, namespace: str) -> None:
    pod = await plane.workloads.run_pod(namespace)
    cat = ["cat", f"{MOUNTED}/token"]

    first, _, status = await execute(plane, container_of(pod), cat)

    assert status == {"status": "Success"}
    assert (await plane.tokens.review(first.decode()))["authenticated"] is True
    claims = jwt.decode(first, options={"verify_signature": False})
    assert claims["kubernetes.io"]["pod"] == {"name": "app", "uid": pod["metadata"]["uid"]}
    assert claims["kubernetes.io"]["warnafter"] == claims["iat"] + 3607
    assert (await execute(plane, container_of(pod), cat))[0] == first
    plane.kubelet.refresh_tokens(pod["metadata"]["uid"])
    assert (await execute(plane, container_of(pod), cat))[0] != first


async def test_a_token_is_minted_at_the_pod_s_start(plane: Plane, namespace: str) -> None:
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    await plane.api.post(accounts, {"metadata": {"name": "shop"}})
    pod = await plane.workloads.run_pod(namespace, spec={"serviceAccountName": "shop"})
    await plane.api.delete(f"{accounts}/shop")
    await plane.api.post(accounts, {"metadata": {"name": "shop"}})

    token, _, _ = await execute(plane, container_of(pod), ["cat", f"{MOUNTED}/token"])

    assert "service account UID" in (await plane.tokens.review(token.decode()))["error"]


async def test_a_refresh_that_fails_leaves_the_old_token(plane: Plane, namespace: str) -> None:
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts/short"
    await plane.api.post(account.removesuffix("/short"), {"metadata": {"name": "short"}})
    pod = await plane.workloads.run_pod(namespace, spec={"serviceAccountName": "short"})
    cat = ["cat", f"{MOUNTED}/token"]
    first, _, _ = await execute(plane, container_of(pod), cat)
    await plane.api.delete(account)

    plane.kubelet.refresh_tokens(pod["metadata"]["uid"])

    assert (await execute(plane, container_of(pod), cat))[0] == first


async def test_files_of_volumes(plane: Plane, namespace: str) -> None:
    secret = {"metadata": {"name": "old"}, "stringData": {"token": "from the secret"}}
    await plane.api.post(f"/api/v1/namespaces/{namespace}/secrets", secret)
    vault = {"serviceAccountToken": {"audience": "vault", "expirationSeconds": 700, "path": "vault-token"}}
    spec = {
        "volumes": [
            {"name": "old", "secret": {"secretName": "old"}},
            {"name": "vault", "projected": {"sources": [vault]}},
        ],
        "containers": [
            {
                "name": "app",
                "image": "shop:1",
                "volumeMounts": [
                    {"name": "old", "mountPath": "/old"},
                    {"name": "vault", "mountPath": "/vault"},
                    {"name": "vault", "mountPath": "/one", "subPath": "vault-token"},
                ],
            }
        ],
    }
    pod = await plane.workloads.run_pod(namespace, spec=spec)
    app = container_of(pod)

    async def cat(path: str) -> str:
        return (await execute(plane, app, ["cat", path]))[0].decode()

    assert await cat("/old/token") == "from the secret"
    assert await cat(f"{MOUNTED}/namespace") == namespace
    assert (await cat(f"{MOUNTED}/ca.crt")).startswith("-----BEGIN CERTIFICATE-----")
    fixed = await cat("/one")
    claims = jwt.decode(await cat("/vault/vault-token"), options={"verify_signature": False})
    assert claims["aud"] == ["vault"]
    assert claims["exp"] - claims["iat"] == 700
    plane.kubelet.refresh_tokens(pod["metadata"]["uid"])
    assert jwt.decode(await cat("/vault/vault-token"), options={"verify_signature": False})["jti"] != claims["jti"]
    assert await cat("/one") == fixed  # a subPath mount is never updated
    _, stderr, status = await execute(plane, app, ["cat", "/vault/none"])
    assert stderr == b"cat: /vault/none: No such file or directory\n"
    assert status["details"]["causes"][0]["message"] == "1"


async def test_kubectl_execs_over_the_newer_protocol(plane: Plane, namespace: str) -> None:
    await plane.workloads.run_pod(namespace)
    kubectl = await asyncio.create_subprocess_exec(
        plane.binaries / "kubectl",
        f"--kubeconfig={plane.kubeconfig}",
        f"--namespace={namespace}",
        "exec",
        "app",
        "--",
        "cat",
        "/nonesuch",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )

    _, stderr = await kubectl.communicate()

    assert stderr.startswith(b"cat: /nonesuch: No such file or directory")
    assert kubectl.returncode == 1
