"""One address of an API server: TLS, the bot's credentials, and one more try after a 401 or a 429."""

import asyncio
import os
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from msgspec import Struct
from multidict import CIMultiDict

from bot.errors import ClusterUnreachableError, WrongUsageError
from bot.kube.certificates import not_after
from bot.kube.gaps import SlowError, UnavailableError, UntrustedError, shortened
from bot.kube.login import Identity, Login
from bot.model import ServedDate

_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)
_UNAUTHORIZED = 401
_TOO_MANY = 429
_LONGEST_WAIT_SECONDS = 2
_CONNECTIONS_AT_ONCE = 50
_MOST_DATES = 500


class Server(Struct, frozen=True, kw_only=True):
    """Where an API server is. `authority` is PEM, "" for the machine's own; `tls_name` replaces the host's."""

    url: str
    authority: str = ""
    verify: bool = True
    tls_name: str = ""
    proxy: str = ""


class Call(Struct, frozen=True, kw_only=True):
    """A request. The body may hold a token, so it is never shown."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    accept: str = "application/json"
    content_type: str = "application/json"
    body: Mapping[str, object] | None = None

    def __repr__(self) -> str:
        return f"Call({self.method} {self.path})"


class Connection:
    """Requests to one address.

    They go through the client's generic call: its per-API classes take over a second and 100 MiB to import.
    """

    def __init__(self, server: Server, login: Login, *, cluster: str, now: Callable[[], datetime]) -> None:
        self.server = server
        self._login = login
        self._cluster = cluster
        self._now = now
        self._lock = asyncio.Lock()
        self._shown: Identity | None = None
        self._clients: list[ApiClient] = []
        self.dates: deque[ServedDate] = deque(maxlen=_MOST_DATES)

    async def close(self) -> None:
        clients, self._clients, self._shown = self._clients, [], None
        for client in clients:
            await client.close()

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response, its body unread.

        Raises UnavailableError and SlowError, and ClusterUnreachableError where the bot itself gets a 401.
        """
        with _explained(self.server.url):
            response = await self._authenticated(lambda identity: self._send(call, identity))
            if (wait := _asked_to_wait(response)) is not None:
                response.release()
                await asyncio.sleep(wait)
                response = await self._authenticated(lambda identity: self._send(call, identity))
            try:
                yield response
            finally:
                response.release()

    @asynccontextmanager
    async def websocket(self, call: Call, protocol: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """An open websocket. Raises as `open` does, and aiohttp.WSServerHandshakeError with the server's status.

        The client's own websocket call knows neither the proxy nor `tls-server-name`.
        """
        with _explained(self.server.url):
            identity = await self._login.identity()
            try:
                socket = await self._upgraded(call, protocol, identity)
            except aiohttp.WSServerHandshakeError as error:
                if error.status != _UNAUTHORIZED:
                    raise
                socket = await self._upgraded(call, protocol, await self._login.identity(refused=identity))
            async with socket:
                yield socket

    async def _upgraded(self, call: Call, protocol: str, identity: Identity) -> aiohttp.ClientWebSocketResponse:
        client = await self._client(identity)
        _, url, *_ = await client.param_serialize(call.method, call.path, query_params=list(call.query))
        socket: aiohttp.ClientWebSocketResponse = await client.rest_client.pool_manager.ws_connect(
            url,
            headers=CIMultiDict(identity.headers),
            protocols=(protocol,),
            proxy=self.server.proxy or None,
            server_hostname=self.server.tls_name or None,
        )
        return socket

    async def _authenticated(
        self, send: Callable[[Identity], Awaitable[aiohttp.ClientResponse]]
    ) -> aiohttp.ClientResponse:
        identity = await self._login.identity()
        response = await send(identity)
        if response.status != _UNAUTHORIZED:
            return response
        response.release()
        fresh = await self._login.identity(refused=identity)
        if fresh.shows_other_than(identity):
            response = await send(fresh)
            if response.status != _UNAUTHORIZED:
                return response
            response.release()
        raise self._refused(fresh)

    async def _send(self, call: Call, identity: Identity) -> aiohttp.ClientResponse:
        client = await self._client(identity)
        method, url, headers, body, _ = await client.param_serialize(
            call.method,
            call.path,
            query_params=list(call.query),
            header_params={"Accept": call.accept, "Content-Type": call.content_type},
            body=call.body,
        )
        sent = self._now()
        answer = await client.call_api(
            method, url, CIMultiDict([*headers.items(), *identity.headers]), body, _request_timeout=_TIMEOUT
        )
        response: aiohttp.ClientResponse = answer.response
        if (date := _date_of(response)) is not None:
            self.dates.append(ServedDate(endpoint=self.server.url, date=date, sent=sent, received=self._now()))
        return response

    async def _client(self, identity: Identity) -> ApiClient:
        """The client that shows this identity's certificate; another certificate needs another TLS context."""
        async with self._lock:
            if self._shown is None or self._shown.certificate_differs(identity):
                client = await asyncio.to_thread(_client, self.server, identity)
                # A session of our own: with trust_env, aiohttp would read ~/.netrc and the proxy settings in a
                # thread for every request, and fail where ~/.netrc has an entry for the host.
                client.rest_client.pool_manager = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(limit=_CONNECTIONS_AT_ONCE, ssl=client.rest_client.ssl_context),
                    timeout=_TIMEOUT,
                    read_bufsize=2**18,
                )
                self._clients.append(client)
                self._shown = identity
                # The one before the last has no request any more: an identity lives longer than a request.
                for outdated in self._clients[:-2]:
                    await outdated.close()
                del self._clients[:-2]
            return self._clients[-1]

    def _refused(self, identity: Identity) -> ClusterUnreachableError:
        step = "Check the credentials that this cluster is configured with, and log in again."
        ended = not_after(identity.certificate) if identity.certificate else None
        if ended is not None and ended <= self._now():
            return ClusterUnreachableError(
                f"token-doctor's own client certificate for cluster {self._cluster} expired on {ended:%Y-%m-%d}.",
                next_step="Renew it in the kubeconfig.",
            )
        return ClusterUnreachableError(
            f"The API server of cluster {self._cluster} refuses token-doctor's own credentials (401).", next_step=step
        )


def _client(server: Server, identity: Identity) -> ApiClient:
    """Reads files and makes a TLS context, so it is called off the loop."""
    configuration = Configuration(host=server.url)
    configuration.verify_ssl = server.verify
    configuration.ca_cert_data = server.authority or None
    configuration.tls_server_name = server.tls_name or None
    configuration.proxy = server.proxy or None
    # From Python 3.13 on, the strict flag refuses certificate authorities that every other client accepts.
    configuration.disable_strict_ssl_verification = True
    try:
        # The ssl module loads a client certificate from files only: they are gone when this returns.
        with TemporaryDirectory() as folder:
            if identity.certificate:
                configuration.cert_file = _written(Path(folder) / "certificate.pem", identity.certificate)
                configuration.key_file = _written(Path(folder) / "key.pem", identity.key)
            client = ApiClient(configuration)
    except ssl.SSLError as error:
        raise WrongUsageError(
            f"The certificates configured for {server.url} cannot be used: {error.reason or 'no PEM'}.",
            next_step="Check certificate-authority, client-certificate and client-key.",
        ) from None
    client.user_agent = "token-doctor"
    return client


def _written(path: Path, pem: str) -> str:
    path.touch(mode=0o600)
    path.write_text(pem)
    return str(path)


def _date_of(response: aiohttp.ClientResponse) -> datetime | None:
    """The answer's `Date`; None where it has none that can be read, or one without a time zone."""
    try:
        date = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
    return date.astimezone(UTC) if date.tzinfo else None


def _asked_to_wait(response: aiohttp.ClientResponse) -> int | None:
    """The seconds that a 429 asks to wait, where they are few."""
    asked = response.headers.get("Retry-After", "")
    if response.status == _TOO_MANY and asked.isdigit() and int(asked) <= _LONGEST_WAIT_SECONDS:
        return int(asked)
    return None


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """A failed connection, in words."""
    try:
        yield
    except aiohttp.WSServerHandshakeError:
        raise
    except TimeoutError:
        raise SlowError(f"{url} did not answer in time", again_after=0) from None
    except aiohttp.ClientConnectorCertificateError as error:
        problem = getattr(error.certificate_error, "verify_message", "") or "unknown reason"
        raise UntrustedError(f"the certificate of {url} is not trusted: {problem}") from None
    except (aiohttp.ClientError, OSError) as error:
        raise UnavailableError(f"no answer from {url}: {_why(error)}", again_after=0) from None


def _why(error: aiohttp.ClientError | OSError) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "its name cannot be resolved"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError():
            return "the connection broke off"
        case OSError(errno=int(number)):
            return os.strerror(number)
        case _:
            return shortened(str(error)) or type(error).__name__
