"""The issuer and the keys that the API servers publish: for outside verifiers, and to know whose a token is."""

import asyncio
from dataclasses import dataclass
from typing import TypeVar

from msgspec import Struct, field

from bot.errors import DoctorError
from bot.kube import read
from bot.kube.access import account_access
from bot.kube.client import Cluster
from bot.kube.connection import Connection
from bot.kube.facets.graph import EVERYTHING, Asking, facet
from bot.kube.facets.pod import pod
from bot.kube.gaps import (
    AbsentError,
    BadAnswerError,
    SlowError,
    UnavailableError,
    UnobservableError,
    UnreadableError,
    shortened,
)
from bot.kube.permissions import GET_ISSUER, GET_KEYS, Operation
from bot.kube.together import all_of, both
from bot.model import ClusterIssuer, Discovery, IssuerPublication
from bot.mounts import token_mounts

_PATIENCE_SECONDS = 3

T = TypeVar("T")


class Configuration(Struct, frozen=True):
    """`/.well-known/openid-configuration`."""

    issuer: str
    jwks_uri: str = ""
    algorithms: tuple[str, ...] = field(default=(), name="id_token_signing_alg_values_supported")


class _Key(Struct, frozen=True):
    kid: str = ""
    alg: str = ""


class Keys(Struct, frozen=True):
    """`/openid/v1/jwks`. Go writes an empty list as null."""

    keys: tuple[_Key, ...] | None


@dataclass(frozen=True, kw_only=True)
class Published:
    """The two answers of issuer discovery, each read or not."""

    configuration: Configuration | UnreadableError
    keys: Keys | UnreadableError

    def discovery(self) -> Discovery:
        """Raises UnreadableError where one of the answers was not read."""
        configuration, keys = self.configuration, self.keys
        for answer in (configuration, keys):
            if isinstance(answer, AbsentError):
                raise UnobservableError(
                    "the API server publishes no issuer: its --service-account-issuer is no https URL"
                )
        if isinstance(configuration, UnreadableError):
            raise configuration
        if isinstance(keys, UnreadableError):
            raise keys
        found = keys.keys or ()
        return Discovery(
            issuer=configuration.issuer,
            key_ids=tuple(key.kid for key in found),
            algorithms=tuple(sorted({key.alg for key in found if key.alg})) or configuration.algorithms,
        )


async def published_by(connection: Connection) -> Published:
    """What one address answers."""
    configuration, keys = await both(
        _answer(connection, GET_ISSUER, Configuration), _answer(connection, GET_KEYS, Keys, accept="*/*")
    )
    return Published(configuration=configuration, keys=keys)


@facet(of=EVERYTHING, shared=True)
async def published_issuer(asking: Asking) -> Published:
    """What the API server answers when it is asked for its issuer and its keys: read once, for two facets."""
    return await published_by(asking.api)


@facet(of=EVERYTHING, needs=(published_issuer,))
async def discovery(asking: Asking) -> Discovery:
    """The issuer and the keys, as this API server publishes them."""
    return asking.value(published_issuer).discovery()


@facet(of=EVERYTHING, needs=(published_issuer,), uses=(pod,))
async def issuer_publication(asking: Asking) -> IssuerPublication:
    """Whether others can check this cluster's tokens: the answers as they are, bad ones too.

    Whether a service account may read them is asked only where the pod has a token for others.
    """
    published = asking.value(published_issuer)
    configuration, keys = published.configuration, published.keys
    for answer in (configuration, keys):
        if isinstance(answer, UnreadableError) and not isinstance(answer, AbsentError | BadAnswerError):
            raise answer
    told = configuration if isinstance(configuration, Configuration) else Configuration(issuer="")
    return IssuerPublication(
        issuer=shortened(told.issuer),
        jwks_uri=shortened(told.jwks_uri),
        keys=len(keys.keys or ()) if isinstance(keys, Keys) else None,
        configuration_problem=str(configuration) if isinstance(configuration, UnreadableError) else "",
        keys_problem=str(keys) if isinstance(keys, UnreadableError) else "",
        unpublished=isinstance(configuration, AbsentError) and isinstance(keys, AbsentError),
        readable=await _readable(asking),
    )


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


async def _answer(
    connection: Connection, operation: Operation, wanted: type[T], *, accept: str = "application/json"
) -> T | UnreadableError:
    try:
        return await read.get(connection, operation, wanted, accept=accept)
    except UnreadableError as error:
        return error


async def _issuer(cluster: Cluster) -> ClusterIssuer | UnreadableError:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            published = await published_by(cluster.main)
        return ClusterIssuer(cluster=cluster.name, discovery=published.discovery())
    except UnreadableError as error:
        return error
    except TimeoutError:
        return SlowError(f"cluster {cluster.name} did not answer within {_PATIENCE_SECONDS} seconds")
    except DoctorError as error:
        return UnavailableError(str(error))


async def _readable(asking: Asking) -> bool | None:
    """Whether the pod's own account may read what is published: the default binding is for every service account.

    None where the pod has no token for others: then nobody has to check one.
    """
    found = asking.facet(pod).value
    if found is None or not any(mount.audience for mount in token_mounts(found)):
        return None
    namespace, account = asking.ref.namespace, found.spec.service_account_name
    access = await account_access(asking.api, namespace=namespace, account=account, rule=GET_KEYS.rule())
    return access.allowed
