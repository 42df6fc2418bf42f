"""`python -m demo.cluster [SCENARIO]`: runs the stand-in and prints how to reach it."""

import asyncio
import contextlib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from demo.cluster.server import ClusterServer


async def main(scenario: str) -> None:
    with TemporaryDirectory(prefix="token-doctor-demo-") as folder:
        async with ClusterServer(scenario) as cluster:
            print(f"KUBECONFIG={cluster.kubeconfig(Path(folder) / 'kubeconfig')}")
            print(f"ADMIN_KUBECONFIG={cluster.kubeconfig(Path(folder) / 'admin.kubeconfig', admin=True)}", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "default"))
