"""What is done to a real control plane: faults that it can really have, and pods that have none.

Each is an async function of a `Scene` that returns the object to be examined; `tests/cluster/matrix.yaml` names them
and says what must be found.
"""

from collections.abc import Awaitable, Callable
from itertools import chain
from typing import TypeAlias

from tests.cluster.api import JsonObject
from tests.cluster.faults import (
    admission,
    authentication,
    clocks,
    combined,
    control_plane,
    elsewhere,
    healthy,
    innocent,
    kubelet,
    pod,
    secret,
    token,
    workload,
)
from tests.cluster.faults.scene import Scene

Inject: TypeAlias = Callable[[Scene], Awaitable[JsonObject]]

_THEMES = (
    admission,
    token,
    pod,
    elsewhere,
    combined,
    healthy,
    innocent,
    clocks,
    kubelet,
    authentication,
    secret,
    control_plane,
    workload,
)


def by_name(name: str) -> Inject:
    """The function of that name; KeyError where no theme has it."""
    found: dict[str, Inject] = dict(chain.from_iterable(vars(theme).items() for theme in _THEMES))
    return found[name]


__all__ = ["Inject", "Scene", "by_name"]
