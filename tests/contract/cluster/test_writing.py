"""Objects created, patched, replaced and deleted: preconditions, rehearsals, who wrote what."""

import json

import pytest

from tests.cluster.api import STRATEGIC_MERGE_PATCH, ApiError, JsonObject
from tests.cluster.waiting import eventually
from tests.contract.cluster.side import CONTAINER, Side, refused

JSON_PATCH = "application/json-patch+json"
UID = "00000000-0000-0000-0000-000000000000"


def deployment(name: str = "web", **spec: object) -> JsonObject:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}}
    return {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": labels}, "template": template, **spec}}


async def json_patch(side: Side, path: str, *operations: JsonObject) -> JsonObject:
    headers = {"Content-Type": JSON_PATCH}
    text = await side.api.request("PATCH", path, body=list(operations), headers=headers)  # type: ignore[arg-type]  # here a list
    found: JsonObject = json.loads(text)
    return found


async def test_a_new_object_gets_what_only_the_server_writes(side: Side) -> None:
    made = await side.secret("plain", {"a": "b"}, metadata={"name": "plain", "uid": UID, "resourceVersion": ""})
    own = made["metadata"]
    assert (made["kind"], made["apiVersion"], made["type"], made["data"]) == ("Secret", "v1", "Opaque", {"a": "Yg=="})
    assert own["uid"] != UID
    assert own["namespace"] == side.namespace
    assert own["creationTimestamp"].endswith("Z")
    assert "stringData" not in made
    (manager,) = own["managedFields"]
    assert (manager["operation"], manager["fieldsType"], manager["apiVersion"]) == ("Update", "FieldsV1", "v1")
    assert manager["fieldsV1"] == {"f:data": {".": {}, "f:a": {}}, "f:type": {}}
    assert manager["time"] == own["creationTimestamp"]


async def test_a_name_is_made_up(side: Side) -> None:
    made = await side.api.post(f"{side.root}/secrets", {"metadata": {"generateName": "made-"}})
    assert len(made["metadata"]["name"]) == len("made-") + 5


async def test_what_a_pod_is_given(side: Side) -> None:
    pod = await side.pod("app", serviceAccountName="default")
    spec = pod["spec"]
    assert spec["serviceAccount"] == "default"
    assert (spec["restartPolicy"], spec["dnsPolicy"], spec["terminationGracePeriodSeconds"]) == (
        "Always", "ClusterFirst", 30
    )  # fmt: skip
    (volume,) = spec["volumes"]
    assert volume["name"].startswith("kube-api-access-")
    sources = volume["projected"]["sources"]
    assert sources[0] == {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
    assert [next(iter(each)) for each in sources] == ["serviceAccountToken", "configMap", "downwardAPI"]
    (mount,) = spec["containers"][0]["volumeMounts"]
    folder = "/var/run/secrets/kubernetes.io/serviceaccount"
    assert mount == {"name": volume["name"], "readOnly": True, "mountPath": folder}
    assert {each["key"] for each in spec["tolerations"]} == {
        "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
    }  # fmt: skip
    assert pod["status"]["phase"] == "Running"
    assert pod["status"]["qosClass"] == "BestEffort"


@pytest.mark.parametrize("of_account", [False, True])
async def test_automount_may_be_switched_off(side: Side, of_account: bool) -> None:  # noqa: FBT001  # a parameter of pytest
    body = {"metadata": {"name": "quiet"}, "automountServiceAccountToken": not of_account}
    await side.api.post(f"{side.root}/serviceaccounts", body)
    more = {} if of_account else {"automountServiceAccountToken": False}
    pod = await side.pod("app", serviceAccountName="quiet", **more)
    assert "volumes" not in pod["spec"]


async def test_a_rehearsal_leaves_nothing(side: Side) -> None:
    path = f"{side.root}/secrets"
    dry = await side.api.post(path, {"metadata": {"name": "dry"}}, {"dryRun": "All"})
    assert "resourceVersion" not in dry["metadata"]
    assert (await refused(side.api.get(f"{path}/dry"))).code == 404
    made = await side.secret("real", {"a": "b"})
    patched = await side.api.patch(f"{path}/real", {"metadata": {"labels": {"x": "y"}}}, {"dryRun": "All"})
    assert patched["metadata"]["labels"] == {"x": "y"}
    await side.api.request("DELETE", f"{path}/real", params={"dryRun": "All"})
    assert await side.api.get(f"{path}/real") == made
    refusal = await refused(side.api.post(path, {"metadata": {"name": "dry"}}, {"dryRun": "Some"}))
    assert refusal.message == (
        'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"'
    )


async def test_a_merge_patch(side: Side) -> None:
    made = await side.secret("plain", {"a": "1", "b": "2"}, metadata={"name": "plain", "labels": {"x": "y"}})
    path = f"{side.root}/secrets/plain"
    change = {"metadata": {"labels": {"x": None, "z": "w"}}, "data": {"a": None}}
    patched = await side.api.patch(path, change)
    assert patched["metadata"]["labels"] == {"z": "w"}
    assert patched["data"] == {"b": "Mg=="}
    assert int(patched["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    assert (await side.api.patch(path, change))["metadata"]["resourceVersion"] == patched["metadata"]["resourceVersion"]


async def test_a_restart_by_strategic_merge_keeps_the_containers(side: Side) -> None:
    path = f"{side.apps}/deployments/web"
    await side.api.post(f"{side.apps}/deployments", deployment(replicas=0))
    container = {"name": "app", "env": [{"name": "A", "value": "1"}]}
    change = {"spec": {"template": {"metadata": {"annotations": {"at": "noon"}}, "spec": {"containers": [container]}}}}
    patched = await side.api.patch(path, change, content_type=STRATEGIC_MERGE_PATCH)
    template = patched["spec"]["template"]
    assert template["metadata"] == {"labels": {"app": "web"}, "annotations": {"at": "noon"}}
    (found,) = template["spec"]["containers"]
    assert (found["image"], found["env"]) == ("shop/checkout:1.4", [{"name": "A", "value": "1"}])
    assert patched["metadata"]["generation"] == 2
    without = {
        "spec": {"template": {"spec": {"containers": [{"name": "app", "env": [{"name": "A", "$patch": "delete"}]}]}}}
    }
    patched = await side.api.patch(path, without, content_type=STRATEGIC_MERGE_PATCH)
    assert not patched["spec"]["template"]["spec"]["containers"][0].get("env")
    nameless = {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}
    with pytest.raises(ApiError, match="map: map\\[image:x\\] does not contain declared merge key: name") as caught:
        await side.api.patch(path, nameless, content_type=STRATEGIC_MERGE_PATCH)
    assert caught.value.status == 500


async def test_a_json_patch_with_a_test(side: Side) -> None:
    await side.secret("plain", {"a": "1"})
    path = f"{side.root}/secrets/plain"
    patched = await json_patch(
        side,
        path,
        {"op": "test", "path": "/data/a", "value": "MQ=="},
        {"op": "add", "path": "/metadata/labels", "value": {"a/b": "c"}},
        {"op": "replace", "path": "/metadata/labels/a~1b", "value": "d"},
        {"op": "copy", "from": "/data/a", "path": "/data/b"},
        {"op": "remove", "path": "/data/a"},
    )
    assert (patched["metadata"]["labels"], patched["data"]) == ({"a/b": "d"}, {"b": "MQ=="})
    for operation in (
        {"op": "test", "path": "/data/b", "value": "x"},
        {"op": "remove", "path": "/data/none"},
        {"op": "replace", "path": "/x/y/z", "value": 1},
    ):
        refusal = await refused(json_patch(side, path, operation))
        assert (refusal.code, refusal.reason) == (422, "Invalid")
        assert refusal.message == "the server rejected our request due to an error in our request"


async def test_preconditions_of_a_patch(side: Side) -> None:
    await side.api.post(f"{side.apps}/deployments", deployment(replicas=0))
    path = f"{side.apps}/deployments/web"
    stale = await refused(side.api.patch(path, {"metadata": {"resourceVersion": "1"}}))
    assert (stale.code, stale.reason) == (409, "Conflict")
    assert stale.message == (
        'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your '
        "changes to the latest version and try again"
    )
    assert stale.details == {"name": "web", "group": "apps", "kind": "deployments"}
    other = await refused(side.api.patch(path, {"metadata": {"uid": UID}}))
    assert (other.code, other.reason) == (422, "Invalid")
    assert (
        other.message == f'Deployment.apps "web" is invalid: metadata.uid: Invalid value: "{UID}": field is immutable'
    )
    cause = {"reason": "FieldValueInvalid", "field": "metadata.uid"}
    assert other.details["causes"] == [{**cause, "message": f'Invalid value: "{UID}": field is immutable'}] * 2
    made = (await side.secret("plain"))["metadata"]
    held = {"uid": made["uid"], "resourceVersion": made["resourceVersion"], "labels": {"a": "b"}}
    patched = await side.api.patch(f"{side.root}/secrets/plain", {"metadata": held})
    assert patched["metadata"]["labels"] == {"a": "b"}


async def test_preconditions_of_a_deletion(side: Side) -> None:
    made = (await side.secret("plain"))["metadata"]
    path = f"{side.root}/secrets/plain"
    other = await refused(side.api.delete(path, {"preconditions": {"uid": UID}}))
    assert other.code == 409
    assert other.message == (
        f'Operation cannot be fulfilled on Secret "plain": the UID in the precondition ({UID}) does not match the UID '
        f"in record ({made['uid']}). The object might have been deleted and then recreated"
    )
    stale = await refused(side.api.delete(path, {"preconditions": {"resourceVersion": "1"}}))
    assert stale.code == 409
    assert stale.message == (
        'Operation cannot be fulfilled on Secret "plain": the ResourceVersion in the precondition (1) does not match '
        f"the ResourceVersion in record ({made['resourceVersion']}). The object might have been modified"
    )
    done = await side.api.delete(path, {"preconditions": {"uid": made["uid"]}})
    assert (done["kind"], done["status"]) == ("Status", "Success")
    assert done["details"] == {"name": "plain", "kind": "secrets", "uid": made["uid"]}


async def test_a_replacement(side: Side) -> None:
    made = await side.secret("plain", {"a": "1"})
    path = f"{side.root}/secrets/plain"
    replaced = await side.api.put(path, {**made, "data": {"b": "Mg=="}})
    assert replaced["data"] == {"b": "Mg=="}
    assert (await refused(side.api.put(path, {**made, "data": {}}))).reason == "Conflict"
    refusal = await refused(side.api.put(path, {"metadata": {"name": "other"}}))
    assert refusal.message == "the name of the object (other) does not match the name on the URL (plain)"
    refusal = await refused(side.api.put(path, {"metadata": {"name": "plain", "uid": UID}}))
    assert refusal.code == 409
    assert f"Precondition failed: UID in precondition: {UID}, UID in object meta: " in refusal.message


async def test_who_wrote_which_key(side: Side) -> None:
    await side.secret("plain", {"a": "1"})
    headers = {"User-Agent": "rotator/1.0", "Content-Type": "application/merge-patch+json"}
    text = await side.api.request("PATCH", f"{side.root}/secrets/plain", body={"data": {"b": "Mg=="}}, headers=headers)
    managers = {each["manager"]: each["fieldsV1"] for each in json.loads(text)["metadata"]["managedFields"]}
    assert managers["rotator"] == {"f:data": {"f:b": {}}}
    assert managers["Python"] == {"f:data": {".": {}, "f:a": {}}, "f:type": {}}


async def test_a_finalizer_holds_an_object(side: Side) -> None:
    path = f"{side.root}/serviceaccounts/held"
    await side.api.post(
        f"{side.root}/serviceaccounts", {"metadata": {"name": "held", "finalizers": ["shop.example/audit"]}}
    )
    leaving = await side.api.delete(path)
    assert leaving["metadata"]["deletionGracePeriodSeconds"] == 0
    assert (await side.api.get(path))["metadata"]["deletionTimestamp"]
    await side.api.patch(path, {"metadata": {"finalizers": None}})
    assert (await refused(side.api.get(path))).code == 404


async def test_a_pod_is_given_time_to_end(side: Side) -> None:
    pod = await side.pod("app")
    leaving = await side.api.delete(f"{side.root}/pods/app")
    assert (leaving["kind"], leaving["metadata"]["deletionGracePeriodSeconds"]) == ("Pod", 30)
    await side.gone(pod)


async def test_what_an_owner_leaves_is_collected(side: Side) -> None:
    made = await side.api.post(f"{side.apps}/deployments", deployment(replicas=2))
    made = {"apiVersion": "apps/v1", "kind": "Deployment", **made}
    pods = await eventually(
        lambda: side.api.get(f"{side.root}/pods", {"labelSelector": "app=web"}),
        lambda found: len(found["items"]) == 2,
        "the pods are made",
    )
    await side.api.delete(f"{side.apps}/deployments/web")
    for pod in pods["items"]:
        await side.gone({"apiVersion": "v1", "kind": "Pod", **pod})
    assert (await side.api.get(f"{side.apps}/replicasets"))["items"] == []


async def test_a_namespace_goes_with_all_that_is_in_it(side: Side) -> None:
    name = f"{side.namespace}-2"
    made = await side.api.post("/api/v1/namespaces", {"metadata": {"name": name}})
    assert made["status"] == {"phase": "Active"}
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": name}
    await side.api.post(f"/api/v1/namespaces/{name}/secrets", {"metadata": {"name": "plain"}})
    assert (await side.api.delete(f"/api/v1/namespaces/{name}"))["status"]["phase"] == "Terminating"
    await side.gone(made)
    assert (await side.api.get(f"/api/v1/namespaces/{name}/secrets"))["items"] == []
