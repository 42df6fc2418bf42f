"""The base of every noun."""

from msgspec import Struct


class Noun(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A frozen value that can be written to JSON and read back."""
