"""Kubernetes versions, and what holds for service account tokens from which of them on.

Read from the feature gates (`pkg/features/kube_features.go`) and change logs of Kubernetes 1.20 to 1.37. A change is
dated by the first minor version in which it is on by default.
"""

import re
from typing import NamedTuple


class Minor(NamedTuple):
    """`1.30`; compares as versions do."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    @property
    def before(self) -> "Minor":
        """The last minor version before it."""
        return Minor(self.major, self.minor - 1)


_VERSION = re.compile(r"v?(\d+)\.(\d+)(?=\D|$)")

BOUND_TOKENS = Minor(1, 21)
"""BoundServiceAccountTokenVolume: pods get projected tokens (GA 1.22), and the API server extends them."""
SEVERAL_ISSUERS = Minor(1, 22)
"""`--service-account-issuer` may be given several times: the first signs, all are accepted."""
NO_GENERATED_SECRETS = Minor(1, 24)
"""LegacyServiceAccountTokenNoAutoGeneration: no Secret is made for an account, none is made again (GA 1.26)."""
CREATE_TOKEN = Minor(1, 24)
"""`kubectl create token`."""
IDENTITY_LEASES = Minor(1, 26)
"""APIServerIdentity (beta): each API server keeps a Lease in kube-system."""
CLEANER = Minor(1, 29)
"""LegacyServiceAccountTokenCleanUp (beta; GA 1.30; alpha and off in 1.28)."""
UNKNOWN_KEYS_REFUSED = Minor(1, 31)
"""Before it an unknown `kid` was tried with every key, and told as a cryptographic error."""


def minor_of(git_version: str) -> Minor | None:
    """`v1.30.14-eks-3cfe0ce` → 1.30; None for what is no version."""
    found = _VERSION.match(git_version)
    return Minor(int(found[1]), int(found[2])) if found else None


def holds(version: Minor | None, since: Minor | None, until: Minor | None) -> bool:
    """Whether what is true from `since` to `until`, both included, is true there; of an unknown version, always."""
    if version is None:
        return True
    return (since is None or since <= version) and (until is None or version <= until)


def dated(since: Minor | None, until: Minor | None) -> str:
    """`since 1.24`, `up to 1.23`, `1.21 to 1.23`, or ""."""
    if since and until:
        return f"{since} to {until}"
    return f"since {since}" if since else f"up to {until}" if until else ""
