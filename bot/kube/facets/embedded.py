"""Credentials inside Secrets, where that route is switched on: decoded, reviewed where they belong, and dropped."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from bot.embedded import Found, SecretData, credentials, may_hold
from bot.errors import DoctorError
from bot.kube import read
from bot.kube.client import Cluster
from bot.kube.facets.control_plane import api_servers
from bot.kube.facets.graph import RUNNING, SECRET, Asking, facet
from bot.kube.facets.issuer import discovery, other_issuers
from bot.kube.facets.secrets import secrets
from bot.kube.facets.tokens import SECRET_DATA
from bot.kube.gaps import AbsentError, UnobservableError, UnreadableError, gap_of
from bot.kube.permissions import GET_SECRET
from bot.kube.review import review
from bot.kube.together import all_of
from bot.model import ClaimsKind, EmbeddedCredential, Layout, SecretSummary
from bot.tokens import RawToken

_OTHERS_SECONDS = 3
_LARGE = 64 * 1024
"""In characters: what is longer is parsed beside the loop, not on it."""

_CONFIGURE = "add that cluster under `clusters` in the configuration, and its tokens are judged there"
_PORTS = {"https": 443, "http": 80}
_OWN_NAMES = frozenset(f"kubernetes{rest}" for rest in ("", ".default", ".default.svc", ".default.svc.cluster.local"))


class _Judge(Struct, frozen=True):
    """The cluster that a token is meant for; `certain` unless only the authority says so."""

    cluster: Cluster
    certain: bool


@facet(
    of=RUNNING | SECRET, needs=(secrets,), uses=(discovery, other_issuers, api_servers), seconds=8, switch=SECRET_DATA
)
async def embedded(asking: Asking) -> tuple[EmbeddedCredential, ...]:
    """Kubeconfigs, Argo CD clusters and bare tokens in the Secrets that the answer is about.

    A pod's token Secrets are not among them: `secret_tokens` has those.
    """
    wanted = [held for held in asking.value(secrets) if asking.ref.kind in SECRET or not held.is_token]
    found = await all_of(_in_secret(asking, held) for held in wanted if held.keys and may_hold(held.type))
    return tuple(one for each in found for one in each)


async def _in_secret(asking: Asking, held: SecretSummary) -> tuple[EmbeddedCredential, ...]:
    name = held.metadata.name
    try:
        data = await read.get(asking.api, GET_SECRET, SecretData, namespace=asking.ref.namespace, name=name)
    except AbsentError:
        return ()
    large = sum(map(len, (data.data or {}).values())) > _LARGE
    found = await asyncio.to_thread(credentials, data) if large else credentials(data)
    return await all_of(_judged(asking, held, one) for one in found)


async def _judged(asking: Asking, held: SecretSummary, found: Found) -> EmbeddedCredential:
    name = held.metadata.name
    seen = EmbeddedCredential(
        secret=name,
        place=f"Secret {name}, {found.place}",
        layout=found.layout,
        server=found.server,
        claims=found.claims,
        certificate=found.certificate,
        problem=found.problem,
    )
    judge = next(_judges(asking, found), None)
    if judge:
        seen = replace(seen, cluster=judge.cluster.name, certain=judge.certain)
    if found.raw is None or found.claims is None or found.claims.kind is ClaimsKind.FOREIGN:
        # Somebody else's token is none of an API server's business.
        return seen
    if judge is None:
        whose = f"is for {found.server}, which" if found.server else "names no server, and its issuer"
        return _unasked(
            asking, seen, UnobservableError(f"{seen.place}: it {whose} is of no configured cluster", mend=_CONFIGURE)
        )
    if held.metadata.labels.legacy_token_invalid_since and found.layout is Layout.TOKEN_SECRET:
        # Its label says what a review would; a review would move the label of its last use.
        return seen
    return await _reviewed(asking, seen, judge.cluster, found.raw)


async def _reviewed(asking: Asking, seen: EmbeddedCredential, cluster: Cluster, raw: RawToken) -> EmbeddedCredential:
    """What the cluster says; of another one that gives no answer that is told, and spoils nothing."""
    if cluster is asking.cluster:
        try:
            return replace(seen, reviews=await review(cluster, raw))
        except UnreadableError as error:
            return _unasked(asking, seen, error)
    try:
        async with asyncio.timeout(_OTHERS_SECONDS):
            return replace(seen, reviews=await review(cluster, raw))
    except TimeoutError:
        why = f"it did not answer within {_OTHERS_SECONDS} seconds"
    except (UnreadableError, DoctorError) as error:
        why = str(error)
    return _unasked(asking, seen, UnobservableError(f"{seen.place}: cluster {cluster.name} was not asked: {why}"))


def _unasked(asking: Asking, seen: EmbeddedCredential, error: UnreadableError) -> EmbeddedCredential:
    """It has no answer. The facet says why: for the gravest reason, where there are several."""
    gap = gap_of(embedded.name, error)
    if gap.kind.spoils or embedded.name not in asking.missing:
        asking.missing[embedded.name] = gap
    return replace(seen, unasked=str(error))


# --- whose token it is --------------------------------------------------------------------------------------


def _judges(asking: Asking, found: Found) -> Iterator[_Judge]:
    """The surest first: the address it is shown to, the key it is signed with, the server's authority.

    Several clusters may share an authority of their company's, so that alone is not certain.
    """
    if found.layout is Layout.TOKEN_SECRET:
        yield _Judge(asking.cluster, certain=True)
    clusters = (asking.cluster, *asking.others)
    for cluster in clusters:
        if found.server and _same_address(found.server, _addresses(asking, cluster)):
            yield _Judge(cluster, certain=True)
    for cluster in clusters:
        if found.claims and found.claims.key_id in _key_ids(asking, cluster):
            yield _Judge(cluster, certain=True)
    for cluster in clusters:
        if _certificates(found.authority) & _certificates(cluster.main.server.authority):
            yield _Judge(cluster, certain=False)


def _addresses(asking: Asking, cluster: Cluster) -> tuple[str, ...]:
    published = asking.facet(api_servers).value or () if cluster is asking.cluster else ()
    own = tuple(f"https://{name}" for name in sorted(_OWN_NAMES)) if cluster is asking.cluster else ()
    return (cluster.server, *cluster.endpoints, *published, *own)


def _key_ids(asking: Asking, cluster: Cluster) -> frozenset[str]:
    if cluster is asking.cluster:
        own = asking.facet(discovery).value
        return frozenset(own.key_ids if own else ())
    others = asking.facet(other_issuers).value or ()
    return frozenset(key for other in others if other.cluster == cluster.name for key in other.discovery.key_ids)


def _same_address(server: str, addresses: tuple[str, ...]) -> bool:
    return _parts(server) in {_parts(address) for address in addresses}


def _parts(url: str) -> tuple[str, int, str]:
    split = urlsplit(url)
    return split.hostname or "", split.port or _PORTS.get(split.scheme, 0), split.path.rstrip("/")


def _certificates(pem: str) -> frozenset[str]:
    """The certificates of a bundle, each without its line breaks."""
    blocks = pem.split("-----BEGIN CERTIFICATE-----")[1:]
    return frozenset("".join(block.partition("-----END")[0].split()) for block in blocks)
