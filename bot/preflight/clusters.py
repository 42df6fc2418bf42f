"""Each cluster: connected to, asked for its version, and for each right that what is switched on takes."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from bot.clusters import Connect
from bot.errors import ClusterUnreachableError, DoctorError, WrongUsageError
from bot.kube import endpoints, read
from bot.kube.access import may, whoami
from bot.kube.client import Cluster
from bot.kube.gaps import DeniedError, UnreadableError, UntrustedError
from bot.kube.permissions import GET_VERSION, LIST_NAMESPACES
from bot.kube.together import all_of
from bot.objects import KubeStruct, Version
from bot.preflight.rights import Feature, features, judged
from bot.preflight.seen import SeenCluster
from bot.preflight.trial import Section, Trial, failed, not_tried, ok
from config.settings import Settings

_LOOK = "Look at the API server, its address in the kubeconfig, and the network in between."
_CREDENTIALS = "Check clusters in the configuration, the kubeconfig and its credentials."
_AUTHORITY = "Check certificate-authority and tls-server-name in the kubeconfig."
_ENDPOINT_SECONDS = 2


class ClusterLook(NamedTuple):
    """What was tried of a cluster, and what was seen there."""

    trials: tuple[Trial, ...]
    seen: SeenCluster


class Asked(NamedTuple):
    """`namespaces` are those that a person names, none for all; `program` is how they call it.

    `seconds` are for each step.
    """

    namespaces: Sequence[str]
    program: str
    seconds: float


async def found(name: str, connect: Connect, seconds: float) -> tuple[Trial, ...]:
    """Only what the bot does not start without: a kubeconfig and context that are there. Nothing is asked of anybody.

    A cluster whose credentials cannot be had just now keeps it from nothing.
    """
    called = _called(name)
    try:
        async with asyncio.timeout(seconds):
            cluster = await connect()
    except (ClusterUnreachableError, TimeoutError):
        return ()
    except DoctorError as error:
        return (_trouble(called, error, seconds),)
    await cluster.close()
    return (ok(Section.CLUSTERS, f"{_called(cluster.name)}: {cluster.server}"),)


async def look(name: str, connect: Connect, settings: Settings, asked: Asked) -> ClusterLook:
    try:
        async with asyncio.timeout(asked.seconds):
            cluster = await connect()
    except (DoctorError, TimeoutError) as error:
        return ClusterLook((_trouble(_called(name), error, asked.seconds),), SeenCluster(name=name))
    try:
        return await _look(cluster, settings, asked)
    finally:
        await cluster.close()


async def _look(cluster: Cluster, settings: Settings, asked: Asked) -> ClusterLook:
    since = cluster.now()
    called = _called(cluster.name)
    try:
        async with asyncio.timeout(asked.seconds):
            version = await _version(cluster)
            user = await whoami(cluster.main)
    except (UnreadableError, DoctorError, TimeoutError) as error:
        return ClusterLook((_trouble(called, error, asked.seconds),), SeenCluster(name=cluster.name))
    as_whom = f", and takes token-doctor for {user}" if user else ""
    trials = [ok(Section.CLUSTERS, f"{called}: {cluster.server} answers, {version}{as_whom}")]
    there = await _namespaces(cluster, asked.seconds)
    wanted = features(settings, cluster.name, asked.namespaces, there)
    trials += await asyncio.gather(*(_rights(cluster, feature, user, asked) for feature in wanted))
    trials += await all_of(_endpoint(cluster, url) for url in cluster.endpoints)
    seen = SeenCluster(name=cluster.name, namespaces=there, dates=cluster.dates(since=since))
    return ClusterLook(tuple(trials), seen)


async def _version(cluster: Cluster) -> str:
    try:
        return f"Kubernetes {(await read.get(cluster.main, GET_VERSION, Version)).git_version}"
    except DeniedError:
        return "but does not tell its version"


async def _rights(cluster: Cluster, feature: Feature, user: str, asked: Asked) -> Trial:
    """Each by a SelfSubjectAccessReview: the authorizers' own word, whatever they are."""
    try:
        async with asyncio.timeout(asked.seconds):
            answers = await all_of(may(cluster.main, rule) for rule in feature.rules)
    except (UnreadableError, DoctorError, TimeoutError) as error:
        return _trouble(f"{_called(cluster.name)}, {feature.name}", error, asked.seconds)
    denied = [rule for rule, allowed in zip(feature.rules, answers, strict=True) if not allowed]
    return judged(cluster.name, feature, denied, user, asked.program)


class _Meta(KubeStruct, frozen=True, kw_only=True):
    name: str


class _Namespace(KubeStruct, frozen=True, kw_only=True):
    metadata: _Meta


async def _namespaces(cluster: Cluster, seconds: float) -> frozenset[str] | None:
    """None where they cannot be listed; the right to it has a line of its own."""
    try:
        async with asyncio.timeout(seconds):
            listed = await read.get_all(cluster.main, LIST_NAMESPACES, _Namespace, accept=read.METADATA_LIST)
    except (UnreadableError, DoctorError, TimeoutError):
        return None
    return frozenset(each.metadata.name for each in listed)


async def _endpoint(cluster: Cluster, url: str) -> Trial:
    """One of the API servers' own addresses, as the configuration names them."""
    called = f"{_called(cluster.name)}, endpoint {url}"
    try:
        await endpoints.ask(
            cluster, url, lambda connection: read.get(connection, GET_VERSION, Version), seconds=_ENDPOINT_SECONDS
        )
    except (UnreadableError, DoctorError) as error:
        return _trouble(called, error, _ENDPOINT_SECONDS)
    return ok(Section.CLUSTERS, f"{called} answers")


def _called(name: str) -> str:
    return f"cluster {name}" if name else "the cluster"


def _trouble(called: str, error: Exception, seconds: float) -> Trial:
    """What a failure says of the cluster: it is wrong, or nobody could say."""
    words = f"{called}: {str(error).rstrip('.')}"
    match error:
        case TimeoutError():
            return not_tried(Section.CLUSTERS, f"{called} did not answer within {seconds:g} seconds", _LOOK)
        case WrongUsageError() | ClusterUnreachableError():
            return failed(Section.CLUSTERS, words, error.next_step or _CREDENTIALS)
        case UntrustedError():
            return failed(Section.CLUSTERS, words, _AUTHORITY)
        case _:
            return not_tried(Section.CLUSTERS, words, _LOOK)
