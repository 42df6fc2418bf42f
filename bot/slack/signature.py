"""Whether a request is Slack's own and of now, by what it was signed with. Pure.

The rule is that of docs.slack.dev/authentication/verifying-requests-from-slack: `v0=` and the HMAC-SHA256, in hex, of
`v0:timestamp:body`, with the app's signing secret; refused where the timestamp is more than five minutes away.
"""

import hashlib
import hmac
import re
from enum import StrEnum

TIMESTAMP = "X-Slack-Request-Timestamp"
SIGNATURE = "X-Slack-Signature"
WINDOW_SECONDS = 300

_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_HEX = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


class Refusal(StrEnum):
    """Why a request is not taken: the values are the labels of a figure."""

    UNSIGNED = "unsigned"
    TIMESTAMP = "timestamp"
    STALE = "stale"
    SIGNATURE = "signature"
    CONTENT_TYPE = "content-type"
    TOO_LARGE = "too-large"
    TOO_SLOW = "too-slow"
    MALFORMED = "malformed"
    NOT_SERVING = "not-serving"


def refused_head(timestamp: str, signature: str, now: float) -> Refusal | None:
    """What is wrong already without the body; `now` in seconds since the epoch, "" is a header that is not there."""
    if not timestamp or not signature:
        return Refusal.UNSIGNED
    if not _SECONDS.fullmatch(timestamp):
        return Refusal.TIMESTAMP
    if abs(now - int(timestamp)) > WINDOW_SECONDS:
        return Refusal.STALE
    return None if _HEX.fullmatch(signature) else Refusal.SIGNATURE


def is_signed(secret: str, timestamp: str, signature: str, body: bytes) -> bool:
    """Whether the signature is that of these very bytes; for what `refused_head` has let pass."""
    signed = b"v0:%b:%b" % (timestamp.encode("ascii"), body)
    own = f"v0={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"
    return hmac.compare_digest(own, signature)
