"""What facets hold beside plain Kubernetes objects."""

from datetime import datetime

from bot import objects
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


class ReferencedSecret(Noun, frozen=True, kw_only=True):
    """A Secret that the pod mounts or reads into its environment; `secret` is None when there is none."""

    name: str
    secret: objects.Named | None = None
    type: str = ""

    @property
    def is_token(self) -> bool:
        return self.type == "kubernetes.io/service-account-token"


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
