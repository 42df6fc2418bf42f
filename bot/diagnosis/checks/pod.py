"""How the pod comes by its token, and what it does with it."""

from collections.abc import Iterator
from datetime import timedelta

from bot.diagnosis import kubelet
from bot.diagnosis.case import Case
from bot.diagnosis.evidence import found, line, quote, token_source
from bot.diagnosis.signals import Signal, SignalKind
from bot.durations import relative, span, utc
from bot.model import Claims, Finding, Route, SeenToken, Severity, TokenSource
from bot.mounts import EXTENDED_LIFETIME, EXTENDED_REQUEST_SECONDS, TokenMount

_CLIFF_IN_SIGHT = timedelta(days=30)


def token_not_mounted(case: Case) -> Iterator[Finding]:
    wanting = case.ongoing(SignalKind.MISSING_FILE, SignalKind.ANONYMOUS, SignalKind.UNAUTHORIZED)
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
    return bool(case.mounts_of(container)) or any(held.container == container for held in case.variables)


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


def default_service_account(case: Case) -> Iterator[Finding]:
    if case.pod.spec.service_account_name == "default" and any(mount.projected for mount in case.mounts):
        text = "serviceAccountName: default, with its token mounted"
        yield found("default-service-account", f"{text}.", [quote(Route.OBJECT, "pod spec", text)])


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


def legacy_secret_mounted(case: Case) -> Iterator[Finding]:
    names = sorted(held.metadata.name for held in case.used_secrets())
    if names:
        text = f"uses token Secret {', '.join(names)}"
        yield found("legacy-secret-mounted", f"The pod {text}.", [quote(Route.OBJECT, "pod spec", text)])


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
        mount = _mount_of(case, token)
        given = _lifetime(token.claims)
        if mount and given and given + timedelta(minutes=1) < timedelta(seconds=mount.expiration_seconds):
            asked = span(timedelta(seconds=mount.expiration_seconds))
            text = f"asked for {asked}, given {span(given)}"
            yield found(
                "token-lifetime-capped", f"{token.place}: {text}.", [quote(Route.EXEC, token_source(token), text)]
            )


def extended_token_cliff(case: Case) -> Iterator[Finding]:
    for mount in case.mounts:
        extended = mount.expiration_seconds == EXTENDED_REQUEST_SECONDS and not case.foreign(mount.audience)
        started = case.started(mount.container)
        if not extended or not started:
            continue
        cliff = started + EXTENDED_LIFETIME
        if case.now < cliff < case.now + _CLIFF_IN_SIGHT:
            text = f"container {mount.container} started {utc(started)}"
            yield found(
                "extended-token-cliff",
                f"If container {mount.container} never reads its token again, it breaks on {utc(cliff)} "
                f"({relative(cliff, case.now)}).",
                [quote(Route.OBJECT, "container status", text, started)],
            )
            return


def rotation_stalled(case: Case) -> Iterator[Finding]:
    for token in case.snapshot.exec_tokens.value or ():
        mount = _mount_of(case, token)
        due = kubelet.refresh_due(token.claims)
        if not mount or mount.sub_path or not due or due + kubelet.SLACK > case.now:
            continue
        text = f"the kubelet should have refreshed it {relative(due, case.now)} ({utc(due)})"
        yield found(
            "rotation-stalled",
            f"{token.place}: {text}.",
            [quote(Route.EXEC, token_source(token), text)],
            severity=Severity.CRITICAL if case.is_refused(token) else Severity.WARNING,
        )
        return
    if _is_running(case):
        yield from _failed_fetches(case, "rotation-stalled", "The kubelet cannot refresh the running pod's token.")


def token_fetch_failed(case: Case) -> Iterator[Finding]:
    if not _is_running(case):
        yield from _failed_fetches(case, "token-fetch-failed", "The kubelet cannot get a first token for the pod.")


def _failed_fetches(case: Case, code: str, explanation: str) -> Iterator[Finding]:
    failed = [event for event in case.snapshot.events.read() if "failed to fetch token" in event.message]
    if failed:
        yield found(code, explanation, [quote(Route.EVENT, f"event {e.reason}", e.message, e.at) for e in failed[-2:]])


def _is_running(case: Case) -> bool:
    return any(status.state.running for status in case.statuses.values())


def _mount_of(case: Case, token: SeenToken) -> TokenMount | None:
    if token.source is not TokenSource.EXEC:
        return None
    place = (token.container, token.path)
    return next((mount for mount in case.mounts if mount.projected and (mount.container, mount.path) == place), None)


def _lifetime(claims: Claims | None) -> timedelta | None:
    if claims is None or claims.issued_at is None or claims.expires_at is None:
        return None
    return claims.expires_at - claims.issued_at
