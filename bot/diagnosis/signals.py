"""What a pod's log says about its requests: refused tokens, missing rights, lost connections, and who said no."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from bot.messages import Forbidden, forbidden, meanings
from bot.model import ContainerLog, LogLine, Noun


class SignalKind(StrEnum):
    """What a line of a pod's log says."""

    UNAUTHORIZED = "the API server said 401"
    AMBIGUOUS = "somebody said 401"
    ELSEWHERE = "another service said 401"
    FORBIDDEN = "the API server said 403"
    ANONYMOUS = "the API server saw no token"
    MISSING_FILE = "there was no token file"
    UNREACHABLE = "the API server could not be reached"


class Signal(Noun, frozen=True, kw_only=True):
    """One telling line. `host` is who answered, where the line says so."""

    kind: SignalKind
    container: str
    text: str
    at: datetime | None = None
    previous: bool = False
    host: str = ""
    refused: Forbidden | None = None


# One cheap pass before any other pattern: nearly all lines of a healthy log end here.
_WORTH_A_LOOK = re.compile(
    r"401|nauthori[sz]ed|cannot |provide credentials|logged in to|dial tcp|no such (?:file|host)|does not exist"
    r"|onnection refused|ENOENT|ECONNREFUSED|Max retries|x509:|Service token|authenticat|InvalidIdentityToken|AADSTS"
)
_URL = re.compile(r"\bhttps?://[^\s\"'<>\\]+")
_SERVED = re.compile(r"\"(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) /\S* HTTP/[\d.]+\" \d{3}\b")
# … and the access logs of proxies, frameworks and gateways, as JSON or logfmt; oauth2-proxy's own form.
_SERVED_PATH = re.compile(
    r"[\"']?\b(?:path|uri|url|url_path|request_uri|request_path|target)[\"']?\s*[:=]\s*[\"']?(?P<path>/[^\s\"',}]*)"
)
_REFUSED_A_USER = re.compile(r"\[Auth(?:Failure|Error)\]")
_SAID_401 = re.compile(
    r"\b401\b.{0,40}[Uu]nauthori[sz]ed|[Uu]nauthori[sz]ed.{0,40}\b401\b"
    r"|(?i:\bstatus(?:[ _-]?code)?\b[\"']?[ :=]{1,3}401\b|\bHTTP(?:/[\d.]+)? 401\b|\bcode[\"']?[ :=]{1,3}401\b)"
    r"|:\s*[Uu]nauthorized\s*$"
)
_NO_CONNECTION = re.compile(
    r"dial tcp|connection refused|Connection refused|ECONNREFUSED|no such host|Max retries exceeded|x509: certificate"
    r"|i/o timeout|TLS handshake timeout"
)
_KUBERNETES_PATH = re.compile(
    r"^/(?:apis/[\w.-]+/v\d\w*(?:/|$)|apis?/?$|api/v1(?:/(?:namespaces|nodes|pods|services|endpoints|configmaps|secrets"
    r"|events|serviceaccounts|persistentvolume(?:s|claims)|replicationcontrollers|resourcequotas|limitranges)\b|\?|$)"
    r"|openapi/v\d|version(?:\?|$))"
)
_KUBERNETES_HOST = re.compile(r"^kubernetes(?:\.default(?:\.svc(?:\.[\w.-]+)?)?)?$")
_DIALLED = re.compile(r"dial tcp:? (?:lookup )?\[?(?P<host>[\w.:-]+?)\]?(?::\d+)?[: ]")

_OTHERS = (
    (re.compile(r"(?i)\bvault\b"), "Vault"),
    (re.compile(r"InvalidIdentityToken|AssumeRoleWithWebIdentity|\bsts\.\S*amazonaws"), "AWS STS"),
    (re.compile(r"AADSTS|login\.microsoftonline"), "Microsoft Entra ID"),
    (re.compile(r"\b(?:sts|oauth2|iamcredentials)\.googleapis\.com"), "Google Cloud"),
    (re.compile(r"(?i)authentication required|pull access denied|\bdocker\.io\b|\bregistry\b|\bpulling image\b"),
     "a container registry"),
    (re.compile(r"kube-rbac-proxy"), "kube-rbac-proxy"),
)  # fmt: skip


def scan(logs: Iterable[ContainerLog], api_hosts: frozenset[str]) -> tuple[Signal, ...]:
    """Every telling line, oldest first as read. `api_hosts` are this cluster's API server addresses, without port."""
    return tuple(
        signal
        for log in logs
        for line in log.lines
        if _WORTH_A_LOOK.search(line.text)
        for signal in _signals(log, line, api_hosts)
    )


def _signals(log: ContainerLog, line: LogLine, api_hosts: frozenset[str]) -> Iterator[Signal]:
    kind, host = _kind(line.text, api_hosts)
    if kind is None:
        return
    refused = forbidden(line.text) if kind in {SignalKind.FORBIDDEN, SignalKind.ANONYMOUS} else None
    yield Signal(
        kind=kind,
        container=log.container,
        text=line.text,
        at=line.at,
        previous=log.previous,
        host=host,
        refused=refused,
    )


def _kind(text: str, api_hosts: frozenset[str]) -> tuple[SignalKind | None, str]:
    if _served(text):  # the pod's own access log: it said no to somebody, nobody said no to it
        return None, ""
    causes = {entry.cause for entry in meanings(text)}
    if "no-token-sent" in causes:
        return SignalKind.ANONYMOUS, ""
    if "rbac-denied" in causes:
        return SignalKind.FORBIDDEN, ""
    if "token-not-mounted" in causes:
        return SignalKind.MISSING_FILE, ""
    address = _URL.search(text)
    if _NO_CONNECTION.search(text):
        return _unreachable(text, address, api_hosts)
    host = (urlsplit(address.group()).hostname or "") if address else ""
    is_api = bool(address) and _is_api_server(host, urlsplit(address.group()).path if address else "", api_hosts)
    if "api-unauthorized" in causes and (is_api or not host):
        return SignalKind.UNAUTHORIZED, host
    if not (_SAID_401.search(text) or "api-unauthorized" in causes):
        return _federation(text)
    if is_api:
        return SignalKind.UNAUTHORIZED, host
    other = _other(text) or host
    return (SignalKind.ELSEWHERE, other) if other else (SignalKind.AMBIGUOUS, "")


def _served(text: str) -> bool:
    structured = _SERVED_PATH.search(text)
    return bool(
        _SERVED.search(text)
        or _REFUSED_A_USER.search(text)
        or (structured and not (_URL.search(text) or _KUBERNETES_PATH.match(structured["path"]) or _other(text)))
    )


def _federation(text: str) -> tuple[SignalKind | None, str]:
    """Clouds refuse a token in words of their own, without a 401."""
    other = _other(text)
    refused = other in {"AWS STS", "Microsoft Entra ID"} or (other and "authentication required" in text)
    return (SignalKind.ELSEWHERE, other) if refused else (None, "")


def _unreachable(text: str, address: re.Match[str] | None, api_hosts: frozenset[str]) -> tuple[SignalKind | None, str]:
    if address:
        parts = urlsplit(address.group())
        host = parts.hostname or ""
        return (SignalKind.UNREACHABLE, host) if _is_api_server(host, parts.path, api_hosts) else (None, "")
    dialled = _DIALLED.search(text)
    if dialled and _is_api_server(dialled["host"], "", api_hosts):
        return SignalKind.UNREACHABLE, dialled["host"]
    return None, ""


def _is_api_server(host: str, path: str, api_hosts: frozenset[str]) -> bool:
    return bool(host in api_hosts or _KUBERNETES_HOST.match(host) or _KUBERNETES_PATH.match(path))


def _other(text: str) -> str:
    return next((name for pattern, name in _OTHERS if pattern.search(text)), "")
