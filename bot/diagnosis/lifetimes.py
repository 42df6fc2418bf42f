"""How long a projected token really lives here, and how late the kubelet may be with the next one. Pure."""

from datetime import timedelta

from bot.diagnosis import kubelet
from bot.diagnosis.authentication import flags, servers
from bot.diagnosis.case import Case
from bot.diagnosis.evidence import quote
from bot.diagnosis.vendors import vendor_of
from bot.durations import span
from bot.model import Evidence, Route
from bot.mounts import EXTENDED_LIFETIME, EXTENDED_REQUEST_SECONDS, TokenMount
from bot.versions import BOUND_TOKENS, minor_of

IN_SIGHT = timedelta(days=30)
_FEW_OF_ITS_LIFE = 12


def sight(longer: timedelta) -> timedelta:
    """How long before its end a token that lives so long is worth a word: a twelfth of its life, 30 days at most."""
    return min(IN_SIGHT, longer / _FEW_OF_ITS_LIFE)


def extension(case: Case) -> timedelta | None:
    """How long this cluster's extended tokens live; None where it extends none."""
    version = case.snapshot.version.value
    minor = minor_of(version.git_version) if version else None
    if minor is not None and minor < BOUND_TOKENS:
        return None
    if found := servers(case):
        return EXTENDED_LIFETIME if any(server.extends for server in found) else None
    vendor = vendor_of(case.snapshot)
    return vendor.extension if vendor else EXTENDED_LIFETIME


def extended(case: Case, mount: TokenMount) -> timedelta | None:
    """How long this mount's token lives where the API server extends it; None where it does not.

    The token itself tells best, where it was seen.
    """
    asked_so = mount.projected and mount.expiration_seconds == EXTENDED_REQUEST_SECONDS
    if not asked_so or case.foreign(mount.audience):
        return None
    for token in case.snapshot.exec_tokens.value or ():
        claims = token.claims
        if case.mount_of(token) == mount and claims and claims.issued_at and claims.expires_at:
            return claims.expires_at - claims.issued_at if claims.warn_after else None
    return extension(case)


def ceiling(case: Case) -> tuple[timedelta, Evidence] | None:
    """The longest life that is given here: the lowest of the API servers' flags, else the vendor's rule."""
    ceilings = [(server.longest, server) for server in servers(case) if server.longest]
    vendor = vendor_of(case.snapshot)
    if ceilings:
        longest, server = min(ceilings, key=lambda pair: pair[0])
        return longest, flags(server, "service-account-max-token-expiration")
    if vendor and vendor.longest:
        return vendor.longest, quote(Route.OBJECT, vendor.why(), f"{span(vendor.longest)} at most")
    return None


def promised(case: Case, mount: TokenMount) -> timedelta:
    """What the kubelet goes by: the life asked for, cut where there is a ceiling; it knows nothing of an extension."""
    ceilings = [server.longest for server in servers(case) if server.longest]
    return min([timedelta(seconds=mount.expiration_seconds), *ceilings])


def life(case: Case, mount: TokenMount) -> timedelta:
    """From its minting until the API server refuses it, the 60 s of leeway left out."""
    return extended(case, mount) or promised(case, mount)


def margin(case: Case, mount: TokenMount) -> timedelta:
    """How late the kubelet may be with the next token before the present one has run out."""
    return life(case, mount) - kubelet.refresh_after(promised(case, mount))


def refreshed(case: Case) -> tuple[TokenMount, ...]:
    """The token files that the kubelet keeps fresh; it never touches one that is mounted with subPath."""
    return tuple(mount for mount in case.mounts if mount.projected and not mount.sub_path)
