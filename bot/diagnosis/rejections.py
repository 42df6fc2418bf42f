"""Why the API server refuses the target's tokens, gathered from every route by which its words can be had."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.diagnosis.evidence import quote, server_log_source, token_source
from bot.diagnosis.signals import Signal
from bot.messages import BARE, Message, rejections
from bot.model import Certainty, Claims, ContainerLog, Evidence, LogLine, Noun, Route, SeenToken, Snapshot

_SAME_REQUEST = timedelta(seconds=2)
"""A client logs its 401 this soon after the API server has logged the rejection, clocks included."""


class _Told(NamedTuple):
    """A line of an API server's log, with what it means."""

    log: ContainerLog
    line: LogLine
    message: Message


class Rejection(Noun, frozen=True, kw_only=True):
    """One reason, with its proof. `token` is the refused token where it was seen.

    `container` is the one whose 401s the API server's line stands beside; "" where the line names the target itself.
    """

    message: Message
    evidence: Evidence
    certainty: Certainty
    token: SeenToken | None = None
    container: str = ""

    @property
    def claims(self) -> Claims | None:
        return self.token.claims if self.token else None


def of_tokens(tokens: Sequence[SeenToken]) -> Iterator[Rejection]:
    """What TokenReview said of the tokens that were seen."""
    for token in tokens:
        for review in token.reviews:
            if review.authenticated:
                continue
            source = f"TokenReview at {review.endpoint}, of {token_source(token)}"
            for message in rejections(review.error):
                yield Rejection(
                    message=message,
                    evidence=quote(Route.REVIEW, source, review.error),
                    certainty=Certainty.PROVEN,
                    token=token,
                )


def of_server_logs(snapshot: Snapshot, logs: Sequence[ContainerLog], refused: Sequence[Signal]) -> Iterator[Rejection]:
    """The API servers' own logs: the lines of the very seconds of the pod's 401s, else those that name the target.

    No such line names the client. Where the pod's own log has no refusals, lines that name its account or its uid
    are of somebody else who holds an old token, and say nothing of this pod.
    """
    if not refused:
        return
    lines = [_Told(log, line, message) for log in logs for line in log.lines for message in rejections(line.text)]
    beside = [
        (told, certainty, container)
        for container in dict.fromkeys(signal.container for signal in refused)
        for told, certainty in _coincident(lines, [signal for signal in refused if signal.container == container])
    ]
    for told, certainty, container in beside or _named(lines, _identities(snapshot)):
        yield Rejection(
            message=told.message,
            evidence=quote(Route.LOG, server_log_source(told.log), told.line.text, told.line.at),
            certainty=certainty,
            container=container,
        )


def _identities(snapshot: Snapshot) -> dict[str, set[str]]:
    """What a line may quote of the target: uids, and names by what they are names of."""
    pod, account = snapshot.pod.value, snapshot.service_account.value
    uids = {held.metadata.uid for held in (pod, account) if held}
    names = {pod.spec.service_account_name} if pod else set()
    return {"uid": uids, "name": names, "namespace": {snapshot.target.namespace}}


def _named(lines: Sequence[_Told], names: dict[str, set[str]]) -> list[tuple[_Told, Certainty, str]]:
    return [(told, Certainty.LIKELY, "") for told in lines if _names_target(told, names)]


def _names_target(told: _Told, names: dict[str, set[str]]) -> bool:
    found = told.message.regex.search(told.line.text.replace('\\"', '"'))
    quoted = {key: text for key, text in (found.groupdict() if found else {}).items() if key in names and text}
    # A bare account name may be another namespace's, so a name counts only together with a namespace.
    telling = "uid" in quoted or {"name", "namespace"} <= set(quoted)
    return telling and all(text in names[key] for key, text in quoted.items())


def _coincident(lines: Sequence[_Told], refused: Sequence[Signal]) -> Iterator[tuple[_Told, Certainty]]:
    """The reason that stands beside the most of one container's 401s: one line for each of them.

    Less than half of them is chance, and the lines are somebody else's. Two reasons that fit as well cannot both
    be right, so then neither is more than possible.
    """
    times = sorted(signal.at for signal in refused if signal.at)
    causes = dict.fromkeys(told.message.cause for told in lines)
    beside = [_paired(times, [told for told in lines if told.message.cause == cause]) for cause in causes]
    most = max(map(len, beside), default=0)
    if not most or 2 * most < len(times):
        return
    best = [pairs for pairs in beside if len(pairs) == most]
    for told in (told for pairs in best for told in pairs):
        yield told, Certainty.LIKELY if len(best) == 1 and told.message is not BARE else Certainty.POSSIBLE


def _paired(times: Sequence[datetime], lines: Sequence[_Told]) -> list[_Told]:
    """Each refusal with the first line of its seconds that no earlier refusal has taken; any API server's."""
    left = sorted(((told.line.at, told) for told in lines if told.line.at), key=lambda pair: pair[0])
    taken: list[_Told] = []
    for at in times:
        near = next((pair for pair in left if abs(pair[0] - at) <= _SAME_REQUEST), None)
        if near:
            left.remove(near)
            taken.append(near[1])
    return taken
