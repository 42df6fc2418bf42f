"""Whether the process keeps a token that its file no longer holds: four proofs, the strongest first."""

from collections.abc import Iterator
from datetime import timedelta

from bot.diagnosis import kubelet
from bot.diagnosis.case import Case
from bot.diagnosis.evidence import found, line, quote, token_source
from bot.diagnosis.lifetimes import extended
from bot.diagnosis.rejections import Rejection
from bot.diagnosis.signals import Signal, SignalKind
from bot.durations import span, utc
from bot.model import Certainty, Evidence, Finding, Route, Severity
from bot.mounts import TokenMount

_OF_AN_OLD_TOKEN = frozenset({"token-expired", "service-account-recreated", "signing-key-unknown"})
"""What the API server says of a token that was good once. Any other reason means that it never was."""

_DEAD_AT_ONCE = _OF_AN_OLD_TOKEN - {"token-expired"}
"""What a process that has just started is told too, until the kubelet refreshes the file."""


def token_cached_in_process(case: Case) -> Iterator[Finding]:
    for container in dict.fromkeys(mount.container for mount in case.mounts):
        refused = case.refused_in(container)
        mounts = [mount for mount in case.mounts_of(container) if mount.projected and not case.foreign(mount.audience)]
        if not refused or not mounts or any(mount.sub_path for mount in mounts) or _borrowed(case, container):
            continue
        if _too_young(case, container, refused, mounts):
            continue
        proof = _proof_of_caching(case, container, refused, mounts)
        if proof:
            explanation, certainty, evidence = proof
            said_by_api_server = any(signal.kind is SignalKind.UNAUTHORIZED for signal in refused)
            yield found(
                "token-cached-in-process",
                explanation,
                [*evidence, *map(line, refused[-1:])],
                severity=Severity.CRITICAL if said_by_api_server else Severity.WARNING,
                at_most=certainty if said_by_api_server else Certainty.POSSIBLE,
            )
            return


_Proof = tuple[str, Certainty, list[Evidence]]


def _reasons(case: Case, container: str) -> list[Rejection]:
    """What the API server's log says beside this container's 401s."""
    return [found for found in case.rejections if found.token is None and found.container in {container, ""}]


def _too_young(case: Case, container: str, refused: tuple[Signal, ...], mounts: list[TokenMount]) -> bool:
    """Whether it is refused so soon after its start that the token it could have read then was still good.

    A token of a former account, or of a former key, is refused at once.
    """
    started = case.last_started(container)
    first = min((signal.at for signal in refused if signal.at and not signal.previous), default=None)
    if started is None or first is None or {why.message.cause for why in _reasons(case, container)} & _DEAD_AT_ONCE:
        return False
    shortest = timedelta(seconds=min(mount.expiration_seconds for mount in mounts))
    return first < started + shortest - kubelet.refresh_after(shortest)


def _borrowed(case: Case, container: str) -> bool:
    """Whether the container may send a token that does not come from its mounted file."""
    secrets = any(not mount.projected for mount in case.mounts_of(container))
    spec = any(token.container == container for token in case.snapshot.spec_tokens.value or ())
    return secrets or spec or any(held.container == container for held in case.variables)


def _proof_of_caching(
    case: Case, container: str, refused: tuple[Signal, ...], mounts: list[TokenMount]
) -> _Proof | None:
    said = _reasons(case, container)
    reasons = {reason.message.cause for reason in said}
    if reasons and not reasons & _OF_AN_OLD_TOKEN:
        return None
    good = _good_file(case, container, refused)
    if good:
        text = f"The token file of container {container} is accepted by the API server; what the process sends is not."
        return text, Certainty.PROVEN, good
    expired = [reason for reason in said if reason.message.cause == "token-expired"]
    if expired and not case.snapshot.exec_tokens.value:
        text = f"Container {container} sends a token that has expired, while the kubelet keeps its file fresh."
        return text, Certainty.LIKELY, [expired[-1].evidence]
    accepted = _fresh_token_accepted(case)
    if accepted:
        text = f"A fresh token of the same service account is accepted; what container {container} sends is not."
        return text, Certainty.LIKELY, accepted
    return _lifetime_after_start(case, container, refused, mounts)


def _good_file(case: Case, container: str, refused: tuple[Signal, ...]) -> list[Evidence]:
    """The file in the container is accepted: written after the process had started, and before it was refused."""
    last = max((signal.at for signal in refused if signal.at), default=case.now)
    started = case.started(container)
    return [
        quote(Route.REVIEW, f"TokenReview of {token_source(token)}", f"accepted as {token.reviews[0].user}")
        for token in case.snapshot.exec_tokens.value or ()
        if token.container == container
        and token.reviews
        and not case.is_refused(token)
        and token.claims
        and (token.claims.issued_at or last) < last
        and not (started and token.claims.issued_at and token.claims.issued_at < started)
    ]


def _fresh_token_accepted(case: Case) -> list[Evidence]:
    return [
        quote(Route.LOG, f"TokenReview of {token.place}", f"accepted as {token.reviews[0].user}")
        for token in case.snapshot.probe.value or ()
        if token.reviews and all(review.authenticated for review in token.reviews)
    ]


def _lifetime_after_start(
    case: Case, container: str, refused: tuple[Signal, ...], mounts: list[TokenMount]
) -> _Proof | None:
    """The refusals began just one token lifetime after the container had started."""
    started = case.started(container)
    times = [signal.at for signal in refused if signal.at]
    runs = [log for log in case.snapshot.logs.read() if log.container == container and not log.previous]
    if not started or not times or any(log.truncated for log in runs):
        return None
    for lifetime in sorted({length for mount in mounts for length in _lifetimes(case, mount)}):
        late = min(times) - (started + lifetime)
        if -timedelta(seconds=90) <= late <= max(timedelta(minutes=5), lifetime / 10):
            text = (
                f"The refusals began {span(min(times) - started)} after container {container} had started: "
                f"just the lifetime of the token it read then ({span(lifetime)})."
            )
            evidence = quote(Route.OBJECT, "container status", f"started {utc(started)}", started)
            return text, Certainty.LIKELY, [evidence]
    return None


def _lifetimes(case: Case, mount: TokenMount) -> Iterator[timedelta]:
    yield timedelta(seconds=mount.expiration_seconds)
    if longer := extended(case, mount):
        yield longer
