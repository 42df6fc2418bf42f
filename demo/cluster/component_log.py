"""The control plane's own logs: the API server's says why a token was refused, and never whose it was."""

from dataclasses import dataclass
from typing import Literal

from demo.cluster.clock import Clock
from demo.cluster.logs import Container, Logs


@dataclass(frozen=True)
class ComponentLog:
    """Written by klog, as the container's of the program's static pod."""

    logs: Logs
    clock: Clock
    container: Container

    def refused(self, reason: str) -> None:
        """The line of `pkg/endpoints/filters/authentication.go` in 1.33 to 1.36."""
        told = reason.replace("\\", "\\\\").replace('"', '\\"')
        self.say("E", "authentication.go:75", f'"Unable to authenticate the request" err="{told}"')

    def say(self, severity: Literal["I", "W", "E"], place: str, text: str) -> None:
        now = self.clock.now()
        self.logs.write(self.container, now, f"{severity}{now:%m%d %H:%M:%S.%f}       1 {place}] {text}")
