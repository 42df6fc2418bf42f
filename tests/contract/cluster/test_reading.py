"""Lists, pages, selectors, the forms of an answer, watches, discovery."""

import asyncio
import json

import pytest

from demo.cluster import ClusterServer
from tests.cluster.api import JsonObject
from tests.contract.cluster.side import APPS, TOKEN_SECRET, Side, refused

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"


async def get_as(side: Side, accept: str, path: str, params: dict[str, str] | None = None) -> JsonObject:
    found: JsonObject = json.loads(await side.api.request("GET", path, params=params, headers={"Accept": accept}))
    return found


async def names(side: Side, kind: str, **params: str) -> list[str]:
    return [each["metadata"]["name"] for each in (await side.api.get(f"{side.root}/{kind}", params))["items"]]


async def config_map(side: Side, name: str, **labels: str) -> JsonObject:
    body = {"metadata": {"name": name, "labels": labels}, "data": {"a": "b"}}
    return await side.api.post(f"{side.root}/configmaps", body)


async def test_a_list_has_its_kind_and_a_revision_and_its_items_neither_kind_nor_version(side: Side) -> None:
    await config_map(side, "one")
    listed = await side.api.get(f"{side.root}/configmaps")
    assert (listed["kind"], listed["apiVersion"]) == ("ConfigMapList", "v1")
    assert int(listed["metadata"]["resourceVersion"]) > 0
    assert [each["metadata"]["name"] for each in listed["items"]] == ["kube-root-ca.crt", "one"]
    assert not any("kind" in each or "apiVersion" in each for each in listed["items"])


async def test_a_namespace_that_is_not_there_has_empty_lists(side: Side) -> None:
    assert (await side.api.get("/api/v1/namespaces/nowhere/pods"))["items"] == []


async def test_pages_are_of_one_moment(side: Side) -> None:
    for name in ("a", "b", "c", "d", "e"):
        await side.secret(name)
    path = f"{side.root}/secrets"
    first = await side.api.get(path, {"limit": "2"})
    assert first["metadata"]["remainingItemCount"] == 3
    await side.api.delete(f"{path}/d")
    await side.secret("cc")
    second = await side.api.get(path, {"limit": "2", "continue": first["metadata"]["continue"]})
    third = await side.api.get(path, {"limit": "2", "continue": second["metadata"]["continue"]})
    found = [each["metadata"]["name"] for page in (first, second, third) for each in page["items"]]
    assert found == ["a", "b", "c", "d", "e"]
    assert {page["metadata"]["resourceVersion"] for page in (first, second, third)} == {
        first["metadata"]["resourceVersion"]
    }
    assert "continue" not in third["metadata"]


async def test_with_a_selector_nobody_counts_what_is_left(side: Side) -> None:
    for number in range(3):
        await config_map(side, f"m{number}", app="x")
    listed = await side.api.get(f"{side.root}/configmaps", {"limit": "1", "labelSelector": "app=x"})
    assert "remainingItemCount" not in listed["metadata"]
    assert listed["metadata"]["continue"]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("app=web", ["web1", "web2"]),
        ("app==web,tier!=back", ["web1"]),
        ("app in (web, db)", ["db1", "web1", "web2"]),
        ("app notin (web)", ["bare", "db1", "kube-root-ca.crt"]),
        ("tier", ["web2"]),
        ("!app", ["bare", "kube-root-ca.crt"]),
        ("app=web,!tier", ["web1"]),
        ("app=", []),
    ],
)
async def test_label_selectors(side: Side, selector: str, expected: list[str]) -> None:
    await config_map(side, "web1", app="web")
    await config_map(side, "web2", app="web", tier="back")
    await config_map(side, "db1", app="db")
    await config_map(side, "bare")
    assert await names(side, "configmaps", labelSelector=selector) == expected


async def test_field_selectors(side: Side) -> None:
    await side.secret("plain", {"a": "b"})
    await side.token_secret("token")
    pod = await side.pod("app")
    assert await names(side, "secrets", fieldSelector=f"type={TOKEN_SECRET}") == ["token"]
    assert await names(side, "secrets", fieldSelector="type!=Opaque,metadata.name=token") == ["token"]
    assert await names(side, "pods", fieldSelector="spec.serviceAccountName=default") == ["app"]
    assert await names(side, "pods", fieldSelector="spec.serviceAccountName=other") == []
    assert await names(side, "pods", fieldSelector=f"spec.nodeName={pod['spec']['nodeName']}") == ["app"]
    events = await side.api.get(
        f"{side.root}/events", {"fieldSelector": f"involvedObject.uid={pod['metadata']['uid']}"}
    )
    assert {each["involvedObject"]["name"] for each in events["items"]} == {"app"}


@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("secrets", {"fieldSelector": "foo=bar"}, "field label not supported: foo"),
        (
            "configmaps",
            {"fieldSelector": "foo=bar"},
            '"foo" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        ("secrets", {"fieldSelector": "foo"}, "invalid selector: 'foo'; can't understand 'foo'"),
        ("secrets", {"limit": "x"}, 'strconv.ParseInt: parsing "x": invalid syntax'),
    ],
)
async def test_a_bad_query_is_refused(side: Side, kind: str, params: dict[str, str], message: str) -> None:
    refusal = await refused(side.api.get(f"{side.root}/{kind}", params))
    assert (refusal.code, refusal.reason, refusal.message) == (400, "BadRequest", message)


@pytest.mark.parametrize("params", [{"labelSelector": "a b c"}, {"labelSelector": "a in"}, {"continue": "abc"}])
async def test_what_cannot_be_parsed_is_a_400(side: Side, params: dict[str, str]) -> None:
    refusal = await refused(side.api.get(f"{side.root}/secrets", params))
    assert (refusal.code, refusal.reason) == (400, "BadRequest")


async def test_metadata_alone_leaves_the_data_on_the_server(side: Side) -> None:
    await side.secret("plain", {"password": "marked"})
    listed = await get_as(side, METADATA_LIST, f"{side.root}/secrets", {"limit": "500"})
    assert (listed["kind"], listed["apiVersion"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1")
    (found,) = listed["items"]
    assert (found["kind"], found["metadata"]["name"]) == ("PartialObjectMetadata", "plain")
    assert set(found) == {"kind", "apiVersion", "metadata"}
    single = await get_as(side, METADATA, f"{side.root}/secrets/plain")
    assert set(single) == {"kind", "apiVersion", "metadata"}
    assert single["metadata"] == found["metadata"]


@pytest.mark.parametrize("form", [METADATA, TABLE])
async def test_what_is_not_there_is_refused_in_any_form(side: Side, form: str) -> None:
    refusal = await refused(get_as(side, form, f"{side.root}/secrets/none"))
    assert (refusal.code, refusal.message) == (404, 'secrets "none" not found')


async def test_a_table_of_secrets_tells_type_and_number_of_keys(side: Side) -> None:
    await side.secret("plain", {"a": "1", "b": "2"})
    table = await get_as(side, TABLE, f"{side.root}/secrets", {"includeObject": "Metadata"})
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    columns = [(each["name"], each["type"], each["priority"]) for each in table["columnDefinitions"]]
    assert columns == [("Name", "string", 0), ("Type", "string", 0), ("Data", "string", 0), ("Age", "string", 0)]
    (row,) = table["rows"]
    assert row["cells"][:3] == ["plain", "Opaque", 2]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    (manager,) = row["object"]["metadata"]["managedFields"]
    assert set(manager["fieldsV1"]["f:data"]) == {".", "f:a", "f:b"}


async def test_a_table_of_pods_is_what_kubectl_shows(side: Side) -> None:
    await side.pod("app")
    table = await get_as(side, TABLE, f"{side.root}/pods/app", {"includeObject": "None"})
    assert [each["name"] for each in table["columnDefinitions"] if not each["priority"]] == [
        "Name", "Ready", "Status", "Restarts", "Age"
    ]  # fmt: skip
    (row,) = table["rows"]
    assert row["cells"][:4] == ["app", "1/1", "Running", "0"]
    assert row["object"] is None


async def test_a_watch_tells_what_is_there_and_what_comes(side: Side) -> None:
    await config_map(side, "first", app="x")
    params = {"watch": "1", "labelSelector": "app=x", "timeoutSeconds": "20"}
    headers = {"Authorization": f"Bearer {side.api.token}"}
    seen: list[tuple[str, str]] = []
    async with (
        asyncio.timeout(20),
        side.api.session.get(f"{side.api.url}{side.root}/configmaps", params=params, headers=headers) as response,
    ):
        await config_map(side, "second", app="x")
        await config_map(side, "other", app="y")
        await side.api.patch(f"{side.root}/configmaps/second", {"metadata": {"labels": {"app": "y"}}})
        await side.api.delete(f"{side.root}/configmaps/first")
        async for line in response.content:
            event = json.loads(line)
            seen.append((event["type"], event["object"]["metadata"]["name"]))
            if len(seen) == 4:
                break
    assert seen == [("ADDED", "first"), ("ADDED", "second"), ("DELETED", "second"), ("DELETED", "first")]


async def test_a_watch_goes_on_from_a_revision(side: Side) -> None:
    made = await config_map(side, "first")
    await side.api.patch(f"{side.root}/configmaps/first", {"data": {"a": "c"}})
    params = {"watch": "1", "resourceVersion": made["metadata"]["resourceVersion"], "timeoutSeconds": "1"}
    lines = (await side.api.text(f"{side.root}/configmaps", params)).splitlines()
    assert [(json.loads(each)["type"], json.loads(each)["object"]["data"]["a"]) for each in lines] == [
        ("MODIFIED", "c")
    ]


async def test_a_streaming_list_ends_with_a_bookmark(side: Side) -> None:
    await config_map(side, "first", app="x")
    asked = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    params = {"watch": "1", "labelSelector": "app=x", "timeoutSeconds": "2", **asked}
    text = await side.api.text(f"{side.root}/configmaps", params)
    first, second, *_ = (json.loads(line) for line in text.splitlines())
    assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "first")
    assert (second["type"], second["object"]["kind"]) == ("BOOKMARK", "ConfigMap")
    assert second["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(second["object"]["metadata"]["resourceVersion"]) >= int(first["object"]["metadata"]["resourceVersion"])


async def test_an_expired_page_is_a_410_with_a_way_on(embedded: Side, cluster: ClusterServer) -> None:
    """Of the embedded one alone: the real one compacts every five minutes."""
    for name in ("a", "b", "c"):
        await embedded.secret(name)
    path = f"{embedded.root}/secrets"
    first = await embedded.api.get(path, {"limit": "1"})
    await embedded.api.delete(f"{path}/c")
    cluster.machinery.store.compact()
    refusal = await refused(embedded.api.get(path, {"limit": "1", "continue": first["metadata"]["continue"]}))
    assert (refusal.code, refusal.reason) == (410, "Expired")
    assert refusal.message.startswith("The provided continue parameter is too old to display a consistent list result.")


async def test_discovery_tells_the_truth_about_what_is_there(side: Side) -> None:
    groups = {each["name"] for each in (await side.api.get("/apis"))["groups"]}
    wanted = {"apps", "batch", "policy", "rbac.authorization.k8s.io", "authentication.k8s.io", "authorization.k8s.io"}
    assert wanted | {"coordination.k8s.io", "discovery.k8s.io"} <= groups
    core = {each["name"]: each for each in (await side.api.get("/api/v1"))["resources"]}
    assert core["pods"]["verbs"] == [
        "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"
    ]  # fmt: skip
    assert (core["pods"]["kind"], core["pods"]["namespaced"], core["pods"]["shortNames"]) == ("Pod", True, ["po"])
    assert (core["nodes"]["namespaced"], core["serviceaccounts/token"]["kind"]) == (False, "TokenRequest")
    apps = {each["name"]: each["kind"] for each in (await side.api.get(APPS))["resources"]}
    assert apps["deployments"] == "Deployment"
    assert apps["deployments/status"] == "Deployment"
    assert (await side.api.get("/apis/batch"))["preferredVersion"] == {"groupVersion": "batch/v1", "version": "v1"}


async def test_the_version_the_issuer_and_the_keys(side: Side) -> None:
    version = await side.api.get("/version")
    assert (version["gitVersion"], version["major"], version["minor"]) == ("v1.36.3", "1", "36")
    configuration = await side.api.get("/.well-known/openid-configuration")
    assert configuration == {
        "issuer": "https://kubernetes.default.svc",
        "jwks_uri": f"{side.api.url}/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    (key,) = (await get_as(side, "*/*", "/openid/v1/jwks"))["keys"]
    assert {**key, "kid": "", "n": ""} == {"use": "sig", "kty": "RSA", "alg": "RS256", "e": "AQAB", "kid": "", "n": ""}
    assert (await refused(side.api.get("/openid/v1/jwks"))).message == (
        "406: Not Acceptable\n\nAvailable representations: application/jwk-set+json"
    )
    assert await side.api.text("/readyz") == "ok"


async def test_every_answer_has_the_server_s_date(side: Side) -> None:
    async with side.api.session.get(f"{side.api.url}/version") as response:
        assert response.headers["Date"].endswith("GMT")


async def test_metrics_count_the_refused(side: Side) -> None:
    async def refusals() -> float:
        text = await side.api.text("/metrics")
        lines = (line.rpartition(" ") for line in text.splitlines())
        return next((float(value) for name, _, value in lines if name == 'authentication_attempts{result="error"}'), 0)

    before = await refusals()
    assert await side.tokens.authenticate("a.b.c") == 401
    assert await refusals() > before
