"""A node's Lease, renewed as its kubelet does it: by the node's own clock."""

import datetime as dt

from tests.cluster.api import Api, ApiError, JsonObject
from tests.cluster.kubelet.state import State

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
DURATION_SECONDS = 40
RENEW_SECONDS = 10


async def renew(api: Api, state: State, node: JsonObject) -> None:
    """Creates or renews the node's Lease; somebody else's renewal in between wins."""
    name = node["metadata"]["name"]
    base = await _present(api, name)
    # after the read: a clock that a test sets meanwhile comes with a renewal, which makes this one a conflict
    lease = base or _new(node)
    lease["spec"] = {
        "holderIdentity": name,
        "leaseDurationSeconds": DURATION_SECONDS,
        "renewTime": micro_time(dt.datetime.now(dt.UTC) - state.clock_lag(name)),
    }
    manager = {"fieldManager": "kubelet"}
    try:
        if base is None:
            await api.post(LEASES, lease, manager)
        else:
            await api.put(f"{LEASES}/{name}", lease, manager)
    except ApiError as error:
        if error.status != 409:
            raise


def micro_time(moment: dt.datetime) -> str:
    """Kubernetes' MicroTime."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def _present(api: Api, name: str) -> JsonObject | None:
    try:
        return await api.get(f"{LEASES}/{name}")
    except ApiError as error:
        if error.status == 404:
            return None
        raise


def _new(node: JsonObject) -> JsonObject:
    metadata = node["metadata"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": metadata["name"], "uid": metadata["uid"]}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": metadata["name"], "namespace": "kube-node-lease", "ownerReferences": [owner]},
    }
