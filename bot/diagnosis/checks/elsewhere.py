"""Not the token after all; and the plain symptom, for which no reason was found."""

from collections.abc import Iterator, Sequence

from bot.diagnosis.authentication import flags, unlogged, without_anonymous
from bot.diagnosis.case import Case
from bot.diagnosis.evidence import found, line, quote
from bot.diagnosis.signals import Signal, SignalKind
from bot.diagnosis.vendors import vendor_of
from bot.durations import relative, span
from bot.model import Access, Certainty, Evidence, Finding, Remedy, Route, Rule, Severity
from bot.objects import ContainerStatus

_TROUBLES = frozenset({"CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "ImagePullBackOff",
                       "ErrImagePull", "InvalidImageName", "RunContainerError"})  # fmt: skip


def api_unauthorized(case: Case) -> Iterator[Finding]:
    certain = case.ongoing(SignalKind.UNAUTHORIZED)
    unsure = case.ongoing(SignalKind.AMBIGUOUS)
    if certain:
        yield found(
            "api-unauthorized",
            f"{_how_often(case, certain)} The answer itself never says why.{_of_no_token(case)}",
            _quotes(certain),
        )
    elif unsure:
        text = f"{_how_often(case, unsure)} The line does not say who answered."
        yield found("api-unauthorized", text, _quotes(unsure), severity=Severity.WARNING, at_most=Certainty.POSSIBLE)
    elif case.quiet_refusals:
        last = max((signal.at for signal in case.quiet_refusals if signal.at), default=None)
        since = f" for {span(case.now - last)}" if last else ""
        text = f"No 401{since}, but the container has logged nothing else since either: that proves nothing."
        yield found(
            "api-unauthorized",
            text,
            _quotes(case.quiet_refusals),
            severity=Severity.WARNING,
            at_most=Certainty.POSSIBLE,
        )


def _of_no_token(case: Case) -> str:
    """What a request without any token is answered here, where that is known to be other than usual."""
    if without_anonymous(case):
        return " Here a request without any token is a 401 too (--anonymous-auth is off)."
    vendor = vendor_of(case.snapshot)
    return f" On {vendor.name} {vendor.anonymous}." if vendor else ""


def rbac_denied(case: Case) -> Iterator[Finding]:
    signals = case.ongoing(SignalKind.FORBIDDEN)
    answers = {(answer.user, str(answer.rule)): answer for answer in case.snapshot.access.value or ()}
    denied = [signal for signal in signals if not _granted_since(answers, signal)]
    if not denied:
        return
    refused = {str(s.refused.rule): s.refused for s in denied if s.refused}
    asked = [answer for answer in answers.values() if not answer.allowed]
    evidence = [
        quote(Route.OBJECT, f"SubjectAccessReview for {answer.user}", f"{answer.rule}: not allowed {answer.reason}")
        for answer in asked
    ]
    users = sorted({found_.user for found_ in refused.values()})
    rules = [found_.rule for found_ in refused.values()]
    yield found(
        "rbac-denied",
        f"{', '.join(users) or 'The service account'} may not {', '.join(map(str, rules)) or 'do what it asks for'}.",
        [*evidence, *_quotes(denied)],
        remedies=tuple(_grant(rule) for rule in rules[:3]),
    )


def _granted_since(answers: dict[tuple[str, str], Access], signal: Signal) -> bool:
    answer = answers.get((signal.refused.user, str(signal.refused.rule))) if signal.refused else None
    return bool(answer and answer.allowed)


def _grant(rule: Rule) -> Remedy:
    kind = f"Role in namespace {rule.namespace}" if rule.namespace else "ClusterRole"
    return Remedy(text=f"If it should be allowed, add to a {kind} bound to it: {rule.as_yaml()}")


def no_token_sent(case: Case) -> Iterator[Finding]:
    signals = case.ongoing(SignalKind.ANONYMOUS)
    if signals:
        text = f"{_how_often(case, signals)} The requests arrive as system:anonymous: without any token."
        yield found("no-token-sent", text, _quotes(signals))
        return
    servers = without_anonymous(case)
    silent = unlogged(case) if servers else ()
    if silent:
        text = (
            f"{_how_often(case, silent)} The API server logs every token that it refuses, and has logged none for a "
            "minute around them. It does not take anonymous requests: one without a token gets a 401 too."
        )
        evidence = [*_quotes(silent), flags(servers[0], "anonymous-auth")]
        yield found("no-token-sent", text, evidence, at_most=Certainty.LIKELY)


def api_server_unreachable(case: Case) -> Iterator[Finding]:
    signals = case.ongoing(SignalKind.UNREACHABLE)
    if signals:
        hosts = sorted({signal.host for signal in signals if signal.host})
        text = f"{_how_often(case, signals)} No connection to {', '.join(hosts) or 'the API server'}."
        yield found("api-server-unreachable", text, _quotes(signals))


def another_validator(case: Case) -> Iterator[Finding]:
    signals = case.ongoing(SignalKind.ELSEWHERE)
    if signals:
        hosts = ", ".join(sorted({signal.host for signal in signals}))
        text = f"{_how_often(case, signals)} The 401 comes from {hosts}, not from this cluster's API server."
        yield found("another-validator", text, _quotes(signals))


def recovered(case: Case) -> Iterator[Finding]:
    past = case.past_refusals
    cut_off = case.ongoing(SignalKind.UNREACHABLE, SignalKind.ANONYMOUS)
    if past and not case.refusals and not case.quiet_refusals and not cut_off:
        times = [signal.at for signal in past if signal.at]
        last = (
            f" The last was {relative(max(times), case.now)}; the container has gone on logging since." if times else ""
        )
        yield found("recovered", f"{_count(past)} in the log, none of them recent.{last}", _quotes(past))


def failing_for_another_reason(case: Case) -> Iterator[Finding]:
    failing = {name: why for name, status in case.statuses.items() if (why := _trouble(status))}
    if failing:
        evidence = [quote(Route.OBJECT, f"container status of {name}", why) for name, why in failing.items()]
        yield found(
            "failing-for-another-reason",
            "; ".join(f"container {name}: {why}" for name, why in failing.items()) + ".",
            [*evidence, *_last_words(case, failing)],
        )


def _trouble(status: ContainerStatus) -> str:
    """Why a container does not run, "" when it does or has ended well."""
    waiting, ended = status.state.waiting, status.state.terminated
    if waiting and waiting.reason in _TROUBLES:
        last = status.last_state.terminated
        before = f", exit code {last.exit_code} ({last.reason or 'no reason given'}) before" if last else ""
        return f"{waiting.reason}{before}, {status.restart_count} restarts"
    if ended and ended.exit_code:
        return f"ended with exit code {ended.exit_code} ({ended.reason or 'no reason given'})"
    return ""


def _last_words(case: Case, failing: dict[str, str]) -> list[Evidence]:
    logs = [log for log in case.snapshot.logs.read() if log.container in failing and log.lines]
    return [quote(Route.LOG, f"log of container {log.container}", log.lines[-1].text, log.lines[-1].at) for log in logs]


def _how_often(case: Case, signals: Sequence[Signal]) -> str:
    times = [signal.at for signal in signals if signal.at]
    last = f", the last {relative(max(times), case.now)}" if times else ""
    return f"{_count(signals)}{last}."


def _count(signals: Sequence[Signal]) -> str:
    return f"{len(signals)} such line{'s' if len(signals) > 1 else ''}"


def _quotes(signals: Sequence[Signal]) -> list[Evidence]:
    """The first line and the last."""
    ends = dict.fromkeys((signals[0], signals[-1]))
    return [line(signal) for signal in ends]
