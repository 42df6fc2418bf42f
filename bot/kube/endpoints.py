"""The single API servers behind a cluster's address: a kept-alive connection asks one of them only."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from bot import objects
from bot.kube import read
from bot.kube.client import Cluster
from bot.kube.connection import Connection
from bot.kube.gaps import SlowError, UntrustedError
from bot.kube.permissions import API_SERVERS, LIST_ENDPOINT_SLICES

# Every API server's certificate has this name, whatever the address (kubeadm's, and the API server's own default).
TLS_NAME = "kubernetes.default.svc"
_HTTPS = 443
_QUIET_SECONDS = 60
"""One that did not answer is left alone for so long: its address is private, as a rule, and each try costs time."""

T = TypeVar("T")


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


def beside(cluster: Cluster, found: Sequence[str]) -> tuple[str, ...]:
    """The API servers to ask by themselves beside the configured address: the configured ones, else those published.

    None around a proxy, and none where certificates could not be checked.
    """
    urls = cluster.endpoints or (tuple(found) if cluster.may_go_direct else ())
    return tuple(url for url in urls if url != cluster.server)


async def ask(cluster: Cluster, url: str, question: Callable[[Connection], Awaitable[T]], *, seconds: float) -> T:
    """The answer of one API server at its own address.

    An address is often private: a packet to it is dropped, not refused. Raises UnreadableError, and DoctorError where
    it refuses the bot's credentials.
    """
    loop = asyncio.get_running_loop()
    if cluster.quiet_until.get(url, 0) > loop.time():
        raise SlowError(f"{url} did not answer a moment ago")
    names = ("",) if cluster.endpoints else (TLS_NAME, "")
    try:
        async with asyncio.timeout(seconds):
            for name in names[:-1]:
                with suppress(UntrustedError):
                    return await question(cluster.direct(url, tls_name=name))
            return await question(cluster.direct(url, tls_name=names[-1]))
    except TimeoutError:
        cluster.quiet_until[url] = loop.time() + _QUIET_SECONDS
        raise SlowError(f"{url} did not answer within {seconds:g} seconds") from None


def _url(address: str, port: int) -> str:
    return f"https://[{address}]:{port}" if ":" in address else f"https://{address}:{port}"
