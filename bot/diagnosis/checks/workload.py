"""Why a workload has not the pods that it wants, where that is not its service account."""

from collections.abc import Iterator
from datetime import timedelta

from bot.diagnosis.case import Case
from bot.diagnosis.evidence import found, quote
from bot.model import Finding, Route
from bot.objects import Event

_STILL = timedelta(minutes=20)
"""Controllers wait up to 1000 s between two tries (client-go's default rate limiter)."""


def pods_not_created(case: Case) -> Iterator[Finding]:
    """Read only while pods are missing: an event beside all its pods says nothing."""
    workload = case.snapshot.workload.read()
    refused = sorted((event for event in case.snapshot.events.read() if _is_refusal(case, event)), key=_order)
    if refused and not workload.suspended and workload.wanted != 0:
        wanted = f"{workload.wanted} pods" if workload.wanted is not None else "a pod"
        yield found(
            "pods-not-created",
            f"It wants {wanted}, and the API server refuses to make more of them.",
            [quote(Route.EVENT, f"event {event.reason}", event.message, event.at) for event in refused[-1:]],
        )


def _is_refusal(case: Case, event: Event) -> bool:
    recent = event.at is None or event.at > case.now - _STILL
    return recent and event.reason == "FailedCreate" and "error looking up service account" not in event.message


def _order(event: Event) -> str:
    return str(event.at or "")
