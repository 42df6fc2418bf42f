"""Pods at work: logs, commands in containers, evictions, rollouts, Leases."""

import datetime as dt

import jwt
import pytest

from tests.cluster.api import STRATEGIC_MERGE_PATCH, JsonObject
from tests.cluster.waiting import eventually
from tests.contract.cluster.side import CONTAINER, V4, V5, Side, is_ready, refused

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"
BUDGETS = "/apis/policy/v1/namespaces/{}/poddisruptionbudgets"
LEASES = "/apis/coordination.k8s.io/v1/namespaces"


async def test_a_log(side: Side) -> None:
    pod = await side.pod("app")
    start = dt.datetime(2026, 11, 22, 13, tzinfo=dt.UTC)
    side.write_log(pod, [(start + dt.timedelta(seconds=at), f"line {at}") for at in range(4)])
    path = f"{side.root}/pods/app/log"
    assert await side.api.text(path) == "line 0\nline 1\nline 2\nline 3\n"
    assert await side.api.text(path, {"tailLines": "2", "container": "app"}) == "line 2\nline 3\n"
    dated = await side.api.text(path, {"timestamps": "true", "tailLines": "1"})
    assert dated == "2026-11-22T13:00:03.000000000Z line 3\n"
    assert await side.api.text(path, {"limitBytes": "9"}) == "line 0\nli"
    assert await side.api.text(path, {"sinceTime": "2026-11-22T13:00:02Z"}) == "line 2\nline 3\n"
    assert await side.api.text(path, {"tailLines": "0"}) == ""


@pytest.mark.parametrize("protocol", [V5, V4])
async def test_cat_of_a_token_file(side: Side, protocol: str) -> None:
    pod = await side.pod("app")
    output, complaint, status = await side.exec("app", "cat", TOKEN, protocol=protocol)
    claims = jwt.decode(output.decode(), options={"verify_signature": False})
    assert claims["kubernetes.io"]["pod"]["uid"] == pod["metadata"]["uid"]
    assert claims["exp"] - claims["iat"] == 365 * 24 * 3600
    assert complaint == b""
    assert status["status"] == "Success"
    assert (await side.tokens.review(output.decode()))["authenticated"] is True


async def test_cat_of_no_file(side: Side) -> None:
    await side.pod("app")
    output, complaint, status = await side.exec("app", "cat", "/none")
    assert (output, complaint) == (b"", b"cat: /none: No such file or directory\n")
    assert (status["status"], status["reason"]) == ("Failure", "NonZeroExitCode")
    assert status["message"] == "command terminated with non-zero exit code: exit status 1"
    assert status["details"] == {"causes": [{"reason": "ExitCode", "message": "1"}]}


async def test_a_command_that_the_image_does_not_have(side: Side) -> None:
    await side.pod("app")
    _, _, status = await side.exec("app", "bash")
    assert status["reason"] == "InternalError"
    assert status["message"].endswith('exec: "bash": executable file not found in $PATH: unknown')


async def test_a_file_mounted_from_a_secret_and_by_subpath(side: Side) -> None:
    await side.secret("conf", {"a": "one", "b": "two"})
    mounts = [{"name": "conf", "mountPath": "/etc/conf"}, {"name": "conf", "mountPath": "/etc/single", "subPath": "b"}]
    await side.pod(
        "app",
        containers=[{**CONTAINER, "volumeMounts": mounts}],
        volumes=[{"name": "conf", "secret": {"secretName": "conf"}}],
    )
    assert (await side.exec("app", "cat", "/etc/conf/a"))[0] == b"one"
    assert (await side.exec("app", "cat", "/etc/single"))[0] == b"two"


async def test_an_eviction(side: Side) -> None:
    pod = await side.pod("app")
    path = f"{side.root}/pods/app/eviction"
    body: JsonObject = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "app"}}
    other = await refused(side.api.post(path, {**body, "deleteOptions": {"preconditions": {"uid": "x"}}}))
    assert other.code == 409
    assert other.message == (
        'Operation cannot be fulfilled on Pod "app": the UID in the precondition (x) does not match the UID in record '
        f"({pod['metadata']['uid']}). The object might have been deleted and then recreated"
    )
    rehearsed = await side.api.post(path, {**body, "deleteOptions": {"dryRun": ["All"]}})
    assert (rehearsed["kind"], rehearsed["status"], rehearsed["code"]) == ("Status", "Success", 201)
    assert "deletionTimestamp" not in (await side.api.get(f"{side.root}/pods/app"))["metadata"]
    await side.api.post(path, {**body, "deleteOptions": {"preconditions": {"uid": pod["metadata"]["uid"]}}})
    await side.gone(pod)


async def test_a_budget_refuses_an_eviction(side: Side) -> None:
    await side.api.post(
        f"{side.root}/pods", {"metadata": {"name": "app", "labels": {"app": "x"}}, "spec": {"containers": [CONTAINER]}}
    )
    await eventually(lambda: side.api.get(f"{side.root}/pods/app"), is_ready, "the pod runs")
    path = BUDGETS.format(side.namespace)
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "x"}}}
    await side.api.post(path, {"metadata": {"name": "keep"}, "spec": spec})
    # The tests' real control plane runs no disruption controller: what it would write.
    status = {
        "observedGeneration": 1,
        "disruptionsAllowed": 0,
        "currentHealthy": 1,
        "desiredHealthy": 1,
        "expectedPods": 1,
    }
    await side.api.patch(f"{path}/keep/status", {"status": status})
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "app"}}
    found = await refused(side.api.post(f"{side.root}/pods/app/eviction", body))
    assert (found.code, found.reason) == (429, "TooManyRequests")
    assert found.message == "Cannot evict pod as it would violate the pod's disruption budget."
    told = "The disruption budget keep needs 1 healthy pods and has 1 currently"
    assert found.details["causes"] == [{"reason": "DisruptionBudget", "message": told}]


def workload(kind: str, **spec: object) -> JsonObject:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}}
    own = {"selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"}, "spec": own}


def is_rolled_out(found: JsonObject) -> bool:
    status, wanted = found.get("status", {}), found["spec"]["replicas"]
    counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")}
    return status.get("observedGeneration") == found["metadata"]["generation"] and counts == {wanted}


async def restarted(side: Side, path: str) -> None:
    annotations = {"kubectl.kubernetes.io/restartedAt": "2026-11-22T13:00:00Z"}
    change = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    await side.api.patch(path, change, content_type=STRATEGIC_MERGE_PATCH)


async def test_a_deployment_is_rolled_out_anew(side: Side) -> None:
    await side.api.post(f"{side.apps}/deployments", workload("Deployment", replicas=3))
    path = f"{side.apps}/deployments/web"
    first = await eventually(lambda: side.api.get(path), is_rolled_out, "it is rolled out")
    assert first["metadata"]["annotations"] == {"deployment.kubernetes.io/revision": "1"}
    conditions = {each["type"]: (each["status"], each["reason"]) for each in first["status"]["conditions"]}
    assert conditions == {
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("True", "NewReplicaSetAvailable"),
    }
    old = {each["metadata"]["uid"] for each in (await side.api.get(f"{side.root}/pods"))["items"]}
    await restarted(side, path)
    second = await eventually(lambda: side.api.get(path), is_rolled_out, "it is rolled out again")
    assert second["metadata"]["generation"] == 2
    assert second["metadata"]["annotations"] == {"deployment.kubernetes.io/revision": "2"}
    pods = await eventually(
        lambda: side.api.get(f"{side.root}/pods"), lambda found: len(found["items"]) == 3, "the old pods are gone"
    )
    assert not old & {each["metadata"]["uid"] for each in pods["items"]}
    sets = {each["metadata"]["uid"]: each for each in (await side.api.get(f"{side.apps}/replicasets"))["items"]}
    assert sorted(each["spec"]["replicas"] for each in sets.values()) == [0, 3]
    for pod in pods["items"]:
        assert "kubectl.kubernetes.io/restartedAt" in pod["metadata"]["annotations"]
        (owner,) = pod["metadata"]["ownerReferences"]
        newest = sets[owner["uid"]]
        assert (owner["kind"], owner["controller"], newest["spec"]["replicas"]) == ("ReplicaSet", True, 3)
        hashed = newest["metadata"]["labels"]["pod-template-hash"]
        assert pod["metadata"]["labels"] == {"app": "web", "pod-template-hash": hashed}
        assert pod["metadata"]["name"].startswith(f"web-{hashed}-")


async def test_a_deployment_without_its_account_says_why(side: Side) -> None:
    body = workload("Deployment", replicas=1)
    body["spec"]["template"]["spec"]["serviceAccountName"] = "none"
    await side.api.post(f"{side.apps}/deployments", body)
    path = f"{side.apps}/deployments/web"
    found = await eventually(
        lambda: side.api.get(path),
        lambda live: "ReplicaFailure" in {each["type"] for each in live.get("status", {}).get("conditions", [])},
        "it says that no pod can be made",
    )
    condition = next(each for each in found["status"]["conditions"] if each["type"] == "ReplicaFailure")
    assert (condition["status"], condition["reason"]) == ("True", "FailedCreate")
    assert (
        f'error looking up service account {side.namespace}/none: serviceaccount "none" not found'
        in condition["message"]
    )
    events = await side.api.get(f"{side.root}/events", {"fieldSelector": "reason=FailedCreate"})
    (event,) = events["items"][:1]
    assert event["message"].startswith("Error creating: pods ")
    assert (event["involvedObject"]["kind"], event["type"]) == ("ReplicaSet", "Warning")


async def pods_by_name(side: Side) -> dict[str, str]:
    """Their uids."""
    found = (await side.api.get(f"{side.root}/pods"))["items"]
    return {each["metadata"]["name"]: each["metadata"]["uid"] for each in found}


async def test_a_stateful_set_replaces_its_pods_in_place(side: Side) -> None:
    await side.api.post(f"{side.apps}/statefulsets", workload("StatefulSet", replicas=2, serviceName="web"))
    path = f"{side.apps}/statefulsets/web"
    first = await eventually(lambda: side.api.get(path), is_rolled_out, "it is rolled out")
    before = {
        each["metadata"]["name"]: each["metadata"]["uid"] for each in (await side.api.get(f"{side.root}/pods"))["items"]
    }
    assert set(before) == {"web-0", "web-1"}
    assert first["status"]["currentRevision"] == first["status"]["updateRevision"]
    await restarted(side, path)
    await eventually(lambda: side.api.get(path), is_rolled_out, "it is rolled out again")
    after = {
        each["metadata"]["name"]: each["metadata"]["uid"] for each in (await side.api.get(f"{side.root}/pods"))["items"]
    }
    assert set(after) == set(before)
    assert not set(after.values()) & set(before.values())


async def test_a_daemon_set_has_a_pod_on_every_worker(side: Side) -> None:
    await side.api.post(f"{side.apps}/daemonsets", workload("DaemonSet"))
    path = f"{side.apps}/daemonsets/web"
    found = await eventually(
        lambda: side.api.get(path), lambda live: live.get("status", {}).get("numberReady", 0) >= 2, "it runs"
    )
    assert found["status"]["desiredNumberScheduled"] == 2
    pods = (await side.api.get(f"{side.root}/pods"))["items"]
    assert {each["spec"]["nodeName"] for each in pods} == {"worker-1", "worker-2"}


async def test_a_job_runs_to_its_end(side: Side) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{**CONTAINER, "image": "shop/nightly:1"}]}}
    path = f"/apis/batch/v1/namespaces/{side.namespace}/jobs"
    made = await side.api.post(path, {"metadata": {"name": "nightly"}, "spec": {"template": template}})
    assert made["spec"]["backoffLimit"] == 6
    pods = await eventually(
        lambda: side.api.get(f"{side.root}/pods", {"labelSelector": "job-name=nightly"}),
        lambda found: bool(found["items"]),
        "its pod is there",
    )
    (owner,) = pods["items"][0]["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("Job", "nightly")


async def test_node_leases_are_written_by_their_kubelet(side: Side) -> None:
    lease = await side.api.get(f"{LEASES}/kube-node-lease/leases/worker-1")
    assert (lease["spec"]["holderIdentity"], lease["spec"]["leaseDurationSeconds"]) == ("worker-1", 40)
    (manager,) = lease["metadata"]["managedFields"]
    assert manager["manager"] == "kubelet"
    assert "f:renewTime" in manager["fieldsV1"]["f:spec"]
    renewed = dt.datetime.fromisoformat(lease["spec"]["renewTime"])
    assert abs(dt.datetime.fromisoformat(manager["time"]) - renewed) < dt.timedelta(seconds=5)
    (identity,) = (
        await side.api.get(
            f"{LEASES}/kube-system/leases", {"labelSelector": "apiserver.kubernetes.io/identity=kube-apiserver"}
        )
    )["items"]
    assert identity["metadata"]["name"].startswith("apiserver-")


async def test_the_control_plane_is_visible_as_kubeadm_shows_it(side: Side) -> None:
    found = await side.api.get(
        "/api/v1/namespaces/kube-system/pods",
        {"labelSelector": "component in (kube-apiserver,kube-controller-manager)"},
    )
    names = [each["metadata"]["name"] for each in found["items"]]
    assert names == ["kube-apiserver-control-plane", "kube-controller-manager-control-plane"]
    command = found["items"][0]["spec"]["containers"][0]["command"]
    assert "--service-account-issuer=https://kubernetes.default.svc" in command


async def test_a_401_leaves_its_reason_in_the_api_server_s_log(side: Side) -> None:
    claims = await side.tokens.bound_claims(side.namespace, "default")
    expired = side.tokens.sign({**claims, "aud": [f"vault-{side.namespace}"]})
    assert await side.tokens.authenticate(expired) == 401
    path = "/api/v1/namespaces/kube-system/pods/kube-apiserver-control-plane/log"

    async def told() -> list[str]:
        text = await side.api.text(path, {"tailLines": "2000"})
        return [line for line in text.splitlines() if f"vault-{side.namespace}" in line]

    (line,) = await eventually(told, bool, "the log says why")
    assert '"Unable to authenticate the request" err="[invalid bearer token, token audiences [\\"vault-' in line
    assert " authentication.go:75] " in line
