"""What tests tell the kubelet, as files in a folder: any test process may write them, the kubelet reads them.

One file a fact, replaced as a whole; a namespace belongs to one test, so nobody else writes the same file.
"""

import datetime as dt
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from tests.cluster.processes import stamp

Request: TypeAlias = Literal["logs", "exec"]


@dataclass(frozen=True)
class Container:
    """A container's address."""

    namespace: str
    pod: str
    name: str


@dataclass(frozen=True)
class ExecOutcome:
    """What a command does in a container. `argv` None: every command. Not found: as in an image without a shell."""

    argv: list[str] | None
    stdout: str = ""
    stderr: str = ""
    exit_code: int = 0
    executable_found: bool = True


@dataclass(frozen=True)
class Fault:
    """The kubelet answers late, with an HTTP error (plain text, as the real one), or both."""

    delay_seconds: float = 0
    status: int | None = None
    text: str = ""


@dataclass(frozen=True)
class State:
    """The folder."""

    folder: Path

    def set_logs(
        self, container: Container, lines: Sequence[tuple[dt.datetime, str]], *, previous: bool = False
    ) -> None:
        """Replaces the container's log; `previous` is the log of its last terminated instance."""
        single = ((moment, line) for moment, text in lines for line in text.split("\n"))
        text = "".join(f"{stamp(moment)} stdout F {line}\n" for moment, line in single)
        _write(self.log(container, previous=previous), text)

    def link_logs(self, container: Container, log: Path) -> None:
        """The container's log is this file from now on."""
        link = self.log(container, previous=False)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(log)

    def log(self, container: Container, *, previous: bool) -> Path:
        """The file, in the container runtimes' format; it need not exist."""
        suffix = ".previous.log" if previous else ".log"
        return self.folder / "logs" / _pod(container.namespace, container.pod) / f"{container.name}{suffix}"

    def set_exec(self, container: Container, outcome: ExecOutcome) -> None:
        """Replaces what was set for the same command."""
        kept = [each for each in self.execs(container) if each.argv != outcome.argv]
        _write(self._execs(container), json.dumps([asdict(each) for each in [*kept, outcome]]))

    def execs(self, container: Container) -> list[ExecOutcome]:
        return [ExecOutcome(**each) for each in json.loads(_read(self._execs(container)) or "[]")]

    def set_fault(self, namespace: str, pod: str, request: Request, fault: Fault | None) -> None:
        """None heals it."""
        path = self._fault(namespace, pod, request)
        if fault is None:
            path.unlink(missing_ok=True)
        else:
            _write(path, json.dumps(asdict(fault)))

    def fault(self, namespace: str, pod: str, request: Request) -> Fault:
        return Fault(**json.loads(_read(self._fault(namespace, pod, request)) or "{}"))

    def refresh_tokens(self, pod_uid: str) -> None:
        """Lets the kubelet mint the pod's projected tokens anew."""
        _write(self._refreshes(pod_uid), str(self.refreshes(pod_uid) + 1))

    def refreshes(self, pod_uid: str) -> int:
        return int(_read(self._refreshes(pod_uid)) or 0)

    def set_clock_lag(self, node: str, lag: dt.timedelta) -> None:
        """How far the node's clock is behind; negative: ahead."""
        _write(self._clock(node), str(lag.total_seconds()))

    def clock_lag(self, node: str) -> dt.timedelta:
        return dt.timedelta(seconds=float(_read(self._clock(node)) or 0))

    def _execs(self, container: Container) -> Path:
        return self.folder / "exec" / _pod(container.namespace, container.pod) / f"{container.name}.json"

    def _fault(self, namespace: str, pod: str, request: Request) -> Path:
        return self.folder / "faults" / _pod(namespace, pod) / f"{request}.json"

    def _refreshes(self, pod_uid: str) -> Path:
        return self.folder / "refreshes" / f"{pod_uid}.json"

    def _clock(self, node: str) -> Path:
        return self.folder / "clocks" / f"{node}.json"


def _pod(namespace: str, pod: str) -> str:
    return f"{namespace}_{pod}"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    scratch.write_text(text)
    scratch.replace(path)


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None
