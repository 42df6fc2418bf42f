"""How much is underway, for whoever has to wait until nothing is."""

import asyncio


class Underway:
    """How many are underway, and an event for none."""

    def __init__(self) -> None:
        self._number = 0
        self.none = asyncio.Event()
        self.none.set()

    def __enter__(self) -> None:
        self._number += 1
        self.none.clear()

    def __exit__(self, *_: object) -> None:
        self._number -= 1
        if not self._number:
            self.none.set()
