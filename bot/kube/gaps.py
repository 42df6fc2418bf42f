"""Failures of a read, and the words of the Gap each becomes."""

from bot.model import Gap, GapKind, Rule
from bot.redact import redact

_MOST_WORDS = 300
_A_MOMENT = 0.05


class UnreadableError(Exception):
    """A read failed. `str()` is the reason, without tokens."""

    kind = GapKind.UNAVAILABLE

    def __init__(self, reason: str, *, mend: str = "") -> None:
        super().__init__(reason)
        self.mend = mend
        self.rule: Rule | None = None


class DeniedError(UnreadableError):
    """403: `rule` is what has to be allowed."""

    kind = GapKind.DENIED

    def __init__(self, rule: Rule) -> None:
        super().__init__(denied_sentence(rule), mend=how_to_allow(rule))
        self.rule = rule


class AbsentError(UnreadableError):
    """404: there is no such object."""


class RefusedError(UnreadableError):
    """400: the API server will not answer this question about this object."""


class SlowError(UnreadableError):
    """No answer within the request's own time limit."""

    kind = GapKind.TIMED_OUT


class UnavailableError(UnreadableError):
    """Anything else: a broken connection, an error of the server, an answer that cannot be understood."""


class UntrustedError(UnavailableError):
    """The server's certificate is not trusted, or has another name."""


class UnobservableError(UnreadableError):
    """Nobody could read this here."""

    kind = GapKind.UNOBSERVABLE


def gap_of(facet: str, error: UnreadableError) -> Gap:
    return Gap(facet=facet, kind=error.kind, reason=str(error), mend=error.mend, rule=error.rule)


def late(facet: str, seconds: float) -> Gap:
    """The facet's own deadline, or what was left of the overall one, passed."""
    return Gap(
        facet=facet,
        kind=GapKind.TIMED_OUT,
        reason=f"no answer within {seconds:.1f} seconds" if seconds >= _A_MOMENT else "no time was left to ask",
        mend="ask again; raise `checks.deadline_seconds` where the API server is always this slow",
    )


def follows(facet: str, need: Gap) -> Gap:
    """A facet that could not be read because one it needs was not."""
    return Gap(
        facet=facet,
        kind=need.kind,
        reason=f"needs {need.facet}, which was not read: {need.reason}",
        mend=need.mend,
        rule=need.rule,
    )


def denied_sentence(rule: Rule) -> str:
    where = f" in namespace {rule.namespace}" if rule.namespace else ""
    group = f".{rule.group}" if rule.group else ""
    return f"token-doctor may not {rule.verb} {rule.resource}{group}{where}"


def how_to_allow(rule: Rule) -> str:
    role = f"a Role in namespace {rule.namespace}" if rule.namespace else "a ClusterRole"
    return f"allow it: add `{rule.as_yaml()}` to {role} that is bound to token-doctor"


def shortened(words: str) -> str:
    """Somebody else's words, fit to be shown: one line, no tokens, not long."""
    line = " ".join(redact(words).split())
    return line if len(line) <= _MOST_WORDS else line[: _MOST_WORDS - 1] + "…"
