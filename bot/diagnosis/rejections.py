"""Why the API server refuses the target's tokens, gathered from every route by which its words can be had."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bot.diagnosis.evidence import quote, server_log_source, token_source
from bot.diagnosis.signals import Signal
from bot.messages import BARE, Message, rejections
from bot.model import Certainty, ContainerLog, Evidence, LogLine, Noun, Route, SeenToken, Snapshot

_SAME_REQUEST = timedelta(seconds=2)
"""A client logs its 401 this soon after the API server has logged the rejection, clocks included."""


_Told = tuple[LogLine, Message]
"""A line of the API server's log, with what it means."""


class Rejection(Noun, frozen=True, kw_only=True):
    """One reason, with its proof. `token` is the refused token where it was seen."""

    message: Message
    evidence: Evidence
    certainty: Certainty
    token: SeenToken | None = None


def of_tokens(tokens: Sequence[SeenToken]) -> Iterator[Rejection]:
    """What TokenReview said of the tokens that were seen."""
    for token in tokens:
        for review in token.reviews:
            if review.authenticated or review.audiences:
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
    """The API server's own log: lines that name the target, and lines of the very seconds of the pod's 401s.

    No such line names the client, so a line is the pod's only by what it quotes or by when it was written.
    """
    names = _identities(snapshot)
    for log in logs:
        lines = [(line, message) for line in log.lines for message in rejections(line.text)]
        named = [(*told, Certainty.LIKELY) for told in lines if _names_target(*told, names)]
        for line, message, certainty in named or _coincident(lines, refused):
            yield Rejection(
                message=message,
                evidence=quote(Route.LOG, server_log_source(log), line.text, line.at),
                certainty=certainty,
            )


def _identities(snapshot: Snapshot) -> dict[str, set[str]]:
    """What a line may quote of the target: uids, and names by what they are names of."""
    pod, account = snapshot.pod.value, snapshot.service_account.value
    uids = {held.metadata.uid for held in (pod, account) if held}
    names = {pod.spec.service_account_name} if pod else set()
    return {"uid": uids, "name": names, "namespace": {snapshot.target.namespace}}


def _names_target(line: LogLine, message: Message, names: dict[str, set[str]]) -> bool:
    found = message.regex.search(line.text.replace('\\"', '"'))
    quoted = {key: text for key, text in (found.groupdict() if found else {}).items() if key in names and text}
    # A bare account name may be another namespace's, so a name counts only together with a namespace.
    telling = "uid" in quoted or {"name", "namespace"} <= set(quoted)
    return telling and all(text in names[key] for key, text in quoted.items())


def _coincident(lines: Sequence[_Told], refused: Sequence[Signal]) -> Iterator[tuple[LogLine, Message, Certainty]]:
    """The reason that stands beside the most of the pod's 401s: one line for each of them.

    Less than half of them is chance, and the lines are somebody else's. Two reasons that fit as well cannot both
    be right, so then neither is more than possible.
    """
    times = sorted(signal.at for signal in refused if signal.at)
    beside = {cause: _paired(times, [told for told in lines if told[1].cause == cause]) for cause in _causes(lines)}
    most = max(map(len, beside.values()), default=0)
    if not most or 2 * most < len(times):
        return
    best = [pairs for pairs in beside.values() if len(pairs) == most]
    for line, message in (told for pairs in best for told in pairs):
        sure = Certainty.LIKELY if len(best) == 1 and message is not BARE else Certainty.POSSIBLE
        yield line, message, sure


def _causes(lines: Sequence[_Told]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(message.cause for _, message in lines))


def _paired(times: Sequence[datetime], lines: Sequence[_Told]) -> list[_Told]:
    """Each refusal with the first line of its seconds that no earlier refusal has taken."""
    left = sorted((told for told in lines if told[0].at), key=lambda told: told[0].at or times[0])
    taken: list[_Told] = []
    for at in times:
        near = next((told for told in left if told[0].at and abs(told[0].at - at) <= _SAME_REQUEST), None)
        if near:
            left.remove(near)
            taken.append(near)
    return taken
