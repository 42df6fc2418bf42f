"""The pod that is asked about: its token has expired, its process still sends it, both logs say so."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks.fill import Team
from tests.cluster.api import JsonObject
from tests.cluster.plane import Plane
from tests.cluster.workloads import container_of, path_of

LOG_LINES = 2000
AGE = timedelta(hours=30)
REFUSED = 'E1122 reflector.go:166] "Unhandled Error" err="failed to list *v1.ConfigMap: Unauthorized"'
TIMES = 3


@dataclass(frozen=True)
class Target:
    """`token` is the one that is refused; `secret` a token Secret of the pod's service account."""

    namespace: str
    pod: str
    account: str
    secret: str
    token: str


async def prepare(plane: Plane, team: Team) -> Target:
    """One pod of the team's Deployment, with two thousand lines in its log and three refusals at their end."""
    selector = {"labelSelector": f"app.kubernetes.io/name={team.name}"}
    found = (await plane.api.get(f"/api/v1/namespaces/{team.namespace}/pods", selector))["items"]
    pod = {"apiVersion": "v1", "kind": "Pod", **min(found, key=lambda each: str(each["metadata"]["name"]))}
    for path in (path_of(pod), f"/api/v1/namespaces/{team.namespace}/serviceaccounts/{team.name}"):
        await plane.etcd.age(path, by=AGE)
    claims = await plane.tokens.bound_claims(team.namespace, team.name, pod=pod)
    token = plane.tokens.sign({**claims, "exp": claims["exp"] - 7200})
    await _refuse(plane, pod, token)
    return Target(team.namespace, pod["metadata"]["name"], team.name, f"{team.name}-token", token)


async def _refuse(plane: Plane, pod: JsonObject, token: str) -> None:
    start = datetime.now(UTC)
    lines = [
        (start - timedelta(seconds=10 * back), f"GET /cart/{back} 200 {back % 40} ms user-agent=shop/1.4")
        for back in range(LOG_LINES - TIMES, 0, -1)
    ]
    for _ in range(TIMES):
        status = await plane.tokens.authenticate(token)
        if status != 401:  # noqa: PLR2004  # the status that all of this is about
            raise RuntimeError(f"the API server answered {status} to an expired token")
        lines.append((datetime.now(UTC), REFUSED))
    plane.kubelet.set_logs(container_of(pod, "app"), lines)
    plane.kubelet.set_logs(container_of(pod, "proxy"), [(start, "listening on :15000")])
