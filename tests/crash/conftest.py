"""The run's control plane and PostgreSQL server, as the other tests have them."""

from tests.cluster.conftest import control_plane_binaries, plane
from tests.store.conftest import numbers, server

__all__ = ["control_plane_binaries", "numbers", "plane", "server"]
