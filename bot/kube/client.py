"""A cluster by name: found as kubectl finds it, or from inside a pod."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.errors import WrongUsageError
from bot.kube.connection import Connection, Server
from bot.kube.kubeconfig import Chosen, choose, paths, read_text, text_of
from bot.kube.login import Login, from_kubeconfig, in_cluster
from bot.kube.proxies import proxy_for
from bot.model import ServedDate, TokenCounts

SERVICE_ACCOUNT_FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class Cluster:
    """A named cluster and the connections to it.

    `server` is the configured address, `namespace` the one meant where none is said.
    """

    def __init__(
        self,
        name: str,
        server: Server,
        login: Login,
        *,
        now: Callable[[], datetime],
        namespace: str = "default",
        endpoints: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.namespace = namespace
        self.server = server.url
        self.endpoints = tuple(endpoints)
        self._login = login
        self._now = now
        self.main = Connection(server, login, cluster=name, now=now)
        # Long reckoning (a log's lines, the diagnosis) is done one piece at a time: what is ready meanwhile, such as a
        # command to acknowledge, has its turn between two pieces, however many checks run.
        self.reckoning = asyncio.Lock()
        # The API server's counts are megabytes to read and name nobody: the pods of one workload share one reading.
        self.counting = asyncio.Lock()
        self.counted: tuple[datetime, TokenCounts] | None = None
        self._direct: dict[tuple[str, str], Connection] = {}
        # Until when (the loop's time) an API server that did not answer at its own address is left alone.
        self.quiet_until: dict[str, float] = {}

    def now(self) -> datetime:
        """The time by the clock that everything about the cluster goes by."""
        return self._now()

    async def close(self) -> None:
        """Closes every connection. The cluster may be used again afterwards."""
        connections = [self.main, *self._direct.values()]
        self._direct = {}
        for connection in connections:
            await connection.close()

    @property
    def may_go_direct(self) -> bool:
        """Whether single API servers may be asked at their own addresses.

        Not where their certificates could not be checked, nor around a proxy.
        """
        server = self.main.server
        return server.url.startswith("https://") and server.verify and not server.proxy

    def dates(self, *, since: datetime) -> tuple[ServedDate, ...]:
        """Of all answers to requests sent since then, for each address the two `Date` headers that bound its clock.

        Latest against the answer's arrival, and earliest against the request's start: no other one says more.
        """
        found: dict[str, list[ServedDate]] = {}
        for connection in (self.main, *self._direct.values()):
            for served in connection.dates:
                if served.sent >= since:
                    found.setdefault(served.endpoint, []).append(served)
        ends = [
            end
            for served in found.values()
            for end in (
                max(served, key=lambda one: one.date - one.received),
                min(served, key=lambda one: one.date - one.sent),
            )
        ]
        return tuple(dict.fromkeys(ends))

    def direct(self, url: str, *, tls_name: str = "") -> Connection:
        """The connection to another address of the same cluster, with the same authority and credentials."""
        if (url, tls_name) not in self._direct:
            server = Server(
                url=url,
                authority=self.main.server.authority,
                verify=self.main.server.verify,
                tls_name=tls_name,
                proxy=self.main.server.proxy,
            )
            self._direct[url, tls_name] = Connection(server, self._login, cluster=self.name, now=self._now)
        return self._direct[url, tls_name]


def utc_now() -> datetime:
    return datetime.now(UTC)


async def connect(  # each is a way to say where the cluster is, and all but the name have defaults
    name: str,
    *,
    kubeconfig: Path | None = None,
    context: str | None = None,
    endpoints: Sequence[str] = (),
    now: Callable[[], datetime] = utc_now,
    environ: Mapping[str, str] = os.environ,
    service_account: Path = SERVICE_ACCOUNT_FOLDER,
) -> Cluster:
    """The cluster of that name, its credentials read once; no request is made yet.

    In a pod, unless a kubeconfig or a context is named (KUBECONFIG counts), it is the pod's own cluster. Else the
    ordinary kubeconfig rules hold. `endpoints` are URLs of single API servers to review tokens at, instead of
    those that the cluster publishes. Raises WrongUsageError and ClusterUnreachableError.
    """
    said = kubeconfig is not None or context is not None or bool(environ.get("KUBECONFIG"))
    if not said and environ.get("KUBERNETES_SERVICE_HOST") and (service_account / "token").exists():
        server = await asyncio.to_thread(_own_server, environ, service_account)
        source, label = in_cluster(service_account / "token", now), "in-cluster"
        namespace = await asyncio.to_thread(_own_namespace, service_account)
    else:

        def reread() -> Chosen:
            return choose(paths(kubeconfig, environ), context)

        chosen = await asyncio.to_thread(reread)
        server = await asyncio.to_thread(_server, chosen, environ)
        source, label, namespace = from_kubeconfig(reread, now), chosen.context, chosen.namespace
    login = Login(source, now)
    await login.identity()
    return Cluster(name or label, server, login, now=now, namespace=namespace, endpoints=endpoints)


def _own_server(environ: Mapping[str, str], service_account: Path) -> Server:
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT") or "443"
    return Server(
        url=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        authority=read_text(service_account / "ca.crt", "the cluster's certificate authority"),
    )


def _own_namespace(service_account: Path) -> str:
    file = service_account / "namespace"
    return read_text(file, "the pod's namespace").strip() if file.exists() else "default"


def _server(chosen: Chosen, environ: Mapping[str, str]) -> Server:
    cluster = chosen.cluster
    url = cluster.server.rstrip("/")
    if not url.startswith(("https://", "http://")):
        raise WrongUsageError(f"The server address “{url}” of context “{chosen.context}” is no http or https URL.")
    proxy = cluster.proxy_url or proxy_for(url, environ)
    if proxy and not proxy.startswith(("http://", "https://")):
        raise WrongUsageError(
            f"The proxy “{proxy}” of context “{chosen.context}” is not supported: only HTTP proxies are.",
            next_step="Use an HTTP proxy (`proxy-url: http://…`).",
        )
    return Server(
        url=url,
        authority=text_of(
            cluster.certificate_authority_data,
            cluster.certificate_authority,
            chosen.cluster_folder,
            "certificate-authority",
        ),
        verify=not cluster.insecure_skip_tls_verify,
        tls_name=cluster.tls_server_name,
        proxy=proxy,
    )
