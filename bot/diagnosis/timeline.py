"""What happened when: the order of events is half of a diagnosis."""

from collections.abc import Iterator

from bot.diagnosis.case import Case
from bot.diagnosis.signals import SignalKind
from bot.model import Moment

_REFUSED = (SignalKind.UNAUTHORIZED, SignalKind.AMBIGUOUS)


def timeline(case: Case) -> tuple[Moment, ...]:
    """The moments that are known, oldest first; what was not read is not in it."""
    return tuple(sorted((*_objects(case), *_containers(case), *_refusals(case)), key=lambda moment: moment.at))


def _objects(case: Case) -> Iterator[Moment]:
    account, pod = case.snapshot.service_account.value, case.snapshot.pod.value
    if account and (born := account.metadata.creation_timestamp):
        yield Moment(at=born, what=f"service account {account.metadata.name} created")
    if account and (leaving := account.metadata.deletion_timestamp):
        yield Moment(at=leaving, what=f"service account {account.metadata.name} deleted")
    if pod and (born := pod.metadata.creation_timestamp):
        yield Moment(at=born, what=f"pod {pod.metadata.name} created")
    if pod and (leaving := pod.metadata.deletion_timestamp):
        yield Moment(at=leaving, what=f"pod {pod.metadata.name} deleted")
    for reference in case.snapshot.referenced_secrets.value or ():
        if reference.is_token and reference.secret and (born := reference.secret.metadata.creation_timestamp):
            yield Moment(at=born, what=f"token Secret {reference.name} created")


def _containers(case: Case) -> Iterator[Moment]:
    if case.snapshot.pod.value is None:
        return
    for name, status in case.statuses.items():
        running, ended = status.state.running, status.last_state.terminated
        if ended and ended.finished_at:
            yield Moment(at=ended.finished_at, what=f"container {name} ended, exit code {ended.exit_code}")
        if running and running.started_at:
            again = f", restart {status.restart_count}" if status.restart_count else ""
            yield Moment(at=running.started_at, what=f"container {name} started{again}")


def _refusals(case: Case) -> Iterator[Moment]:
    if case.snapshot.logs.gap or case.snapshot.pod.gap:
        return
    times = sorted(signal.at for signal in case.of_kind(*_REFUSED) if signal.at)
    if times:
        yield Moment(at=times[0], what="first 401 in the log that was read")
    if len(times) > 1:
        yield Moment(at=times[-1], what=f"last of {len(times)} such lines")
