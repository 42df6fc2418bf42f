"""Pods, folded into what makes them: a thousand replicas are one workload. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bot.census.facts import Facts
from bot.census.wire import Pod
from bot.mounts import TokenMount, token_mounts
from bot.ownership import Signs, owner_by

_CRON_JOB_RUN = re.compile(r"(.+)-(\d{7,9})")
_LONGEST_DELAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Maker(NamedTuple):
    """Of which a pod is one: a workload, or the pod itself where nothing makes it."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.lower()} {self.name}"


@dataclass(slots=True)
class Mounted:
    """A token file of all the replicas: `since` is when the oldest container that has it started."""

    mount: TokenMount
    since: datetime | None = None


@dataclass(slots=True)
class Workload:
    """What its pods have in common. `risks` are its projected token files by container and path."""

    maker: Maker
    pods: int = 0
    owner: str = ""
    account: str = ""
    on_default_account: bool = False
    risks: dict[str, Mounted] = field(default_factory=dict)


def maker_of(pod: Pod) -> Maker:
    """By the names that controllers give. Where a name is not certain to be such a one, it is said as it is."""
    owner = next((one for one in pod.metadata.owner_references if one.controller), None)
    if owner is None:
        return Maker("Pod", pod.metadata.name)
    template = pod.metadata.labels.template_hash
    if owner.kind == "ReplicaSet" and template and owner.name.endswith(f"-{template}"):
        # Only the deployment controller writes this label, and names its ReplicaSets so.
        return Maker("Deployment", owner.name.removesuffix(f"-{template}"))
    if owner.kind == "Job" and (cron_job := _cron_job(owner.name, pod.metadata.creation_timestamp)):
        return Maker("CronJob", cron_job)
    return Maker(owner.kind, owner.name)


def _cron_job(job: str, born: datetime | None) -> str:
    """A CronJob's Job is named for the minute it was due at (`pkg/controller/cronjob/utils.go`)."""
    named = _CRON_JOB_RUN.fullmatch(job)
    if named is None or born is None:
        return ""
    due = _EPOCH + timedelta(minutes=int(named[2]))
    return named[1] if timedelta() <= born - due <= _LONGEST_DELAY else ""


def fold(workload: Workload, pod: Pod, facts: Facts) -> None:
    """Adds a pod to its workload: in whatever order they come, the outcome is the same."""
    workload.pods += 1
    # By what the pod has from its template: the object that controls it is the workload itself.
    owner = owner_by(Signs(pod.metadata.labels, pod.metadata.annotations))
    if owner and (not workload.owner or owner < workload.owner):
        workload.owner = owner
    if pod.has_ended or pod.metadata.deletion_timestamp:
        return
    mounts = [mount for mount in token_mounts(pod) if mount.projected]
    if not mounts:
        return
    workload.account = max(workload.account, pod.spec.service_account_name)
    workload.on_default_account |= pod.spec.service_account_name == "default"
    started = _started(pod)
    for mount in mounts:
        if not _is_at_risk(mount, facts):
            continue
        seen = workload.risks.setdefault(f"{mount.container}: {mount.path}", Mounted(mount))
        # A longer life and a later start are less urgent: of replicas that differ, the worse one is kept.
        seen.mount = min(seen.mount, mount, key=_worse_first)
        seen.since = min(filter(None, (seen.since, started.get(mount.container))), default=None)


def _worse_first(mount: TokenMount) -> tuple[bool, int, str, str]:
    return not mount.sub_path, mount.expiration_seconds, mount.audience, mount.volume


def _is_at_risk(mount: TokenMount, facts: Facts) -> bool:
    return mount.sub_path or facts.is_capped(mount) or facts.extended(mount) is not None


def _started(pod: Pod) -> dict[str, datetime]:
    return dict(_runs(pod))


def _runs(pod: Pod) -> Iterator[tuple[str, datetime]]:
    for status in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        if status.state.running and status.state.running.started_at:
            yield status.name, status.state.running.started_at
