"""Failures of a read, and the words of the Gap each becomes."""

from bot.model import Gap, GapKind, Rule
from bot.redact import redact_line

_MOST_WORDS = 300
_A_MOMENT = 0.05
ASK_AGAIN = "ask again; raise `checks.deadline_seconds` where the API server is always this slow"


class UnreadableError(Exception):
    """A read failed. `str()` is the reason, without tokens."""

    kind = GapKind.UNAVAILABLE

    def __init__(self, reason: str, *, mend: str = "", again_after: float | None = None) -> None:
        """`again_after`: the seconds after which asking again may help; None where it would not."""
        super().__init__(reason)
        self.mend = mend
        self.again_after = again_after
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
    """400, 422, or a 403 by admission: the API server will not do this with this object, whoever asks."""


class SlowError(UnreadableError):
    """No answer within the request's own time limit."""

    kind = GapKind.TIMED_OUT


class UnavailableError(UnreadableError):
    """Anything else: a broken connection, an error of the server, an answer that cannot be understood."""


class BadAnswerError(UnavailableError):
    """The API server itself answered, and with an error of its own or with what cannot be understood."""


class ConflictError(UnavailableError):
    """409: the object is another one by now, or there is one of this name already."""


class TooLargeError(UnavailableError):
    """The answer has more bytes than are kept at once."""


class ExpiredError(UnavailableError):
    """410: the place in a list is too old to continue from as it was.

    `place` is where the rest can be had as it is now, "" where only the whole list can.
    """

    def __init__(self, reason: str, *, place: str = "") -> None:
        super().__init__(reason)
        self.place = place


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
        mend=ASK_AGAIN,
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


def denied_sentence(*rules: Rule) -> str:
    """What may not be done; rules that differ only in the resource are told together."""
    alike: dict[tuple[str, str], list[str]] = {}
    for rule in rules:
        group = f".{rule.group}" if rule.group else ""
        alike.setdefault((rule.verb, rule.namespace), []).append(f"{rule.resource}{group}")
    told = (
        f"{verb} {', '.join(what)}{f' in namespace {namespace}' if namespace else ''}"
        for (verb, namespace), what in alike.items()
    )
    return f"token-doctor may not {' or '.join(told)}"


def how_to_allow(*rules: Rule) -> str:
    """The lines to add, for rules of which all or none are for one namespace."""
    role = f"a Role in namespace {rules[0].namespace}" if rules[0].namespace else "a ClusterRole"
    lines = " and ".join(f"`{line}`" for line in dict.fromkeys(rule.as_yaml() for rule in rules))
    return f"allow it: add {lines} to {role} that is bound to token-doctor"


def shortened(words: str) -> str:
    """Somebody else's words, fit to be shown: one line, no tokens, not long."""
    return redact_line(words, _MOST_WORDS)
