"""A folder as the root of the file system, in a mount namespace: what a container engine would do, less the rest.

This machine's system stands in for the base image, read-only: its /usr and libraries, and its Python.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PATH = "/base:/usr/bin:/bin"
_SYSTEM = ("usr", "bin", "sbin", "lib", "lib64", "lib32", "libx32")
_SETTINGS = ("hosts", "resolv.conf", "nsswitch.conf", "localtime", "pip.conf")
_PREFIX = Path(sys.base_prefix)
_SHELLS = ("sh", "dash", "bash")
_CHROOT = shutil.which("chroot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


class CannotMakeRoomError(Exception):
    """The machine does not let this user make a mount namespace; the sentence says what to do."""


def possible() -> None:
    """Raises CannotMakeRoomError."""
    if sys.platform != "linux" or not _CHROOT or not shutil.which("unshare") or not shutil.which("setpriv"):
        raise CannotMakeRoomError("this test makes a root file system of its own: run it on Linux, with util-linux")
    done = subprocess.run([*_unshare(), "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotMakeRoomError(f"no mount namespace can be made here: {done.stderr.strip()}")


def _unshare() -> list[str]:
    own_user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", "--mount", *own_user]


@dataclass(frozen=True)
class Room:
    root: Path

    def prepare(self) -> None:
        """What a base image has."""
        for name in ("tmp", "etc", "proc", "dev", "base", "var"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        for name in _SETTINGS:
            if (Path("/etc") / name).exists():
                shutil.copy(Path("/etc") / name, self.root / "etc" / name)
        python = _PREFIX / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
        for name in ("python", "python3"):
            (self.root / "base" / name).symlink_to(python)
        for name in _SYSTEM:
            outside = Path("/") / name
            if outside.is_symlink():
                (self.root / name).symlink_to(outside.readlink())
            elif outside.is_dir():
                (self.root / name).mkdir()

    def command(
        self,
        words: Sequence[str],
        *,
        folder: str,
        mounts: Mapping[str, Path],
        user: str = "",
        sealed: Mapping[str, Path] | None = None,
    ) -> list[str]:
        """The command that runs `words` in `folder`. `mounts` are folders from outside, by their places inside.

        `user` is "65532:65532". With `sealed`, which are mounts that can only be read, nothing but `mounts` can be
        written, and there is no shell.
        """
        script = [*self._system(), *(_mounted(outside, self._inside(place)) for place, outside in mounts.items())]
        if sealed is not None:
            script += [_mounted(outside, self._inside(place), read_only=True) for place, outside in sealed.items()]
            there = [name for name in _SHELLS if (Path("/usr/bin") / name).exists()]
            shells = [_mounted(Path("/dev/null"), self._inside(f"usr/bin/{name}"), read_only=True) for name in there]
            first, last = f"mount --bind {self.root} {self.root}", f"mount -o remount,bind,ro {self.root}"
            script = [first, *script, *shells, last]
        inside = [str(_CHROOT), str(self.root), *_as(user), "env", f"--chdir={folder}", *words]
        return [*_unshare(), "sh", "-c", "\n".join(["set -e", *script, f"exec {shlex.join(inside)}"])]

    def _inside(self, place: str) -> Path:
        return self.root / place.lstrip("/")

    def _system(self) -> list[str]:
        """What is this machine's, in the place of the base image's."""
        folders = [Path("/") / name for name in _SYSTEM]
        folders += [Path("/etc/ssl"), *([] if _PREFIX.is_relative_to("/usr") else [_PREFIX])]
        own = [each for each in folders if each.is_dir() and not each.is_symlink()]
        script = [_mounted(each, self._inside(str(each)), read_only=True) for each in own]
        return [*script, *(_mounted(Path(name), self._inside(name)) for name in ("/dev", "/proc"))]


def _mounted(outside: Path, inside: Path, *, read_only: bool = False) -> str:
    make = f"mkdir -p {inside}" if outside.is_dir() else f"[ -e {inside} ] || touch {inside}"
    mount = f"mount --rbind {outside} {inside}"
    return f"{make}\n{mount}\nmount -o remount,bind,ro {inside}" if read_only else f"{make}\n{mount}"


def _as(user: str) -> list[str]:
    """Only root may become somebody else; anybody else is nobody's root already."""
    if not user or os.geteuid() != 0:
        return []
    uid, _, gid = user.partition(":")
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
