"""`python -m demo.cluster [SCENARIO]`: runs the stand-in and prints how to reach it."""

import argparse
import asyncio
import contextlib
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
    parser = argparse.ArgumentParser(prog="python -m demo.cluster", description=__doc__)
    parser.add_argument("scenario", nargs="?", default="default", help="one of demo/cluster/scenarios, without .yaml")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(parser.parse_args().scenario))
