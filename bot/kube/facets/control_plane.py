"""What the API servers say of themselves."""

import asyncio

from msgspec import Struct, field

from bot import objects
from bot.errors import DoctorError
from bot.kube import endpoints, read
from bot.kube.client import Cluster
from bot.kube.connection import Connection
from bot.kube.facets.graph import EVERYTHING, Asking, facet
from bot.kube.gaps import AbsentError, SlowError, UnavailableError, UnobservableError, UnreadableError
from bot.kube.permissions import GET_ISSUER, GET_KEYS, GET_VERSION
from bot.kube.together import all_of, both
from bot.model import ClusterIssuer, Discovery

_PATIENCE_SECONDS = 3


class _Configuration(Struct, frozen=True):
    """`/.well-known/openid-configuration`."""

    issuer: str
    algorithms: tuple[str, ...] = field(default=(), name="id_token_signing_alg_values_supported")


class _Key(Struct, frozen=True):
    kid: str = ""
    alg: str = ""


class _Keys(Struct, frozen=True):
    """`/openid/v1/jwks`."""

    keys: tuple[_Key, ...] = ()


@facet(of=EVERYTHING)
async def version(asking: Asking) -> objects.Version:
    """The API server's version."""
    return await read.get(asking.api, GET_VERSION, objects.Version)


@facet(of=EVERYTHING)
async def discovery(asking: Asking) -> Discovery:
    """The issuer and the keys, as this API server publishes them."""
    return await _discovery(asking.api)


@facet(of=EVERYTHING, seconds=_PATIENCE_SECONDS + 1)
async def other_issuers(asking: Asking) -> tuple[ClusterIssuer, ...]:
    """What the other clusters publish: a token may be one of theirs. Clusters that do not answer are left out.

    Only when none of them answers is it a Gap.
    """
    answers = await all_of(_issuer(cluster) for cluster in asking.others)
    issuers = tuple(answer for answer in answers if isinstance(answer, ClusterIssuer))
    failures = [answer for answer in answers if isinstance(answer, UnreadableError)]
    if failures and not issuers:
        raise failures[0]
    return issuers


@facet(of=EVERYTHING)
async def api_servers(asking: Asking) -> tuple[str, ...]:
    """The address of each API server; none where they are not published (a managed or a loopback one)."""
    return await endpoints.published(asking.cluster)


async def _discovery(connection: Connection) -> Discovery:
    try:
        configuration, keys = await both(
            read.get(connection, GET_ISSUER, _Configuration), read.get(connection, GET_KEYS, _Keys, accept="*/*")
        )
    except AbsentError:
        raise UnobservableError(
            "the API server publishes no issuer: its --service-account-issuer is no https URL"
        ) from None
    return Discovery(
        issuer=configuration.issuer,
        key_ids=tuple(key.kid for key in keys.keys),
        algorithms=tuple(sorted({key.alg for key in keys.keys if key.alg})) or configuration.algorithms,
    )


async def _issuer(cluster: Cluster) -> ClusterIssuer | UnreadableError:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return ClusterIssuer(cluster=cluster.name, discovery=await _discovery(cluster.main))
    except UnreadableError as error:
        return error
    except TimeoutError:
        return SlowError(f"cluster {cluster.name} did not answer within {_PATIENCE_SECONDS} seconds")
    except DoctorError as error:
        return UnavailableError(str(error))
