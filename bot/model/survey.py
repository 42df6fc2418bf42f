"""A target that is answered by several: a workload by its pods, a namespace by its workloads."""

from collections.abc import Iterator
from datetime import datetime

from bot.model.asked import ObjectRef
from bot.model.facets import Gap
from bot.model.noun import Noun
from bot.model.snapshot import Snapshot
from bot.model.workload import Workload


class Survey(Noun, frozen=True, kw_only=True):
    """What was read of a target: its own snapshot, those of the pods that were chosen, or its workloads' surveys.

    `own` is the target itself where that is read: a pod, a Secret, a service account, or a workload by its pod
    template. There are `total` pods (of a namespace: workloads), at least, where `more` were not listed; `ended` pods
    were left out because nothing runs in them any more.
    """

    target: ObjectRef
    taken_at: datetime
    own: Snapshot | None = None
    pods: tuple[Snapshot, ...] = ()
    workloads: tuple["Survey", ...] = ()
    workload: Workload | None = None
    total: int = 0
    more: bool = False
    ended: int = 0
    gaps: tuple[Gap, ...] = ()

    def snapshots(self) -> Iterator[Snapshot]:
        """Each of them once."""
        if self.own:
            yield self.own
        yield from self.pods
        for workload in self.workloads:
            yield from workload.snapshots()
