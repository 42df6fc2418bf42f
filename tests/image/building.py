"""The Dockerfile's steps, done one after another in rooms of their own."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.image import dockerfile
from tests.image.dockerfile import Copy, Run, Stage
from tests.image.room import PATH, Room

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text("utf-8")
IGNORE = (ROOT / ".dockerignore").read_text("utf-8")
STEP_SECONDS = 600
_NETWORK = ("PIP_", "UV_", "HTTP", "http", "NO_PROXY", "no_proxy", "SSL_")
"""Variables that say how this machine reaches PyPI, as an engine's build arguments would."""


@dataclass(frozen=True)
class Image:
    """The last stage."""

    stage: Stage
    room: Room

    def command(self, words: Sequence[str], *, writable: Mapping[str, Path], sealed: Mapping[str, Path]) -> list[str]:
        """As an engine starts it with a read-only root; there is no shell."""
        return self.room.command(words, folder=self.stage.folder, mounts=writable, user=self.stage.user, sealed=sealed)


def built(folder: Path) -> Image:
    """What `build` has left there."""
    *_, last = dockerfile.read(TEXT, PATH)
    return Image(last, Room(folder / last.name))


def build(folder: Path) -> Image:
    """Takes half a minute of a processor."""
    rooms: dict[str, Room] = {}
    for stage in dockerfile.read(TEXT, PATH):
        room = Room(folder / stage.name)
        room.prepare()
        rooms[stage.name] = room
        for step in stage.steps:
            if isinstance(step, Run):
                _run(room, step)
            else:
                _copy(room, step, rooms[step.source].root if step.source else None)
    return built(folder)


def _run(room: Room, step: Run) -> None:
    (room.root / step.folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
    network = {name: value for name, value in os.environ.items() if name.startswith(_NETWORK)}
    done = subprocess.run(
        room.command(["sh", "-c", step.command], folder=step.folder, mounts={"/cache": _uv_cache()}),
        env={"HOME": "/tmp", **network, **step.variables, "UV_CACHE_DIR": "/cache"},  # noqa: S108  # the room's own
        capture_output=True,
        text=True,
        check=False,
        timeout=STEP_SECONDS,
    )
    assert done.returncode == 0, f"RUN {step.command}\n{done.stdout}{done.stderr}"


def _copy(room: Room, step: Copy, stage: Path | None) -> None:
    """Of the context only what .dockerignore lets through. A folder's contents are copied, not the folder."""
    known = None if stage else set(dockerfile.context(ROOT, IGNORE))
    to = room.root / step.to.lstrip("/")
    for name in step.sources:
        source = (stage or ROOT) / name.lstrip("/")
        files = [each for each in source.rglob("*") if not each.is_dir()] if source.is_dir() else [source]
        to.mkdir(parents=True, exist_ok=True)
        for file in files:
            if known is not None and file.relative_to(ROOT) not in known:
                continue
            place = to / (file.relative_to(source) if source.is_dir() else file.name)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, place, follow_symlinks=False)
    if step.owner and os.geteuid() == 0:
        uid, gid = map(int, step.owner.split(":"))
        for each in (to, *to.rglob("*")):
            os.chown(each, uid, gid, follow_symlinks=False)


def _uv_cache() -> Path:
    """Of this machine, so that what it has need not be fetched again."""
    uv = shutil.which("uv", path=f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}") or "uv"
    done = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=True)
    found = Path(done.stdout.strip())
    found.mkdir(parents=True, exist_ok=True)
    return found
