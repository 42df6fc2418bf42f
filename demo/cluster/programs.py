"""What runs in the containers: clients that hold a token, send it, and write down what they are answered."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from msgspec import Struct

from demo.cluster.admission import TOKEN_FOLDER
from demo.cluster.agenda import Agenda
from demo.cluster.authentication import ANONYMOUS, Authenticator, RefusedError
from demo.cluster.authorization import Attributes, Authorizer, refusal
from demo.cluster.clock import Clock
from demo.cluster.component_log import ComponentLog
from demo.cluster.logs import Logs
from demo.cluster.mounts import Mounts
from demo.cluster.objects import JsonObject, namespace_of, uid_of
from demo.cluster.wordings import WORDINGS

Outcome: TypeAlias = Literal["", "well", "refused", "forbidden", "no file", "elsewhere"]
Exit: TypeAlias = Callable[[JsonObject, str, int], None]
"""A pod, a container, and the code that its process has ended with."""


_AT_ONCE = 1.0
_BETWEEN_CUSTOMERS = 2.0


class Program(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an image does. Every so many seconds, at a fixed time of the minute, it asks and writes a line.

    `reads`: at the start only, or each time; `token` is a file, `env:NAME`,
    `kubeconfig:FILE`, or "" for none. `resource` is what it lists
    (`resource.group`), "" for a program without business at the API server; `complains` is what others tell it. One
    that says nothing writes no line. `serves` is what it writes of its own customers, a line every few seconds,
    whatever the API server answers it.
    """

    says: tuple[str, ...] = ("ready",)
    serves: tuple[str, ...] = ()
    every: float = 60
    phase: float = 0
    resource: str = ""
    namespace: str | None = None
    token: str = f"{TOKEN_FOLDER}/token"
    reads: Literal["once", "each"] = "each"
    words: str = "client-go"
    complains: str = ""
    ends_after: float = 0
    exits_on_trouble: bool = False


@dataclass(frozen=True)
class World:
    """What a process lives in. `history_from`: of what was before, programs wrote no more than a first line."""

    clock: Clock
    agenda: Agenda
    logs: Logs
    mounts: Mounts
    authenticator: Authenticator
    authorizer: Authorizer
    api_server_log: ComponentLog
    history_from: datetime


@dataclass
class Process:
    """One run of a container's program. `outcome` is what came of its last request, `reason` the API server's words."""

    world: World
    program: Program
    pod: JsonObject
    container: JsonObject
    environment: dict[str, str]
    on_exit: Exit
    alive: bool = True
    outcome: Outcome = ""
    reason: str = ""
    at: datetime | None = None
    _held: str | None = None
    _told: int = field(default=0)
    _served: int = field(default=0)

    def start(self) -> None:
        if not self.program.says:
            return
        self._held = self._token()
        self._write(f"starting {self.container['image'].rpartition('/')[2]}")
        if self.program.ends_after:
            self.world.agenda.after(self.program.ends_after, self._end)
        first = _AT_ONCE if self.program.exits_on_trouble else self._until_next()
        self.world.agenda.after(first, self._tick)
        if self.program.serves:
            self._open()

    def _open(self) -> None:
        """For customers; of those of long ago nothing is written down."""
        wait = (self.world.history_from - self._now()).total_seconds()
        self.world.agenda.after(max(_BETWEEN_CUSTOMERS, wait), self._serve)

    def _serve(self) -> None:
        if self.alive:
            self._write(self.program.serves[self._served % len(self.program.serves)])
            self._served += 1
            self._open()

    def stop(self) -> None:
        self.alive = False

    def hold_that_of_the_start(self) -> None:
        """What a program that reads once has in its hands after time has passed."""
        if self.program.reads == "once":
            self._held = self.world.mounts.first(self.pod, self.program.token) or self._held

    def _until_next(self) -> float:
        """Seconds; the pods of one workload ask shortly after each other."""
        now = self.world.clock.now()
        begin = max(now, self.world.history_from).timestamp() + 0.5
        shift = self.program.phase + int(uid_of(self.pod)[:2], 16) / 320
        due = math.ceil((begin - shift) / self.program.every) * self.program.every + shift
        return due - now.timestamp()

    def _tick(self) -> None:
        if not self.alive:
            return
        self.at = self.world.clock.now()
        self._work()
        if self.alive:
            self.world.agenda.after(self._until_next(), self._tick)

    def _work(self) -> None:
        program = self.program
        if program.complains:
            self.outcome = "elsewhere"
            self._write(program.complains)
            return
        if not program.resource:
            self._tell_well()
            return
        token = self._held if program.reads == "once" else self._token()
        if token is None and program.token:
            self.outcome = "no file"
            self._fail(WORDINGS[program.words].no_file(self.program.token))
            return
        self._ask(token or "")

    def _ask(self, token: str) -> None:
        resource, _, group = self.program.resource.partition(".")
        namespace = namespace_of(self.pod) if self.program.namespace is None else self.program.namespace
        wanted = Attributes(verb="list", group=group, resource=resource, namespace=namespace)
        words = WORDINGS[self.program.words]
        try:
            user = self.world.authenticator.judge(token).user if token else ANONYMOUS
        except RefusedError as error:
            self.world.api_server_log.refused(str(error))
            self.outcome, self.reason = "refused", str(error)
            self._fail(words.unauthorized(self._now(), wanted))
            return
        verdict = self.world.authorizer.verdict(user, wanted)
        if not verdict.allowed:
            message = refusal(user, wanted, verdict).message
            self.outcome, self.reason = "forbidden", message
            self._fail(words.forbidden(self._now(), wanted, message))
            return
        self._tell_well()

    def _tell_well(self) -> None:
        self.outcome, self.reason = "well", ""
        self._write(self.program.says[self._told % len(self.program.says)])
        self._told += 1

    def _fail(self, line: str) -> None:
        self._write(line)
        if self.program.exits_on_trouble:
            self._exit(1)

    def _end(self) -> None:
        if self.alive:
            self._exit(1 if self.outcome in {"refused", "forbidden", "no file"} else 0)

    def _exit(self, code: int) -> None:
        self.alive = False
        self.on_exit(self.pod, self.container["name"], code)

    def _token(self) -> str | None:
        """None where there is no such file or variable."""
        kind, _, name = self.program.token.partition(":")
        if kind == "env":
            return self.environment.get(name)
        if kind == "kubeconfig":
            text = self.world.mounts.read(self.pod, self.container, name, self._now())
            return None if text is None else str(json.loads(text)["users"][0]["user"]["token"])
        if not self.program.token:
            return None
        return self.world.mounts.read(self.pod, self.container, self.program.token, self._now())

    def _now(self) -> datetime:
        return self.world.clock.now()

    def _write(self, text: str) -> None:
        self.world.logs.write((uid_of(self.pod), self.container["name"]), self._now(), text)


def is_recent(moment: datetime | None, now: datetime, every: float) -> bool:
    """Whether a program that asks so often has asked since."""
    return moment is not None and now - moment <= timedelta(seconds=2 * every + 5)
