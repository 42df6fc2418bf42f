"""Identities with exactly the rights that a test names."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.api import Api, ApiError, JsonObject
from tests.cluster.layout import Layout, write_kubeconfig
from tests.cluster.tokens import Tokens
from tests.cluster.waiting import eventually

RBAC = "rbac.authorization.k8s.io"
SERVICE_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True)
class Users:
    """Writes kubeconfigs into the control plane's folder."""

    api: Api
    layout: Layout
    tokens: Tokens

    async def kubeconfig_for(
        self, user: str, rules: Sequence[JsonObject], *, namespace: str | None = None, groups: Sequence[str] = ()
    ) -> Path:
        """A kubeconfig of somebody with these RBAC rules, in one namespace or in all.

        `system:serviceaccount:ns:name` is made if need be and comes with a token; any other name and its groups come
        with a client certificate. Give each test its own names.
        """
        await self.grant(user, rules, namespace=namespace)
        digest = hashlib.sha256(user.encode()).hexdigest()[:12]
        path = self.layout.users / f"{digest}.kubeconfig"
        if user.startswith(SERVICE_ACCOUNT):
            account_namespace, name = user.removeprefix(SERVICE_ACCOUNT).split(":")
            credentials = {"token": await self._account_token(account_namespace, name)}
        else:
            folder = self.layout.users / digest
            folder.mkdir(exist_ok=True)
            pair = self.layout.authority.issue(user, folder, organizations=groups)
            credentials = {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
        write_kubeconfig(path, self.api.url, self.layout.authority.certificate, credentials)
        return path

    async def grant(self, user: str, rules: Sequence[JsonObject], *, namespace: str | None = None) -> None:
        """Adds rules; returns once the API server's authoriser knows them."""
        if not rules:
            return
        name = "test-" + hashlib.sha256(json.dumps([user, namespace, *rules]).encode()).hexdigest()[:16]
        kind = "Role" if namespace else "ClusterRole"
        root = f"/apis/{RBAC}/v1" + (f"/namespaces/{namespace}" if namespace else "")
        role = {"metadata": {"name": name}, "rules": list(rules)}
        binding = {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": RBAC, "kind": kind, "name": name},
            "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
        }
        await self._create(f"{root}/{kind.lower()}s", role)
        await self._create(f"{root}/{kind.lower()}bindings", binding)
        await asyncio.gather(*(self._known(user, rule, namespace) for rule in rules))

    async def allowed(self, user: str, rule: JsonObject, *, namespace: str | None = None) -> bool:
        """Whether the API server's authoriser lets this user, who is authenticated, do it."""
        groups = ["system:authenticated"]
        spec: JsonObject = {"user": user, "groups": groups, **attributes(rule, namespace)}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        answer = await self.api.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        return answer["status"]["allowed"] is True

    async def _known(self, user: str, rule: JsonObject, namespace: str | None) -> None:
        await eventually(lambda: self.allowed(user, rule, namespace=namespace), bool, f"{user} has the right {rule}")

    async def _account_token(self, namespace: str, name: str) -> str:
        await self._create(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})
        return await self.tokens.mint(namespace, name, expiration_seconds=24 * 3600)

    async def _create(self, collection: str, body: JsonObject) -> None:
        try:
            await self.api.post(collection, body)
        except ApiError as error:
            if error.status != 409:  # it may be there already
                raise


def attributes(rule: JsonObject, namespace: str | None) -> JsonObject:
    """Of SubjectAccessReview: something that the rule allows."""
    verb = rule["verbs"][0]
    if urls := rule.get("nonResourceURLs"):
        return {"nonResourceAttributes": {"path": urls[0], "verb": verb}}
    resource, _, subresource = rule["resources"][0].partition("/")
    found = {
        "group": rule["apiGroups"][0],
        "resource": resource,
        "subresource": subresource,
        "verb": verb,
        "namespace": namespace or "",
        "name": rule.get("resourceNames", [""])[0],
    }
    return {"resourceAttributes": found}
