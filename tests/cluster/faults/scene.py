"""What a fault is told in: a namespace of the real control plane, and the few moves that all faults share."""

import asyncio
import fcntl
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tests.cluster.api import ApiError, JsonObject
from tests.cluster.kubelet.state import ExecOutcome
from tests.cluster.plane import Plane
from tests.cluster.waiting import eventually
from tests.cluster.workloads import container_of, path_of

TOKEN_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token"
CLIENT_GO_401 = 'E1122 reflector.go:166] "Unhandled Error" err="failed to list *v1.ConfigMap: Unauthorized"'
APART = 2.6
"""Seconds between the refused requests of two tests: the API server's lines name no client, only a time."""


@dataclass(frozen=True)
class Scene:
    """One fault's stage."""

    plane: Plane
    namespace: str

    month = timedelta(days=30)

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def account(self, name: str = "checkout", **fields: object) -> JsonObject:
        metadata = {"name": name, "namespace": self.namespace}
        return await self.plane.workloads.create(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, **fields}
        )

    async def pod(self, spec: JsonObject | None = None, *, age: timedelta = timedelta(hours=30)) -> JsonObject:
        """A running pod of a service account of its own, as if it had been started some time ago."""
        spec = {"serviceAccountName": "checkout", **(spec or {})}
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts"
        names = [found["metadata"]["name"] for found in (await self.plane.api.get(path))["items"]]
        if spec["serviceAccountName"] not in names:
            account = await self.account(spec["serviceAccountName"])
            await self.plane.etcd.age(path_of(account), by=age + timedelta(days=1))
        pod = await self.plane.workloads.run_pod(self.namespace, spec=spec)
        await self.plane.etcd.age(path_of(pod), by=age)
        return await self.plane.api.get(path_of(pod))

    def repeats(self, pod: JsonObject, text: str) -> None:
        """The pod writes this line again and again, until a minute ago."""
        self.log(pod, [(moment, text) for moment, _ in self.worked(self.now())])

    async def pod_and_claims(self) -> tuple[JsonObject, JsonObject]:
        """Such a pod, and the claims of a good token of it: change one, then sign."""
        pod = await self.pod()
        return pod, await self.plane.tokens.bound_claims(self.namespace, "checkout", pod=pod)

    async def token_secret(self, name: str = "checkout-token", account: str = "checkout") -> JsonObject:
        """A legacy token Secret, filled by the token controller."""
        secret = await self.plane.workloads.create(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "type": "kubernetes.io/service-account-token",
                "metadata": {
                    "name": name,
                    "namespace": self.namespace,
                    "annotations": {"kubernetes.io/service-account.name": account},
                },
            }
        )
        while "token" not in (secret.get("data") or {}):
            await asyncio.sleep(0.05)
            secret = {**secret, **await self.plane.api.get(path_of(secret))}
        return secret

    async def default_account(self) -> None:
        """The namespace's default account, a month old."""
        await self.plane.etcd.age(f"/api/v1/namespaces/{self.namespace}/serviceaccounts/default", by=self.month)

    async def gone(self, found: JsonObject) -> None:
        """Returns once a controller has deleted it."""
        path = path_of(found)
        parent, _, name = path.rpartition("/")
        await eventually(
            lambda: self.plane.api.get(parent),
            lambda answer: name not in {each["metadata"]["name"] for each in answer["items"]},
            f"{path} is gone",
        )

    def log(
        self,
        pod: JsonObject,
        lines: Sequence[tuple[datetime, str]],
        container: str | None = None,
        *,
        previous: bool = False,
    ) -> None:
        self.plane.kubelet.set_logs(container_of(pod, container), list(lines), previous=previous)

    async def event(self, pod: JsonObject, reason: str, message: str, *, before: timedelta = timedelta()) -> None:
        """A warning about the pod, as its kubelet writes one, that long ago."""
        about = {key: pod["metadata"][key] for key in ("name", "namespace", "uid")}
        stamp = (self.now() - before).strftime("%Y-%m-%dT%H:%M:%SZ")
        await self.plane.workloads.create(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": f"{about['name']}.{reason.lower()}", "namespace": self.namespace},
                "involvedObject": {"apiVersion": "v1", "kind": "Pod", **about},
                "type": "Warning",
                "reason": reason,
                "message": message,
                "count": 4,
                "firstTimestamp": stamp,
                "lastTimestamp": stamp,
                "source": {"component": "kubelet", "host": "worker-1"},
            }
        )

    async def answer(self, token: str, path: str) -> str:
        """The API server's words to a client that it refuses."""
        client = replace(self.plane.api, token=token or None)
        try:
            await client.get(path)
        except ApiError as error:
            return error.text.replace("\n", "")
        raise AssertionError(f"{path} was allowed")

    def worked(self, before: datetime) -> list[tuple[datetime, str]]:
        """A few lines of a service at work, ten minutes apart, up to a minute before that time."""
        return [(before - timedelta(minutes=1 + 10 * back), "GET /cart 200 3ms") for back in range(4, -1, -1)]

    async def refused(self, pod: JsonObject, token: str, *, container: str | None = None, times: int = 3) -> None:
        """The pod sends a token that is really refused, so that both logs have it: its own and the API server's."""
        start = datetime.now(UTC)
        moments = await self._send(token, times)
        lines = [*self.worked(start), *((moment, CLIENT_GO_401) for moment in moments)]
        self.log(pod, lines, container)

    async def refused_elsewhere(self, token: str) -> None:
        """A client outside of the cluster sends it: only the API server's log has the refusals."""
        await self._send(token, 3)

    async def successor(self, pod: JsonObject) -> JsonObject:
        """The pod of the same name that its controller has made in its place, running."""
        path = path_of(pod)
        parent, _, name = path.rpartition("/")
        found = await eventually(
            lambda: self.plane.api.get(parent),
            lambda answer: any(
                each["metadata"]["name"] == name
                and each["metadata"]["uid"] != pod["metadata"]["uid"]
                and each["status"]["phase"] == "Running"
                for each in answer["items"]
            ),
            f"{path} runs again",
        )
        fresh = next(each for each in found["items"] if each["metadata"]["name"] == name)
        return {"apiVersion": "v1", "kind": "Pod", **fresh}

    async def sends(self, pod: JsonObject, token: str) -> None:
        """The token stands in the pod's file, and is really refused."""
        self.holds(pod, token)
        await self.refused(pod, token)

    async def _send(self, token: str, times: int) -> list[datetime]:
        """At a time of its own, apart from the refusals of every other test that shares this API server."""
        slot = self.plane.kubeconfig.with_name("refusals.lock")
        with slot.open("a+") as held:
            await asyncio.to_thread(fcntl.flock, held, fcntl.LOCK_EX)
            held.seek(0)
            last = float(held.read() or 0)
            await asyncio.sleep(max(0.0, last + APART - time.time()))
            moments = []
            for _ in range(times):
                assert await self.plane.tokens.authenticate(token) == 401
                moments.append(datetime.now(UTC))
                await asyncio.sleep(0.2)
            held.truncate(0)
            held.write(str(time.time()))
        return moments

    def says_401(self, pod: JsonObject, container: str | None = None) -> None:
        """Only the pod's own log has the refusals."""
        now = datetime.now(UTC)
        refused = [(now - timedelta(seconds=30 * back), CLIENT_GO_401) for back in range(6, -1, -1)]
        self.log(pod, [*self.worked(now - timedelta(minutes=5)), *refused], container)

    def holds(self, pod: JsonObject, token: str, *, path: str = TOKEN_FILE) -> None:
        """What `cat` finds in the container."""
        self.plane.kubelet.set_exec(container_of(pod), ExecOutcome(["cat", path], stdout=token))
