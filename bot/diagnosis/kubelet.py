"""When the kubelet refreshes a projected token (`pkg/kubelet/token/token_manager.go`)."""

from datetime import datetime, timedelta

from bot.model import Claims

_REFRESH_AT = 0.8
_OLDEST = timedelta(hours=24)

SLACK = timedelta(minutes=5)
"""The kubelet syncs a pod about every minute, with up to 10 s of jitter on the refresh itself."""


def refresh_after(lifetime: timedelta) -> timedelta:
    """The age at which a token of that promised lifetime is replaced: 80 % of it, and a day at the most."""
    return min(_REFRESH_AT * lifetime, _OLDEST)


def refresh_due(claims: Claims | None) -> datetime | None:
    """When this token should have been replaced: counted from the hour it was promised, not an extended year."""
    if claims is None or claims.issued_at is None:
        return None
    ends = claims.warn_after or claims.expires_at
    return claims.issued_at + refresh_after(ends - claims.issued_at) if ends else None
