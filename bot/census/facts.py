"""What holds in the whole cluster, for all that a census counts there. Pure."""

from datetime import datetime, timedelta

from bot.model import Noun, TokenTracking
from bot.mounts import EXTENDED_REQUEST_SECONDS, TokenMount
from bot.versions import Minor


class Facts(Noun, frozen=True, kw_only=True):
    """`tracking` is None where uses of legacy tokens are not recorded, or where that was not read: then not `tracked`.

    `extension` is how long a default token lives that the API server extends, None where it extends none; `ceiling`
    the longest life that it gives, None where there is none. `audiences` are its own; "" means them too.
    """

    cluster: str
    now: datetime
    window: timedelta
    version: Minor | None = None
    tracking: TokenTracking | None = None
    tracked: bool = True
    extension: timedelta | None = None
    ceiling: timedelta | None = None
    audiences: frozenset[str] = frozenset()

    def is_capped(self, mount: TokenMount) -> bool:
        """Whether it gets less than its pod asks for. What admission asks for by itself nobody counts on."""
        asked = timedelta(seconds=mount.expiration_seconds)
        return (
            self.ceiling is not None and asked > self.ceiling and mount.expiration_seconds != EXTENDED_REQUEST_SECONDS
        )

    def extended(self, mount: TokenMount) -> timedelta | None:
        """How long its token lives where the API server extends it; None where it does not."""
        is_own = not mount.audience or mount.audience in self.audiences
        return self.extension if is_own and mount.expiration_seconds == EXTENDED_REQUEST_SECONDS else None

    def life(self, mount: TokenMount) -> timedelta:
        """From its minting until the API server refuses it."""
        asked = timedelta(seconds=mount.expiration_seconds)
        return self.extended(mount) or (asked if self.ceiling is None else min(asked, self.ceiling))
