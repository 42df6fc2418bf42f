"""The configured clusters: connected at the start, and again where that failed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import structlog
from msgspec.structs import replace

from bot.errors import ClusterUnreachableError, DoctorError, WrongUsageError
from bot.kube.client import Cluster, connect, utc_now
from bot.kube.gaps import UnreadableError
from bot.kube.permissions import GET_VERSION
from bot.kube.read import get
from bot.kube.throwaway import sweep
from bot.model import Target
from bot.objects import Version
from config import settings as configured

log = structlog.get_logger(__name__)

Connect = Callable[[], Awaitable[Cluster]]


def ways(clusters: Sequence[configured.Cluster]) -> dict[str, Connect]:
    """How to connect to each cluster; without any configured, to the one that the environment gives."""
    if not clusters:
        return {"": partial(connect, "", now=utc_now)}
    return {cluster.name: partial(_connected, cluster) for cluster in clusters}


async def _connected(cluster: configured.Cluster) -> Cluster:
    kubeconfig = Path(cluster.kubeconfig) if cluster.kubeconfig else None
    return await connect(
        cluster.name, kubeconfig=kubeconfig, context=cluster.context, endpoints=cluster.endpoints, now=utc_now
    )


class Clusters:
    """By name. One whose credentials cannot be had does not stop the bot: it is tried again when it is asked about."""

    def __init__(self, ways: Mapping[str, Connect]) -> None:
        self._ways = dict(ways)
        self._lock = asyncio.Lock()
        self.connected: dict[str, Cluster] = {}

    async def start(self) -> None:
        """Connects to all at once. Raises WrongUsageError for a kubeconfig or context that does not exist."""
        names = tuple(self._ways)
        outcomes = await asyncio.gather(*map(self._connect, names), return_exceptions=True)
        for name, outcome in zip(names, outcomes, strict=True):
            if isinstance(outcome, ClusterUnreachableError):
                log.warning("a cluster cannot be reached", cluster=name, reason=str(outcome))
            elif isinstance(outcome, BaseException):
                await self.close()
                raise outcome

    async def _connect(self, name: str) -> None:
        cluster = await self._ways[name]()
        if cluster.name != name:
            # The one cluster of a configuration without names is called as its context is.
            self._ways[cluster.name] = self._ways.pop(name)
        self.connected[cluster.name] = cluster

    async def chosen(self, target: Target) -> Target:
        """The target with its cluster, which is connected from now on.

        Raises WrongUsageError where the target does not say which of several, and ClusterUnreachableError.
        """
        name = target.cluster or (next(iter(self._ways)) if len(self._ways) == 1 else "")
        name = next((known for known in self._ways if known.lower() == name.lower()), name)
        if name in self._ways and name not in self.connected:
            async with self._lock:
                if name in self._ways and name not in self.connected:
                    await self._connect(name)
        elif not name and len(self.connected) != len(self._ways):
            known = ", ".join(sorted(self._ways))
            raise WrongUsageError(
                "The target does not say its cluster.",
                next_step=f"Write it as cluster:namespace/name; the clusters are {known}.",
            )
        return replace(target, cluster=name)

    async def reached(self, name: str) -> Cluster:
        """The cluster of this name. Raises WrongUsageError where none is configured, and ClusterUnreachableError."""
        chosen = await self.chosen(Target(cluster=name, namespace="", name=""))
        if chosen.cluster not in self.connected:
            raise WrongUsageError(f"No cluster “{name}” is configured.")
        return self.connected[chosen.cluster]

    async def greet(self, seconds: float) -> None:
        """Asks each for its version, for the log only: an answer to a person tells it anew."""
        await asyncio.gather(*(self._greet(cluster, seconds) for cluster in self.connected.values()))

    async def _greet(self, cluster: Cluster, seconds: float) -> None:
        version, trouble = await _greeted(cluster, seconds)
        if trouble:
            log.warning("a cluster cannot be reached", cluster=cluster.name, server=cluster.server, reason=trouble)
        else:
            log.info("a cluster answers", cluster=cluster.name, version=version)

    async def looked_at(self, seconds: float) -> Mapping[str, tuple[str, str]]:
        """Each cluster's version, and why it cannot be reached; one of the two is ""."""
        names = self.names
        return dict(zip(names, await asyncio.gather(*(self._look(name, seconds) for name in names)), strict=True))

    async def _look(self, name: str, seconds: float) -> tuple[str, str]:
        try:
            return await _greeted(await self.reached(name), seconds)
        except DoctorError as error:
            return "", str(error)

    async def sweep(self, namespace: str, seconds: float) -> None:
        """Removes what probes of a killed process left in that namespace of each cluster."""
        await asyncio.gather(*(self._sweep(cluster, namespace, seconds) for cluster in self.connected.values()))

    async def _sweep(self, cluster: Cluster, namespace: str, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                removed = await sweep(cluster.main, namespace, utc_now())
        except (UnreadableError, DoctorError, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            log.warning("left-overs of probes were not looked for", cluster=cluster.name, reason=reason)
        else:
            if removed:
                log.info("left-overs of probes were removed", cluster=cluster.name, objects=removed)

    @property
    def names(self) -> Sequence[str]:
        return tuple(self._ways)

    async def close(self) -> None:
        await asyncio.gather(*(cluster.close() for cluster in self.connected.values()))


async def _greeted(cluster: Cluster, seconds: float) -> tuple[str, str]:
    """Its version, or why it does not say."""
    try:
        async with asyncio.timeout(seconds):
            return (await get(cluster.main, GET_VERSION, Version)).git_version, ""
    except (UnreadableError, DoctorError, TimeoutError) as error:
        return "", str(error) or "no answer in time"
