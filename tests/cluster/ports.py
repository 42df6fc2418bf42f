"""Free ports on 127.0.0.1."""

import random
import socket

# Below the range from which Linux takes ports for outgoing connections: those would come and go under our feet.
LOWEST, HIGHEST = 20000, 32000


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on now; somebody may before they are used."""
    found: list[int] = []
    candidates = random.SystemRandom().sample(range(LOWEST, HIGHEST), k=50 * count)
    for port in candidates:
        if len(found) == count:
            return found
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    raise OSError(f"no {count} free ports between {LOWEST} and {HIGHEST} on 127.0.0.1")
