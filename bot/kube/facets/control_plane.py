"""Each API server by itself: its version, and what it publishes."""

from msgspec.structs import replace

from bot import objects
from bot.errors import ClusterUnreachableError, DoctorError
from bot.kube import endpoints, read
from bot.kube.client import Cluster
from bot.kube.connection import Connection
from bot.kube.facets.graph import EVERYTHING, Asking, facet
from bot.kube.facets.issuer import Published, published_by
from bot.kube.gaps import DeniedError, UnavailableError, UnobservableError, UnreadableError, gap_of
from bot.kube.permissions import GET_VERSION
from bot.kube.together import all_of, both
from bot.model import EndpointDiscovery, GapKind

_DIRECT_SECONDS = 1.5


@facet(of=EVERYTHING)
async def version(asking: Asking) -> objects.Version:
    """The API server's version."""
    return await read.get(asking.api, GET_VERSION, objects.Version)


@facet(of=EVERYTHING)
async def api_servers(asking: Asking) -> tuple[str, ...]:
    """The address of each API server; none where they are not published (a managed or a loopback one)."""
    return await endpoints.published(asking.cluster)


class _RefusedBotError(UnavailableError):
    """An API server refuses the bot's own credentials, which the configured address accepts."""


@facet(of=EVERYTHING, uses=(api_servers,))
async def endpoint_discoveries(asking: Asking) -> tuple[EndpointDiscovery, ...]:
    """What each API server says of itself when it is asked at its own address, beside the configured one.

    One that cannot be reached from here is said to be missing: what it would say cannot be told.
    """
    published = asking.facet(api_servers)
    urls = endpoints.beside(asking.cluster, () if published.gap else published.read())
    answers = await all_of(_endpoint(asking.cluster, url) for url in urls)
    failed = [answer for answer in answers if isinstance(answer, UnreadableError)]
    if failed:
        gap = gap_of("endpoint_discoveries", failed[0])
        # An address that is published is often a private one; one that is configured should answer.
        private = not asking.cluster.endpoints and not isinstance(failed[0], DeniedError | _RefusedBotError)
        reason = f"not every API server could be asked by itself: {gap.reason}"
        kind = GapKind.UNOBSERVABLE if private else gap.kind
        asking.missing["endpoint_discoveries"] = replace(gap, kind=kind, reason=reason)
    return tuple(answer for answer in answers if isinstance(answer, EndpointDiscovery))


async def _endpoint(cluster: Cluster, url: str) -> EndpointDiscovery | UnreadableError:
    try:
        found, published = await endpoints.ask(cluster, url, _asked, seconds=_DIRECT_SECONDS)
        return EndpointDiscovery(endpoint=url, version=found.git_version, discovery=published.discovery())
    except UnobservableError:
        return EndpointDiscovery(endpoint=url)
    except UnreadableError as error:
        return error
    except ClusterUnreachableError:
        return _RefusedBotError(f"{url} refuses token-doctor's own credentials (401)")
    except DoctorError as error:
        return UnavailableError(str(error))


async def _asked(connection: Connection) -> tuple[objects.Version, Published]:
    return await both(read.get(connection, GET_VERSION, objects.Version), published_by(connection))
