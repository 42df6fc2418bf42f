"""What the API servers' flags and logs say of how they authenticate. Nothing read means that nothing is known. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from bot.diagnosis.case import Case
from bot.diagnosis.evidence import quote, server_log_source
from bot.diagnosis.signals import Signal, SignalKind
from bot.messages import meanings
from bot.model import ApiServer, Evidence, Route

_BESIDE = timedelta(seconds=60)
"""Clocks that disagree by more than this are trouble of another kind."""
_LATELY = timedelta(minutes=15)


def servers(case: Case) -> tuple[ApiServer, ...]:
    return case.snapshot.authentication.value or ()


def issuers(case: Case) -> tuple[str, ...]:
    """The service account issuers that every API server accepts; the first of each signs."""
    return tuple(
        issuer
        for issuer in dict.fromkeys(issuer for server in servers(case) for issuer in server.issuers)
        if all(issuer in server.issuers for server in servers(case))
    )


def without_anonymous(case: Case) -> tuple[ApiServer, ...]:
    """All API servers, where each of them answers 401 to a request without a token; else none."""
    files = {file.pod: file for file in case.snapshot.authentication_files.value or ()}
    off = [
        server
        for server in servers(case)
        if not server.anonymous or (server.pod in files and files[server.pod].anonymous is False)
    ]
    return tuple(off) if len(off) == len(servers(case)) else ()


def unlogged(case: Case) -> tuple[Signal, ...]:
    """The API server's 401s that stand in no API server's log, although all of their logs reach that far back.

    It logs every token that it refuses, and has nothing to log where none was sent.
    """
    refused = case.ongoing(SignalKind.UNAUTHORIZED)
    times = [signal.at for signal in refused if signal.at]
    logs, facet = case.snapshot.api_server_logs.value or (), case.snapshot.api_server_logs
    if len(times) < len(refused) or not times or facet.unread or len(logs) < len(servers(case)):
        return ()
    if any(log.truncated and not (log.lines and _before(log.lines[0].at, min(times))) for log in logs):
        return ()
    told = [line.at for log in logs for line in log.lines if line.at and "authentication.go" in line.text]
    return () if any(abs(at - seen) <= _BESIDE for at in times for seen in told) else refused


def _before(at: datetime | None, first: datetime) -> bool:
    return at is not None and at < first


def troubles(case: Case, code: str) -> Iterator[Evidence]:
    """The newest line of each API server's log that speaks of this cause, where it was written lately."""
    for log in case.snapshot.api_server_logs.value or ():
        lines = [line for line in log.lines if any(entry.cause == code for entry in meanings(line.text))]
        if lines and lines[-1].at and case.now - lines[-1].at <= _LATELY:
            yield quote(Route.LOG, server_log_source(log), lines[-1].text, lines[-1].at)


def flags(server: ApiServer, *names: str) -> Evidence:
    """These flags, as they stand on the API server's command line."""
    return quote(Route.OBJECT, f"flags of {server.pod}", server.as_flags(*names))


def differing(case: Case) -> dict[str, str]:
    """What the API servers do not agree on, in words, by the flag that says it."""
    found: dict[str, str] = {}
    for one, other in pairwise(servers(case)):
        for flag, (mine, theirs) in _compared(one, other).items():
            if mine != theirs:
                found.setdefault(flag, f"{_told(mine)} at {one.pod}, {_told(theirs)} at {other.pod}")
    return found


def _compared(one: ApiServer, other: ApiServer) -> dict[str, tuple[object, object]]:
    """Compared by what they mean: a path may differ from host to host, an order of audiences says nothing."""

    def meaning(server: ApiServer) -> dict[str, object]:
        return {
            "service-account-issuer": server.issuers,
            "api-audiences": sorted(server.audiences),
            "service-account-key-file": server.keys,
            "service-account-lookup": server.looks_up,
            "service-account-max-token-expiration": server.longest,
            "service-account-extend-token-expiration": server.extends,
            "anonymous-auth": server.anonymous,
            "oidc-issuer-url": server.oidc,
            "authentication-token-webhook-config-file": bool(server.webhook),
            "authentication-config": bool(server.configuration),
        }

    return {name: (value, meaning(other)[name]) for name, value in meaning(one).items()}


def _told(value: object) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case list() | tuple():
            return ", ".join(map(str, value)) or "none"
        case None:
            return "none"
        case int():
            return f"{value} file{'' if value == 1 else 's'}"
        case _:
            return str(getattr(value, "url", value))
