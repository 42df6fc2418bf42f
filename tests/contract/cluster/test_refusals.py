"""What is refused, in the API server's own words and with its details."""

import pytest

from tests.cluster.api import JsonObject
from tests.contract.cluster.side import TOKEN_SECRET, Refusal, Side, refused

SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def cause(reason: str, field: str, message: str) -> JsonObject:
    return {"reason": reason, "message": message, "field": field}


def invalid(kind: str, name: str, told: str, *causes: JsonObject, group: str = "") -> Refusal:
    details = {**({"name": name} if name else {}), **({"group": group} if group else {}), "kind": kind}
    qualified = f"{kind}.{group}" if group else kind
    return Refusal(422, "Invalid", f'{qualified} "{name}" is invalid: {told}', {**details, "causes": list(causes)})


NO_SECRET = Refusal(404, "NotFound", 'secrets "none" not found', {"name": "none", "kind": "secrets"})
NOT_THERE = Refusal(404, "NotFound", "the server could not find the requested resource", {})
LABELS = "`selector` does not match template `labels`"
FIXED = "field is immutable"

Case = tuple[str, str, JsonObject | None, Refusal]

CASES: dict[str, Case] = {
    "a missing object": ("GET", "{root}/secrets/none", None, NO_SECRET),
    "a missing object, patched": ("PATCH", "{root}/secrets/none", {"a": "b"}, NO_SECRET),
    "a missing object, replaced": ("PUT", "{root}/secrets/none", {"metadata": {"name": "none"}}, NO_SECRET),
    "a missing object, deleted": ("DELETE", "{root}/secrets/none", None, NO_SECRET),
    "a missing object of a group": (
        "GET",
        "{apps}/deployments/none",
        None,
        Refusal(
            404,
            "NotFound",
            'deployments.apps "none" not found',
            {"name": "none", "group": "apps", "kind": "deployments"},
        ),
    ),
    "no such resource": ("GET", "{root}/nonsense", None, NOT_THERE),
    "a method that is not": (
        "PUT",
        "{root}/pods",
        {},
        Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {}),
    ),
    "a name that is taken": (
        "POST",
        "{root}/secrets",
        {"metadata": {"name": "taken"}},
        Refusal(409, "AlreadyExists", 'secrets "taken" already exists', {"name": "taken", "kind": "secrets"}),
    ),
    "no name": (
        "POST",
        "{root}/secrets",
        {"metadata": {}},
        invalid(
            "Secret",
            "",
            "metadata.name: Required value: name or generateName is required",
            cause("FieldValueRequired", "metadata.name", "Required value: name or generateName is required"),
        ),
    ),
    "a bad name": (
        "POST",
        "{root}/secrets",
        {"metadata": {"name": "S_1"}},
        invalid(
            "Secret",
            "S_1",
            f'metadata.name: Invalid value: "S_1": {SUBDOMAIN}',
            cause("FieldValueInvalid", "metadata.name", f'Invalid value: "S_1": {SUBDOMAIN}'),
        ),
    ),
    "another namespace": (
        "POST",
        "{root}/secrets",
        {"metadata": {"name": "x", "namespace": "other"}},
        Refusal(
            400,
            "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the request",
            {},
        ),
    ),
    "no such namespace": (
        "POST",
        "/api/v1/namespaces/nowhere/secrets",
        {"metadata": {"name": "x"}},
        Refusal(404, "NotFound", 'namespaces "nowhere" not found', {"name": "nowhere", "kind": "namespaces"}),
    ),
    "a token Secret of nobody": (
        "POST",
        "{root}/secrets",
        {"metadata": {"name": "x"}, "type": TOKEN_SECRET},
        invalid(
            "Secret",
            "x",
            "metadata.annotations[kubernetes.io/service-account.name]: Required value",
            cause("FieldValueRequired", "metadata.annotations[kubernetes.io/service-account.name]", "Required value"),
        ),
    ),
    "another type": (
        "PATCH",
        "{root}/secrets/taken",
        {"type": "x"},
        invalid(
            "Secret",
            "taken",
            f'type: Invalid value: "x": {FIXED}',
            cause("FieldValueInvalid", "type", f'Invalid value: "x": {FIXED}'),
        ),
    ),
    "another kind": (
        "POST",
        "{root}/secrets",
        {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "x"}},
        Refusal(
            400,
            "BadRequest",
            'Pod in version "v1" cannot be handled as a Secret: converting (v1.Pod) to (core.Secret): unknown '
            "conversion",
            {},
        ),
    ),
    "a pod of a missing account": (
        "POST",
        "{root}/pods",
        {
            "metadata": {"name": "p"},
            "spec": {"serviceAccountName": "none", "containers": [{"name": "a", "image": "x"}]},
        },
        Refusal(
            403,
            "Forbidden",
            'pods "p" is forbidden: error looking up service account {namespace}/none: serviceaccount "none" not found',
            {"name": "p", "kind": "pods"},
        ),
    ),
    "a pod without containers": (
        "POST",
        "{root}/pods",
        {"metadata": {"name": "p"}, "spec": {"containers": []}},
        invalid(
            "Pod",
            "p",
            "spec.containers: Required value",
            cause("FieldValueRequired", "spec.containers", "Required value"),
        ),
    ),
    "a template that its selector does not match": (
        "POST",
        "{apps}/deployments",
        {
            "metadata": {"name": "bad"},
            "spec": {
                "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "c"}}, "spec": {"containers": [{"name": "x", "image": "y"}]}},
            },
        },
        invalid(
            "Deployment",
            "bad",
            'spec.template.metadata.labels: Invalid value: {"a":"c"}: ' + LABELS,
            cause("FieldValueInvalid", "spec.template.metadata.labels", 'Invalid value: {"a":"c"}: ' + LABELS),
            group="apps",
        ),
    ),
    "nothing in a Deployment": (
        "POST",
        "{apps}/deployments",
        {"metadata": {"name": "bad"}, "spec": {}},
        invalid(
            "Deployment",
            "bad",
            f"[spec.selector: Required value, spec.template.metadata.labels: Invalid value: null: {LABELS}, "
            "spec.template.spec.containers: Required value]",
            cause("FieldValueRequired", "spec.selector", "Required value"),
            cause("FieldValueInvalid", "spec.template.metadata.labels", f"Invalid value: null: {LABELS}"),
            cause("FieldValueRequired", "spec.template.spec.containers", "Required value"),
            group="apps",
        ),
    ),
    "an unknown container's log": (
        "GET",
        "{root}/pods/app/log?container=zz",
        None,
        Refusal(400, "BadRequest", "container zz is not valid for pod app", {}),
    ),
    "a log that is not there": (
        "GET",
        "{root}/pods/none/log",
        None,
        Refusal(404, "NotFound", 'pods "none" not found', {"name": "none", "kind": "pods"}),
    ),
    "a log of the run before the first": (
        "GET",
        "{root}/pods/app/log?previous=true",
        None,
        Refusal(400, "BadRequest", 'previous terminated container "app" in pod "app" not found', {}),
    ),
    "fewer lines than none": (
        "GET",
        "{root}/pods/app/log?tailLines=-1",
        None,
        invalid(
            "PodLogOptions",
            "app",
            "tailLines: Invalid value: -1: must be greater than or equal to 0",
            cause("FieldValueInvalid", "tailLines", "Invalid value: -1: must be greater than or equal to 0"),
        ),
    ),
    "an exec without a websocket": (
        "GET",
        "{root}/pods/app/exec?command=cat&stdout=true",
        None,
        Refusal(400, "BadRequest", "Upgrade request required", {}),
    ),
    "an exec in a missing pod": (
        "GET",
        "{root}/pods/none/exec?command=cat&stdout=true",
        None,
        Refusal(404, "NotFound", 'pods "none" not found', {"name": "none", "kind": "pods"}),
    ),
    "an eviction of another": (
        "POST",
        "{root}/pods/app/eviction",
        {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "other"}},
        Refusal(400, "BadRequest", "name in URL does not match name in Eviction object", {}),
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_it_is_refused_in_the_server_s_words(side: Side, name: str) -> None:
    method, path, body, expected = CASES[name]
    await side.secret("taken")
    if "pods/app" in path:
        await side.pod("app")
    path = path.format(root=side.root, apps=side.apps)
    headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else None
    found = await refused(side.api.request(method, path, body=body, headers=headers))
    wanted = Refusal(
        expected.code, expected.reason, expected.message.replace("{namespace}", side.namespace), expected.details
    )
    assert found == wanted


async def test_a_patch_of_an_unknown_kind_is_refused(side: Side) -> None:
    await side.secret("taken")
    headers = {"Content-Type": "application/json"}
    refusal = await refused(side.api.request("PATCH", f"{side.root}/secrets/taken", body={}, headers=headers))
    assert (refusal.code, refusal.reason, refusal.message) == (
        415, "UnsupportedMediaType", "415: Unsupported Media Type"
    )  # fmt: skip


async def test_a_form_that_nobody_has_is_refused(side: Side) -> None:
    refusal = await refused(side.api.request("GET", f"{side.root}/pods", headers={"Accept": "text/html"}))
    assert (refusal.code, refusal.reason) == (406, "NotAcceptable")
    assert refusal.message.startswith("406: Not Acceptable")


@pytest.mark.parametrize("path", ["/nope", "/apis/nonsense.example/v1/things"])
async def test_a_path_that_is_nothing_is_no_status(side: Side, path: str) -> None:
    async with side.api.session.get(
        f"{side.api.url}{path}", headers={"Authorization": f"Bearer {side.api.token}"}
    ) as response:
        assert (response.status, await response.text()) == (404, "404 page not found\n")
