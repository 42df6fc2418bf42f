"""A network of the tests' own: API servers publish no loopback address, and no other machine is ever asked."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


class CannotMakeNetworkError(Exception):
    """The machine does not let this user make a network namespace; the sentence says what to do."""


@contextmanager
def own_network() -> Iterator[str]:
    """An address on a virtual link into a network namespace; both are gone afterwards."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise CannotMakeNetworkError("this test makes a network namespace: run it as root, with iproute2 installed")
    name, address = f"token-doctor-{os.getpid()}", f"10.203.{os.getpid() % 250}.1"
    here, there = f"td{os.getpid()}", f"te{os.getpid()}"
    try:
        _ip("netns", "add", name)
    except subprocess.CalledProcessError as error:
        raise CannotMakeNetworkError(f"no network namespace can be made here: {error.stderr.strip()}") from None
    try:
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        _ip("addr", "add", f"{address}/30", "dev", here)
        _ip("link", "set", here, "up")
        yield address
    finally:
        _ip("netns", "del", name)  # the link goes with it


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)  # noqa: S607  # the PATH's own
