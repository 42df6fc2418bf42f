"""What facets hold beside plain Kubernetes objects."""

from datetime import datetime

from bot.model.facets import Rule
from bot.model.noun import Noun


class LogLine(Noun, frozen=True, kw_only=True):
    """A redacted line; `at` is the node's clock when the kubelet received it."""

    text: str
    at: datetime | None = None


class ContainerLog(Noun, frozen=True, kw_only=True):
    """The last lines of one run of a container; `truncated` when older lines exist and were not read."""

    container: str
    lines: tuple[LogLine, ...] = ()
    previous: bool = False
    truncated: bool = False
    pod: str = ""


class Discovery(Noun, frozen=True, kw_only=True):
    """The API server's issuer and the key ids it publishes."""

    issuer: str
    key_ids: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()


class ClusterIssuer(Noun, frozen=True, kw_only=True):
    """What another configured cluster publishes."""

    cluster: str
    discovery: Discovery


class Access(Noun, frozen=True, kw_only=True):
    """A SubjectAccessReview's answer to a request that the pod's log says was refused."""

    user: str
    rule: Rule
    allowed: bool
    reason: str = ""
