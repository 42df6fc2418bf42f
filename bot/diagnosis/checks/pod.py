"""How the pod comes by its token, and what it does with it."""

from collections.abc import Iterator
from datetime import timedelta

from bot.diagnosis.authentication import without_anonymous
from bot.diagnosis.case import Case
from bot.diagnosis.evidence import found, line, quote, token_source
from bot.diagnosis.lifetimes import ceiling
from bot.diagnosis.signals import Signal, SignalKind
from bot.durations import span
from bot.model import Claims, Finding, Route, Severity


def token_not_mounted(case: Case) -> Iterator[Finding]:
    wanting = case.ongoing(SignalKind.MISSING_FILE, SignalKind.ANONYMOUS)
    if without_anonymous(case):  # else a 401 says that a token was sent, wherever it came from
        wanting += case.ongoing(SignalKind.UNAUTHORIZED)
    missed = {signal.container: signal for signal in wanting if signal.kind is SignalKind.MISSING_FILE}
    for signal in wanting:
        if not _has_token(case, signal.container):
            missed.setdefault(signal.container, signal)
    if missed:
        yield found(
            "token-not-mounted",
            " ".join(_why_not_mounted(case, container) for container in missed),
            [*(line(signal) for signal in missed.values()), quote(Route.OBJECT, "pod spec", _mounted(case, missed))],
        )


def _has_token(case: Case, container: str) -> bool:
    holders = {mount.container for mount in case.mounts} | {held.container for held in case.variables}
    return container in holders | {token.container for token in case.snapshot.spec_tokens.value or ()}


def _why_not_mounted(case: Case, container: str) -> str:
    mounts = case.mounts_of(container)
    if mounts:
        return f"Container {container} looks for a token elsewhere than at {mounts[0].path}, where it is mounted."
    account = case.snapshot.service_account.value
    if case.pod.spec.automount_service_account_token is False:
        return f"The pod says automountServiceAccountToken: false, and container {container} wants a token."
    inherits = case.pod.spec.automount_service_account_token is None
    if inherits and account and account.automount_service_account_token is False:
        return (
            f"Service account {case.account_name} says automountServiceAccountToken: false, and so does the pod then."
        )
    return f"No volume of container {container} holds a token."


def _mounted(case: Case, containers: dict[str, Signal]) -> str:
    paths = [f"{mount.container}: {mount.path}" for mount in case.mounts if mount.container in containers]
    own = case.pod.spec.automount_service_account_token
    return f"automountServiceAccountToken: {'not set' if own is None else str(own).lower()}; token files: " + (
        ", ".join(paths) or "none"
    )


def token_mounted_by_subpath(case: Case) -> Iterator[Finding]:
    caught = [mount for mount in case.mounts if mount.sub_path]
    if caught:
        refused = [signal for mount in caught for signal in case.refused_in(mount.container)]
        where = ", ".join(sorted({f"{mount.container}: {mount.path}" for mount in caught}))
        started = [since for mount in caught if (since := case.started(mount.container))]
        age = f" It is as old as the container: {span(case.now - min(started))}." if started else ""
        yield found(
            "token-mounted-by-subpath",
            f"The kubelet cannot refresh the token file of {where}.{age}",
            [quote(Route.OBJECT, "pod spec", f"volumeMount with subPath: {where}"), *map(line, refused[-1:])],
            severity=Severity.CRITICAL if refused else Severity.WARNING,
        )


def token_in_environment(case: Case) -> Iterator[Finding]:
    literal = [token for token in case.snapshot.spec_tokens.value or () if token.claims]
    evidence = [
        quote(Route.OBJECT, "pod spec", f"{held.container}: {held.variable} from Secret {held.secret}")
        for held in case.variables
    ] + [quote(Route.OBJECT, "pod spec", f"{token.place}: the token itself stands there") for token in literal]
    if not evidence:
        return
    holders = {held.container for held in case.variables} | {token.container for token in literal}
    refused = [signal for container in sorted(holders) for signal in case.refused_in(container)]
    yield found(
        "token-in-environment",
        f"Container {', '.join(sorted(holders))} has its token in the environment, which never changes while it runs.",
        [*evidence, *map(line, refused[-1:])],
        severity=Severity.CRITICAL if refused else Severity.WARNING,
    )


def audience_only_foreign(case: Case) -> Iterator[Finding]:
    for container in dict.fromkeys(mount.container for mount in case.mounts):
        mounts = case.mounts_of(container)
        other_source = any(held.container == container for held in case.variables)
        refused = case.refused_in(container)
        if other_source or not refused or not all(m.projected and case.foreign(m.audience) for m in mounts):
            continue
        audiences = ", ".join(sorted({mount.audience for mount in mounts}))
        paths = ", ".join(f"{mount.path} (audience {mount.audience})" for mount in mounts)
        yield found(
            "audience-only-foreign",
            f"Container {container} has only a token for {audiences}, and none for the API server.",
            [quote(Route.OBJECT, "pod spec", f"{container}: {paths}"), *map(line, refused[-1:])],
        )


def token_lifetime_capped(case: Case) -> Iterator[Finding]:
    for token in case.snapshot.exec_tokens.value or ():
        mount = case.mount_of(token)
        given = _lifetime(token.claims)
        if mount and given and given + timedelta(minutes=1) < timedelta(seconds=mount.expiration_seconds):
            asked = span(timedelta(seconds=mount.expiration_seconds))
            text = f"asked for {asked}, given {span(given)}"
            yield found(
                "token-lifetime-capped", f"{token.place}: {text}.", [quote(Route.EXEC, token_source(token), text)]
            )
            return
    yield from _capped_by_flag(case)


def _capped_by_flag(case: Case) -> Iterator[Finding]:
    found_ceiling = ceiling(case)
    if found_ceiling is None:
        return
    longest, evidence = found_ceiling
    asking = [mount for mount in case.mounts if mount.projected and mount.expiration_seconds > longest.total_seconds()]
    if asking:
        asked = span(timedelta(seconds=asking[0].expiration_seconds))
        text = f"{asking[0].path} in container {asking[0].container}: asked for {asked}, given {span(longest)}."
        yield found("token-lifetime-capped", text, [evidence])


def _lifetime(claims: Claims | None) -> timedelta | None:
    if claims is None or claims.issued_at is None or claims.expires_at is None:
        return None
    return claims.expires_at - claims.issued_at
