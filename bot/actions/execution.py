"""The steps of one execution, from the claimed request to how it ended.

Was it done already? → plan again, and it must be the approved one → policy once more → apply, on that very object →
follow it to its end → look whether it helped.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import NamedTuple

from bot.actions import afterwards
from bot.actions.action import Action, CannotActError, PlanChangedError, Progress, unchanged
from bot.actions.hold import Hold
from bot.actions.policy import Ruling
from bot.diagnosis.aftermath import Aftermath
from bot.durations import span
from bot.errors import ClusterUnreachableError, DoctorError, StoreUnavailableError
from bot.kube.client import Cluster
from bot.lease import Clock
from bot.model import ActionKind, Plan, Request, State

LOOKS = 4
DOUBT = "It may have taken effect all the same: look at the object."
_RETRY_SECONDS = 5.0
_IN_DOUBT = timedelta(hours=1)
_LEAST_TO_FOLLOW = timedelta(minutes=1)
_MOST_CLAIMS = 50


class Ending(NamedTuple):
    state: State
    outcome: str


class LaterError(Exception):
    """The policy could not be asked for want of somebody's answer; `str()` is why."""


class Execution:
    """`cluster` connects to one by name, `look` says whether it helped, `checkpoint` is told each step."""

    def __init__(
        self,
        actions: Mapping[ActionKind, Action],
        clock: Clock,
        *,
        cluster: Callable[[str], Awaitable[Cluster]],
        may_run: Callable[[Request], Awaitable[Ruling]],
        look: Callable[[Request], Awaitable[Aftermath]],
        checkpoint: Callable[[str], None],
        look_every: timedelta,
    ) -> None:
        self._actions = actions
        self._clock = clock
        self._cluster = cluster
        self._may_run = may_run
        self._look = look
        self._checkpoint = checkpoint
        self._look_every = look_every

    async def ending(self, hold: Hold) -> Ending | None:
        """How it ended; None where it is to be looked at again later.

        Raises LostError, StoreUnavailableError: then another worker will know.
        """
        request = hold.request
        action = self._actions.get(request.plan.kind)
        if action is None:
            return Ending(State.FAILED, f"This version of token-doctor has no action {request.plan.kind}.")
        if request.fence - request.looks > _MOST_CLAIMS:
            return Ending(State.FAILED, f"{_MOST_CLAIMS} workers took it up, and none came to its end. {DOUBT}")
        if request.applied_at is None:
            ending = await self._effect(hold, action)
            if ending is not None:
                return ending
        if request.looks:
            return await self._aftermath(hold, request.outcome)
        followed = await self._followed(hold, action)
        self._checkpoint("followed")
        if followed.failed or not followed.ended:
            why = followed.failed or "It cannot be told how it went on."
            return Ending(State.FAILED, _sentences(followed.text, why))
        return await self._aftermath(hold, followed.text)

    async def _effect(self, hold: Hold, action: Action) -> Ending | None:
        """Has it done, once; None when it is. Who does not answer is asked again until the approval expires."""
        while True:
            try:
                ending = await self._tried(hold, action)
            except (LaterError, ClusterUnreachableError) as error:
                reason = str(error).rstrip(".")
            else:
                if ending is None:
                    await hold.applied()
                    self._checkpoint("noted")
                return ending
            hold.step = f"Waiting: {reason}."
            expired = self._clock.now() - hold.request.expires_at
            if expired >= (_IN_DOUBT if hold.in_doubt else timedelta()):
                doubt = DOUBT if hold.in_doubt else ""
                return Ending(
                    State.FAILED, _sentences(f"The approval expired while this was waited for: {reason}.", doubt)
                )
            await self._clock.sleep(_RETRY_SECONDS)

    async def _tried(self, hold: Hold, action: Action) -> Ending | None:
        """None when it is done. Raises ClusterUnreachableError and LaterError: try again."""
        request = hold.request
        try:
            cluster = await self._cluster(request.plan.ref.cluster)
            done = await action.is_done(cluster, request.plan, request.id)
        except (ClusterUnreachableError, StoreUnavailableError):
            raise
        except DoctorError as error:
            return _refused(hold, error)
        self._checkpoint("looked")
        if done:
            return None
        try:
            return await self._done(hold, action, cluster)
        except (ClusterUnreachableError, StoreUnavailableError):
            raise
        except DoctorError as error:
            # The late effect of a worker that died, or of an answer that got lost, looks like somebody's change.
            return None if await _done_after_all(action, cluster, request) else _refused(hold, error)

    async def _done(self, hold: Hold, action: Action, cluster: Cluster) -> Ending | None:
        request = hold.request
        if self._clock.now() >= request.expires_at:
            return Ending(State.FAILED, "The approval expired before it could be carried out: ask for it anew.")
        present = await action.plan(cluster, request.plan.ref, request.plan.parameters)
        try:
            unchanged(request.plan, present)
        except PlanChangedError as changed:
            raise PlanChangedError(_sentences(str(changed), _instead(present)), next_step=changed.next_step) from None
        self._checkpoint("planned")
        ruling = await self._may_run(request)
        if not ruling.allowed:
            if ruling.passing:
                raise LaterError(ruling.reason)
            return Ending(State.FAILED, f"It may not be done any more: {ruling.reason.rstrip('.')}.")
        self._checkpoint("ruled")
        await hold.beat()
        self._checkpoint("applying")
        hold.in_doubt = True
        await action.apply(cluster, request.plan, request.id)
        self._checkpoint("applied")
        return None

    async def _followed(self, hold: Hold, action: Action) -> Progress:
        """The last of its progress, which goes on until it has ended or its time is up."""
        request, now = hold.request, self._clock.now()
        # After a clock was set, or a long time without any worker, there is still time to see how it stands.
        until = max((request.applied_at or now) + action.patience, now + _LEAST_TO_FOLLOW)
        last = Progress(text="It was done.")
        while True:
            try:
                cluster = await self._cluster(request.plan.ref.cluster)
            except ClusterUnreachableError as error:
                if self._clock.now() >= until:
                    return Progress(text=last.text, failed=f"How it went on could not be seen: {error}")
                await self._clock.sleep(_RETRY_SECONDS)
                continue
            async for progress in action.follow(cluster, request.plan, request.id, until):
                last = progress
                hold.step = _sentences(progress.text, progress.stuck and f"Held up: {progress.stuck.rstrip('.')}.")
            return last

    async def _aftermath(self, hold: Hold, text: str) -> Ending | None:
        """Looks whether it helped, a few times; None where it is looked again later."""
        request = hold.request
        if afterwards.target(request.plan) is None:
            return Ending(State.SUCCEEDED, text)
        try:
            found = await self._look(request)
        except DoctorError as error:
            found = Aftermath(proven=False, text=f"No new evidence yet: {error}")
        self._checkpoint("examined")
        if found.proven:
            return Ending(State.SUCCEEDED, _sentences(text, found.text))
        if request.looks + 1 >= LOOKS:
            last = "That was the last look: check it again yourself."
            return Ending(State.SUCCEEDED, _sentences(text, found.text, last))
        hold.step = _sentences(text, found.text, f"Looking again in {span(self._look_every)}.")
        await hold.look_again(self._look_every, text)
        return None


async def _done_after_all(action: Action, cluster: Cluster, request: Request) -> bool:
    try:
        return await action.is_done(cluster, request.plan, request.id)
    except CannotActError:
        return False


def _refused(hold: Hold, error: DoctorError) -> Ending:
    """What was approved is another thing by now, or is not possible."""
    if isinstance(error, PlanChangedError):
        return Ending(State.STALE, _sentences(str(error), error.next_step))
    return Ending(State.FAILED, _sentences(str(error), error.next_step, DOUBT if hold.in_doubt else ""))


def _instead(present: Plan) -> str:
    return "\n".join(["What would be done now:", *present.difference])


def _sentences(*parts: str) -> str:
    return " ".join(filter(None, parts))
