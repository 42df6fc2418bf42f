"""What the stories are about: Deployments that run, service accounts, and the rights of the people."""

import asyncio
from collections.abc import Mapping, Sequence

from bot.model import ActionKind
from tests.cluster.api import Api, JsonObject
from tests.cluster.users import RBAC, attributes
from tests.cluster.waiting import eventually
from tests.cluster.workloads import CONTAINER, RUNS
from tests.crash.plan import Story

MAY_ASK = "crash-campaign"
"""The group, as Kubernetes calls it, of all who ask or approve."""
_RULES: Sequence[JsonObject] = (
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]},
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
)


async def allow(api: Api, namespace: str) -> None:
    """The group may do by hand what is asked for here; returns once the authoriser knows."""
    root = f"/apis/{RBAC}/v1/namespaces/{namespace}"
    await api.post(f"{root}/roles", {"metadata": {"name": MAY_ASK}, "rules": list(_RULES)})
    subject = {"apiGroup": RBAC, "kind": "Group", "name": MAY_ASK}
    role = {"apiGroup": RBAC, "kind": "Role", "name": MAY_ASK}
    await api.post(f"{root}/rolebindings", {"metadata": {"name": MAY_ASK}, "roleRef": role, "subjects": [subject]})
    for rule in _RULES:
        spec = {"user": "erin@shop.example", "groups": [MAY_ASK], **attributes(rule, namespace)}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}

        async def allowed(review: JsonObject = review) -> bool:
            answer = await api.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
            return answer["status"]["allowed"] is True

        await eventually(allowed, bool, f"the people have the right {rule}")


async def make(api: Api, namespace: str, stories: Sequence[Story]) -> Mapping[str, JsonObject]:
    """An object for each story, by its name: what is acted on. Every pod is ready."""
    deployed = [story for story in stories if story.deed is not ActionKind.CREATE_TOKEN_SECRET]
    workloads_at = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    accounts_at = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    await asyncio.gather(
        *(api.post(workloads_at, _deployment(story.name)) for story in deployed),
        *(api.post(accounts_at, {"metadata": {"name": story.name}}) for story in stories if story not in deployed),
    )
    workloads = await _run(api, namespace)
    pods = (await api.get(f"/api/v1/namespaces/{namespace}/pods"))["items"]
    by_app = {pod["metadata"]["labels"]["app"]: pod for pod in pods}
    accounts = (await api.get(accounts_at))["items"]
    made = {each["metadata"]["name"]: each for each in [*workloads, *accounts]}
    return {
        story.name: by_app[story.name] if story.deed is ActionKind.DELETE_POD else made[story.name] for story in stories
    }


async def change(api: Api, namespace: str, story: Story) -> None:
    """The object is another one from now on: its template, or the whole of it."""
    if story.deed is ActionKind.CREATE_TOKEN_SECRET:
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        await api.delete(f"{path}/{story.name}")
        await api.post(path, {"metadata": {"name": story.name}})
        return
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{story.name}"
    template = {"metadata": {"annotations": {"shop.example/release": "2"}}}
    await api.patch(path, {"spec": {"template": template}})
    await eventually(lambda: api.get(path), RUNS["Deployment"], f"{story.name} has rolled out")


async def _run(api: Api, namespace: str) -> list[JsonObject]:
    async def listed() -> list[JsonObject]:
        found: list[JsonObject] = (await api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments"))["items"]
        return found

    return await eventually(listed, lambda found: all(map(RUNS["Deployment"], found)), "all Deployments run")


def _deployment(name: str) -> JsonObject:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [CONTAINER], "terminationGracePeriodSeconds": 0},
            },
        },
    }
