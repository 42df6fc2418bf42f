"""`python -m tests.cluster up`: a real control plane in the foreground, for a look by hand and for benchmarks."""

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from tests.cluster import binaries
from tests.cluster.components import EndedError
from tests.cluster.layout import ADMIN, Layout
from tests.cluster.supervise import Ready, Wanted, serve_process


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    commands = parser.add_subparsers(required=True)
    up = commands.add_parser("up", help="print the administrator's kubeconfig when ready; Ctrl-C ends everything")
    up.add_argument("--folder", type=Path, help="where to keep its files; must be new (default: a temporary one)")
    asked = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    try:
        programs = binaries.ensure()
        with tempfile.TemporaryDirectory(prefix="token-doctor-") as scratch:
            _run(Layout(asked.folder or Path(scratch) / "control-plane"), programs)
    except (binaries.CannotBuildError, EndedError, FileExistsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _run(layout: Layout, programs: Path) -> None:
    def tell(ready: Ready) -> None:
        sys.stdout.write(f"{layout.kubeconfig(ADMIN)}\n")
        sys.stdout.flush()
        sys.stderr.write(
            f"Ready in {ready.start_seconds:.1f} s at {ready.url}; logs in {layout.logs}. Ctrl-C ends it.\n"
            f"{programs / 'kubectl'} --kubeconfig {layout.kubeconfig(ADMIN)} get pods -A\n"
        )

    asyncio.run(serve_process(None, layout, Wanted(programs), tell))


if __name__ == "__main__":
    sys.exit(main())
