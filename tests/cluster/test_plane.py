"""The rarer helpers: ages, clocks, identities, private control planes, a second API server."""

import asyncio
import base64
import datetime as dt
from pathlib import Path

import jwt
import pytest

from tests.cluster.api import ApiError, JsonObject
from tests.cluster.plane import MakePlane, Plane
from tests.cluster.second import second_api_server
from tests.cluster.waiting import eventually
from tests.cluster.workloads import path_of

DAY = dt.timedelta(days=1)


def when(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


async def test_an_object_is_made_older(plane: Plane, namespace: str) -> None:
    pod = await plane.workloads.run_pod(namespace)

    aged = await plane.etcd.age(path_of(pod), DAY)

    created, started = pod["metadata"]["creationTimestamp"], pod["status"]["startTime"]
    assert when(created) - when(aged["metadata"]["creationTimestamp"]) == DAY
    assert when(started) - when(aged["status"]["startTime"]) == DAY
    running = aged["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
    assert when(running) - when(aged["status"]["startTime"]) < DAY
    assert all(when(each["time"]) < when(created) for each in aged["metadata"]["managedFields"])
    assert aged["spec"] == pod["spec"]
    listed = await plane.api.get(f"/api/v1/namespaces/{namespace}/pods", {"resourceVersion": "0"})
    assert [each["metadata"]["creationTimestamp"] for each in listed["items"]] == [
        aged["metadata"]["creationTimestamp"]
    ]
    patched = await plane.api.patch(path_of(pod), {"metadata": {"labels": {"still": "writable"}}})
    assert patched["metadata"]["creationTimestamp"] == aged["metadata"]["creationTimestamp"]


@pytest.mark.parametrize("resource", ["serviceaccounts/default", "configmaps/kube-root-ca.crt"])
async def test_other_kinds_age_too(plane: Plane, namespace: str, resource: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/{resource}"
    before = (await plane.api.get(path))["metadata"]["creationTimestamp"]

    assert when((await plane.etcd.age(path, DAY))["metadata"]["creationTimestamp"]) == when(before) - DAY


async def test_a_node_s_clock_is_behind(plane: Plane, namespace: str) -> None:
    node = f"late-{namespace}"
    await plane.create_node(node)
    await plane.workloads.run_pod(namespace, spec={"nodeName": node})
    lease = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node}"

    async def lag() -> dt.timedelta:
        found = await plane.api.get(lease)
        (managed,) = found["metadata"]["managedFields"]
        assert managed["manager"] == "kubelet"
        return when(managed["time"]) - when(found["spec"]["renewTime"])

    assert abs(await lag()) < dt.timedelta(minutes=1)
    await plane.delay_node_clock(node, dt.timedelta(minutes=20))
    assert dt.timedelta(minutes=19) < await lag() < dt.timedelta(minutes=21)
    await plane.api.delete(f"/api/v1/nodes/{node}")


async def test_a_node_dies(plane: Plane, namespace: str) -> None:
    name = f"down-{namespace}"
    await plane.create_node(name)
    pod = await plane.workloads.run_pod(namespace, spec={"nodeName": name})

    node = await plane.stop_node(name)

    (condition,) = (each for each in node["status"]["conditions"] if each["type"] == "Ready")
    assert condition["status"] == "Unknown"
    with pytest.raises(ApiError, match="connection refused"):
        await plane.api.text(f"{path_of(pod)}/log")
    await plane.api.delete(path_of(node))


@pytest.mark.parametrize("user", ["alice-{}", "system:serviceaccount:{}:bot"])
async def test_an_identity_has_exactly_its_rules(plane: Plane, namespace: str, user: str) -> None:
    rules: list[JsonObject] = [{"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]}]
    path = await plane.users.kubeconfig_for(user.format(namespace), rules, namespace=namespace)

    assert (await kubectl(plane, path, "get", "pods", "-n", namespace))[0] == 0
    refused = await kubectl(plane, path, "get", "secrets", "-n", namespace)
    assert "cannot list resource" in refused[1]
    assert "cannot list resource" in (await kubectl(plane, path, "get", "pods", "-n", "default"))[1]


async def test_a_shared_control_plane_is_not_stopped(plane: Plane) -> None:
    with pytest.raises(PermissionError, match="private_plane"):
        await plane.stop("kube-apiserver")


async def test_without_a_key_no_token_secret_is_filled(private_plane: MakePlane) -> None:
    keyless = {"service-account-private-key-file": None}
    plane = await private_plane({"kube-controller-manager": keyless})
    namespace = await plane.create_namespace()
    secret = await plane.workloads.create(token_secret(namespace))
    log = await plane.api.text(
        "/api/v1/namespaces/kube-system/pods/kube-controller-manager-control-plane/log", {"tailLines": "5000"}
    )
    assert '"Controller is disabled because there is no private key" logger="serviceaccount-token-controller"' in log
    assert "data" not in await plane.api.get(path_of(secret))

    key = str(plane.layout.signing_key.private)
    await plane.start("kube-controller-manager", {"service-account-private-key-file": key})

    await filled(plane, secret)
    # another key than the API server's: filled, and refused
    foreign = str(plane.layout.foreign_signing_key.private)
    await plane.start("kube-controller-manager", {"service-account-private-key-file": foreign})
    token = await filled(plane, await plane.workloads.create(token_secret(namespace, "other")))
    assert "no keys found" in (await plane.tokens.review(token))["error"]


async def test_the_api_server_may_go_away_and_come_back(private_plane: MakePlane) -> None:
    plane = await private_plane()
    await plane.stop("kube-apiserver")
    with pytest.raises(OSError, match="Cannot connect"):
        await plane.api.get("/api")

    await plane.start("kube-apiserver", {"service-account-max-token-expiration": "2h"})

    token = await plane.tokens.mint("default", "default", expiration_seconds=10 * 3600)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 2 * 3600
    pod = await plane.api.get("/api/v1/namespaces/kube-system/pods/kube-apiserver-control-plane")
    assert "--service-account-max-token-expiration=2h" in pod["spec"]["containers"][0]["command"]


async def test_two_api_servers_disagree_about_the_keys(private_plane: MakePlane, own_address: str) -> None:
    plane = await private_plane(address=own_address)
    async with second_api_server(plane) as second:
        tokens = plane.tokens.at(second)
        ours, theirs = await plane.tokens.mint("default", "default"), await tokens.mint("default", "default")

        assert await plane.tokens.authenticate(ours) == 200
        assert await tokens.authenticate(theirs) == 200
        assert "no keys found" in (await tokens.review(ours))["error"]
        assert "no keys found" in (await plane.tokens.review(theirs))["error"]
        slices = await plane.api.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices")
        found = {
            f"https://{each['endpoints'][0]['addresses'][0]}:{each['ports'][0]['port']}" for each in slices["items"]
        }
        assert found == {plane.api.url, second.url}
        pods = await plane.api.get(
            "/api/v1/namespaces/kube-system/pods", {"labelSelector": "component=kube-apiserver,tier=control-plane"}
        )
        assert len(pods["items"]) == 2


def token_secret(namespace: str, name: str = "manual") -> JsonObject:
    annotations = {"kubernetes.io/service-account.name": "default"}
    metadata = {"name": name, "namespace": namespace, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/service-account-token"}


async def filled(plane: Plane, secret: JsonObject) -> str:
    """The Secret's token, once it is there."""
    found = await eventually(
        lambda: plane.api.get(path_of(secret)), lambda found: "token" in found.get("data", {}), "the Secret is filled"
    )
    return base64.b64decode(found["data"]["token"]).decode()


async def kubectl(plane: Plane, kubeconfig: Path, *arguments: str) -> tuple[int | None, str]:
    """Its exit status and standard error."""
    process = await asyncio.create_subprocess_exec(
        plane.binaries / "kubectl",
        f"--kubeconfig={kubeconfig}",
        *arguments,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, stderr = await process.communicate()
    return process.returncode, stderr.decode()
