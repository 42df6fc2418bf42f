"""Who may do what: RBAC by identity, the reviews of it, and the sentences of refusals."""

from tests.cluster.api import JsonObject
from tests.cluster.waiting import eventually
from tests.contract.cluster.side import RBAC, REVIEW, Refusal, Side, refused

READ_PODS: JsonObject = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}


async def review(side: Side, spec: JsonObject) -> JsonObject:
    answer = await side.api.post(f"{REVIEW}/subjectaccessreviews", {"spec": spec})
    status: JsonObject = answer["status"]
    return status


async def test_rights_are_those_of_the_roles(side: Side) -> None:
    somebody = await side.somebody("reader", [READ_PODS])
    assert (await somebody.get(f"{side.root}/pods"))["items"] == []
    user = f"system:serviceaccount:{side.namespace}:reader"
    told = f'User "{user}" cannot list resource "secrets" in API group "" in the namespace "{side.namespace}"'
    assert await refused(somebody.get(f"{side.root}/secrets")) == Refusal(
        403, "Forbidden", f"secrets is forbidden: {told}", {"kind": "secrets"}
    )
    told = f'User "{user}" cannot get resource "deployments" in API group "apps" in the namespace "{side.namespace}"'
    assert await refused(somebody.get(f"{side.apps}/deployments/web")) == Refusal(
        403,
        "Forbidden",
        f'deployments.apps "web" is forbidden: {told}',
        {"name": "web", "group": "apps", "kind": "deployments"},
    )
    told = f'User "{user}" cannot list resource "pods" in API group "" at the cluster scope'
    assert (await refused(somebody.get("/api/v1/pods"))).message == f"pods is forbidden: {told}"
    told = f'User "{user}" cannot get resource "pods/log" in API group "" in the namespace "{side.namespace}"'
    assert (await refused(somebody.get(f"{side.root}/pods/app/log"))).message == f'pods "app" is forbidden: {told}'
    told = f'User "{user}" cannot get path "/metrics"'
    assert await refused(somebody.get("/metrics")) == Refusal(403, "Forbidden", f"forbidden: {told}", {})
    told = f'User "{user}" cannot get resource "namespaces" in API group "" in the namespace "{side.namespace}"'
    found = await refused(somebody.get(f"/api/v1/namespaces/{side.namespace}"))
    assert found.message == f'namespaces "{side.namespace}" is forbidden: {told}'


async def test_a_right_may_be_on_one_name(side: Side) -> None:
    await side.secret("mine")
    somebody = await side.somebody(
        "owner", [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["mine"], "verbs": ["get"]}]
    )
    assert (await somebody.get(f"{side.root}/secrets/mine"))["metadata"]["name"] == "mine"
    assert (await refused(somebody.get(f"{side.root}/secrets/yours"))).code == 403


async def test_nobody_is_anonymous(side: Side) -> None:
    nobody = side.api.as_bearer(None)
    found = await refused(nobody.get(f"{side.root}/pods"))
    told = f'User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "{side.namespace}"'
    assert found == Refusal(403, "Forbidden", f"pods is forbidden: {told}", {"kind": "pods"})
    assert (await refused(nobody.get("/metrics"))).message == (
        'forbidden: User "system:anonymous" cannot get path "/metrics"'
    )
    assert (await nobody.get("/version"))["gitVersion"]


async def test_what_every_account_may(side: Side) -> None:
    anybody = side.api.as_bearer(await side.tokens.mint(side.namespace, "default"))
    assert "keys" in await anybody.request("GET", "/openid/v1/jwks", headers={"Accept": "*/*"})
    body = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": side.namespace}}}
    answer = await anybody.post(f"{REVIEW}/selfsubjectaccessreviews", body)
    assert answer["status"] == {"allowed": False}
    assert (await refused(anybody.post(f"{REVIEW}/subjectaccessreviews", {"spec": {"user": "x"}}))).code == 403
    who = await anybody.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    assert who["status"]["userInfo"]["username"] == f"system:serviceaccount:{side.namespace}:default"


async def test_a_review_says_by_what_it_is_allowed(side: Side) -> None:
    await side.somebody("reader", [READ_PODS])
    place = {"namespace": side.namespace, "resource": "pods"}
    user = f"system:serviceaccount:{side.namespace}:reader"
    assert await review(side, {"user": user, "resourceAttributes": {**place, "verb": "list"}}) == {
        "allowed": True,
        "reason": f'RBAC: allowed by RoleBinding "reader/{side.namespace}" of Role "reader" to ServiceAccount '
        f'"reader/{side.namespace}"',
    }
    assert await review(side, {"user": user, "resourceAttributes": {**place, "verb": "delete"}}) == {"allowed": False}
    path = {"verb": "get", "path": "/version"}
    assert await review(side, {"user": "bob", "groups": ["system:unauthenticated"], "nonResourceAttributes": path}) == {
        "allowed": True,
        "reason": 'RBAC: allowed by ClusterRoleBinding "system:public-info-viewer" of ClusterRole '
        '"system:public-info-viewer" to Group "system:unauthenticated"',
    }
    assert await review(side, {"user": "bob", "groups": ["system:masters"], "nonResourceAttributes": path}) == {
        "allowed": True
    }
    keys = {"verb": "get", "path": "/openid/v1/jwks"}
    groups = ["system:serviceaccounts", "system:authenticated"]
    assert (await review(side, {"user": user, "groups": groups, "nonResourceAttributes": keys}))["allowed"] is True


async def test_a_binding_to_a_role_that_is_not_there(side: Side) -> None:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "none"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob"}
    binding = {"metadata": {"name": "broken"}, "roleRef": reference, "subjects": [subject]}
    await side.api.post(f"{RBAC}/namespaces/{side.namespace}/rolebindings", binding)
    spec = {"user": "bob", "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": side.namespace}}

    found = await eventually(lambda: review(side, spec), lambda status: "reason" in status, "the binding is known")
    assert found == {"allowed": False, "reason": 'RBAC: role.rbac.authorization.k8s.io "none" not found'}


async def test_a_review_of_nothing_is_refused(side: Side) -> None:
    told = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
    found = await refused(review(side, {"user": "bob"}))
    assert (found.code, found.message) == (
        422, f'.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: {told}'
    )  # fmt: skip
    found = await refused(review(side, {}))
    assert 'spec.user: Invalid value: "": at least one of user or group must be specified' in found.message


async def test_exec_takes_create_too(side: Side) -> None:
    await side.pod("app")
    path = f"{side.root}/pods/app/exec?command=cat&stdout=true"
    somebody = await side.somebody("peeper", [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get"]}])
    found = await refused(somebody.request("GET", path))
    assert (found.code, found.reason) == (403, "Forbidden")
    assert found.message.rstrip() == 'pods "app" is forbidden:'
