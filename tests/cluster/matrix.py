"""The rows of matrix.yaml."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
import yaml
from msgspec import Struct

from bot.model import Certainty, Routes, Verdict
from tests.cluster.commands import Component, Flags

Route = Literal["exec", "probe", "secret_data", "controller_probe"]
Version = Literal["present", "old"]


class Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault, or a healthy variant; `private` are the flags of a control plane of its own."""

    inject: str
    routes: tuple[Route, ...] = ()
    versions: tuple[Version, ...] = ("present",)
    private: Mapping[Component, Flags] | None = None

    @property
    def switched_on(self) -> Routes:
        on = self.routes
        return Routes(
            exec="exec" in on,
            probe="probe" in on,
            secret_data="secret_data" in on,
            controller_probe="default" if "controller_probe" in on else "",
        )

    def __str__(self) -> str:
        return "-".join([self.inject, *self.routes]).replace("_", "-")


class Fault(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be said of it, and what must not."""

    root: str
    verdict: Verdict = Verdict.CRITICAL
    certainty: Certainty | None = None
    symptoms: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


AnyRow = TypeVar("AnyRow", bound=Row)


class Matrix(Struct, frozen=True, forbid_unknown_fields=True):
    faults: tuple[Fault, ...]
    healthy: tuple[Row, ...]


def of_version(version: Version, rows: Sequence[AnyRow]) -> list[AnyRow]:
    """The rows that run on this control plane: the present one, or the older one."""
    return [row for row in rows if version in row.versions]


MATRIX = msgspec.convert(yaml.safe_load(Path(__file__).with_name("matrix.yaml").read_text()), Matrix)
