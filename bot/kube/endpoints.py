"""The single API servers behind a cluster's address: a kept-alive connection asks one of them only."""

from bot import objects
from bot.kube import read
from bot.kube.client import Cluster
from bot.kube.permissions import API_SERVERS, LIST_ENDPOINT_SLICES

# Every API server's certificate has this name, whatever the address (kubeadm's, and the API server's own default).
TLS_NAME = "kubernetes.default.svc"
_HTTPS = 443


async def published(cluster: Cluster) -> tuple[str, ...]:
    """The URLs in the EndpointSlices of `default/kubernetes`, sorted. Raises UnreadableError."""
    slices = await read.get_some(
        cluster.main,
        LIST_ENDPOINT_SLICES,
        objects.EndpointSlice,
        namespace=API_SERVERS,
        query={"labelSelector": "kubernetes.io/service-name=kubernetes"},
    )
    return tuple(
        sorted(
            {
                _url(address, port.port or _HTTPS)
                for piece in slices
                for port in piece.ports or ()
                for endpoint in piece.endpoints or ()
                for address in endpoint.addresses
            }
        )
    )


def _url(address: str, port: int) -> str:
    return f"https://[{address}]:{port}" if ":" in address else f"https://{address}:{port}"
