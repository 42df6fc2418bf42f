"""TokenReview: the API server's own verdict on a token, from each API server that can be reached."""

from collections.abc import Sequence

from msgspec import Struct

from bot.errors import DoctorError, NotATokenError
from bot.kube import endpoints, read
from bot.kube.client import Cluster
from bot.kube.connection import Connection
from bot.kube.gaps import UnreadableError, shortened
from bot.kube.permissions import REVIEW_TOKEN
from bot.kube.together import all_of
from bot.model import Review
from bot.redact import redact
from bot.tokens import RawToken

_DIRECT_SECONDS = 2


class _User(Struct, frozen=True):
    username: str = ""


class _Status(Struct, frozen=True):
    authenticated: bool = False
    user: _User = _User()
    error: str = ""


class _TokenReview(Struct, frozen=True):
    """The answer repeats the token in `spec`, so only `status` is decoded."""

    status: _Status = _Status()


async def review(cluster: Cluster, raw: RawToken, *, audiences: Sequence[str] = ()) -> tuple[Review, ...]:
    """What the API servers say of a token: first the one at the configured address, which must answer.

    Without audiences the API server's own are meant. Addresses that cannot be reached from here are left out.
    Raises UnreadableError (DeniedError with the rule, where the bot may not review) and NotATokenError.
    """
    if not raw.reveal().strip():
        raise NotATokenError("There is no token to review: the text is empty.")
    first = await _review(cluster.main, raw, audiences)
    others = await all_of(_review_direct(cluster, url, raw, audiences) for url in await _direct_urls(cluster))
    return (first, *(answer for answer in others if answer is not None))


async def _direct_urls(cluster: Cluster) -> tuple[str, ...]:
    if cluster.endpoints or not cluster.may_go_direct:
        return endpoints.beside(cluster, ())
    try:
        return endpoints.beside(cluster, await endpoints.published(cluster))
    except UnreadableError:
        # The facet `api_servers` says why; the configured address has answered already.
        return ()


async def _review_direct(cluster: Cluster, url: str, raw: RawToken, audiences: Sequence[str]) -> Review | None:
    try:
        return await endpoints.ask(
            cluster, url, lambda connection: _review(connection, raw, audiences), seconds=_DIRECT_SECONDS
        )
    except (UnreadableError, DoctorError):
        return None


async def _review(connection: Connection, raw: RawToken, audiences: Sequence[str]) -> Review:
    spec: dict[str, object] = {"token": raw.reveal()}
    if audiences:
        spec["audiences"] = list(audiences)
    answer = await read.create(connection, REVIEW_TOKEN, _TokenReview, {"spec": spec})
    return Review(
        endpoint=connection.server.url,
        authenticated=answer.status.authenticated,
        user=shortened(answer.status.user.username),
        error=redact(answer.status.error),
        audiences=tuple(audiences),
    )
