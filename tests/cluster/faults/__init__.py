"""Every fault of the catalogue that a real control plane can have, and pods that have none."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from tests.cluster.api import JsonObject
from tests.cluster.faults import elsewhere, healthy, pod, token
from tests.cluster.faults.scene import Expected, Scene

Inject: TypeAlias = Callable[[Scene], Awaitable[JsonObject]]

FAULTS: tuple[tuple[Inject, Expected], ...] = (*token.FAULTS, *pod.FAULTS, *elsewhere.FAULTS)
HEALTHY = healthy.HEALTHY
ROUTES = healthy.ROUTES

__all__ = ["FAULTS", "HEALTHY", "ROUTES", "Expected", "Inject", "Scene"]
