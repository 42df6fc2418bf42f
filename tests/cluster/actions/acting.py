"""What the tests of the actions have in common: an action carried out, a policy that forbids, a look for tokens."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import msgspec

from bot.actions.action import Action, Progress
from bot.actions.catalog import ACTIONS
from bot.kube.client import Cluster
from bot.model import ActionKind, ObjectRef, Plan
from bot.redact import holds_token
from tests.cluster.api import ApiError, JsonObject
from tests.cluster.plane import Plane
from tests.cluster.waiting import eventually

ADMISSION = "/apis/admissionregistration.k8s.io/v1"


def ref_of(found: JsonObject, *, uid: bool = True) -> ObjectRef:
    meta = found["metadata"]
    return ObjectRef(
        cluster="test",
        api_version=found["apiVersion"],
        kind=found["kind"],
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"] if uid else "",
    )


@dataclass
class Acting:
    """One action on one object, with all that was said of it; no token may be in that."""

    cluster: Cluster
    kind: ActionKind
    ref: ObjectRef
    parameters: Mapping[str, str] = field(default_factory=dict)
    request: str = field(default_factory=lambda: f"r-{uuid4().hex[:8]}")
    said: list[Progress] = field(default_factory=list)

    @property
    def action(self) -> Action:
        return ACTIONS[self.kind]

    async def plan(self) -> Plan:
        found = await self.action.plan(self.cluster, self.ref, self.parameters)
        assert not holds_token(msgspec.json.encode(found).decode())
        assert found.kind is self.kind
        assert found.ref.uid
        again = await self.action.plan(self.cluster, found.ref, found.parameters)
        assert again == found, "a plan made again with its own parameters is the same plan"
        return found

    async def apply(self, plan: Plan) -> None:
        await self.action.apply(self.cluster, plan, self.request)

    async def is_done(self, plan: Plan) -> bool:
        return await self.action.is_done(self.cluster, plan, self.request)

    async def follow(self, plan: Plan, *, seconds: float = 60) -> Progress:
        """The last progress."""
        self.said.clear()
        until = self.cluster.now() + timedelta(seconds=seconds)
        async for progress in self.action.follow(self.cluster, plan, self.request, until):
            assert not holds_token(repr(progress))
            self.said.append(progress)
        assert [each.ended for each in self.said[-1:]] == [True]
        assert not any(each.ended for each in self.said[:-1])
        return self.said[-1]

    async def carry_out(self) -> Progress:
        plan = await self.plan()
        assert not await self.is_done(plan)
        await self.apply(plan)
        return await self.follow(plan)


@asynccontextmanager
async def forbidden(
    plane: Plane, namespace: str, *, resources: Sequence[str], operations: Sequence[str], words: str, group: str = "*"
) -> AsyncIterator[None]:
    """A ValidatingAdmissionPolicy that refuses all of these in the namespace, from the first statement on."""
    name = f"no-{uuid4().hex[:10]}"
    rule = {"apiGroups": [group], "apiVersions": ["*"], "operations": list(operations), "resources": list(resources)}
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": "false", "message": words}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}},
        },
    }
    paths = [f"{ADMISSION}/validatingadmissionpolicies", f"{ADMISSION}/validatingadmissionpolicybindings"]
    await plane.api.post(paths[0], policy)
    await plane.api.post(paths[1], binding)
    try:
        yield
    finally:
        for path in reversed(paths):
            await plane.api.delete(f"{path}/{name}")


async def refused_by(plane: Plane, method: str, path: str, body: JsonObject, words: str) -> None:
    """Waits until the API server enforces a policy: this request, as a dry run, is refused in its words."""

    async def answer() -> str:
        try:
            headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
            await plane.api.request(method, path, body=body, params={"dryRun": "All"}, headers=headers)
        except ApiError as error:
            return error.text
        await asyncio.sleep(0.2)
        return ""

    await eventually(answer, lambda text: words in text, f"{method} {path} is refused")
