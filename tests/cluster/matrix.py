"""The rows of matrix.yaml."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec
import yaml
from msgspec import Struct

from bot.model import Certainty, Routes, Verdict
from tests.cluster.commands import Component

Route = Literal["exec", "probe", "secret_data"]


class Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault, or a healthy variant; `private` are the flags of a control plane of its own."""

    inject: str
    routes: tuple[Route, ...] = ()
    private: Mapping[Component, Mapping[str, str | None]] | None = None

    @property
    def switched_on(self) -> Routes:
        return Routes(**dict.fromkeys(self.routes, True))

    def __str__(self) -> str:
        return "-".join([self.inject, *self.routes]).replace("_", "-")


class Fault(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be said of it, and what must not."""

    root: str
    verdict: Verdict = Verdict.CRITICAL
    certainty: Certainty | None = None
    symptoms: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


class Matrix(Struct, frozen=True, forbid_unknown_fields=True):
    faults: tuple[Fault, ...]
    healthy: tuple[Row, ...]


MATRIX = msgspec.convert(yaml.safe_load(Path(__file__).with_name("matrix.yaml").read_text()), Matrix)
