"""Secrets and the credentials in them: what they are, whose they are and how long they last, never the data itself."""

from datetime import date, datetime
from enum import StrEnum

from bot import objects
from bot.model.noun import Noun
from bot.model.tokens import Claims, Review

TOKEN_TYPE = "kubernetes.io/service-account-token"  # noqa: S105  # a Secret's type, not a secret


class SecretSummary(Noun, frozen=True, kw_only=True):
    """A Secret without its data.

    `keys` is how many the data has, None where nobody said. `key_names` are their names, () where not all are known.
    """

    metadata: objects.Meta
    type: str = ""
    keys: int | None = None
    key_names: tuple[str, ...] = ()

    @property
    def is_token(self) -> bool:
        return self.type == TOKEN_TYPE

    def holds(self, key: str) -> bool | None:
        """Whether the data has this key; None where that cannot be told without reading it."""
        if self.keys == 0:
            return False
        return key in self.key_names if self.key_names else None


class ReferencedSecret(Noun, frozen=True, kw_only=True):
    """A Secret that the pod mounts or reads into its environment; `secret` is None when there is none."""

    name: str
    secret: SecretSummary | None = None

    @property
    def is_token(self) -> bool:
        return self.secret is not None and self.secret.is_token


class SecretAccount(Noun, frozen=True, kw_only=True):
    """The service account that a Secret's annotation names; `account` is None when there is none."""

    name: str
    account: objects.ServiceAccount | None = None


class SecretUsers(Noun, frozen=True, kw_only=True):
    """The pods that refer to a Secret in any way, at most twenty of them by name."""

    secret: str
    pods: tuple[str, ...]
    count: int


class TokenTracking(Noun, frozen=True, kw_only=True):
    """Since which day the API servers record the use of legacy tokens."""

    since: date


class Layout(StrEnum):
    """Whose way of keeping a credential in a Secret it is: what mends it depends on that."""

    ARGO_CD = "Argo CD cluster"
    CLUSTER_API = "Cluster API kubeconfig"
    KAMAJI = "Kamaji kubeconfig"
    SVELTOS = "Sveltos kubeconfig"
    FLUX = "Flux kubeconfig"
    KUBECONFIG = "kubeconfig"
    TOKEN_SECRET = "token Secret"  # noqa: S105  # a layout's name, not a password
    TOKEN = "token"  # noqa: S105  # the same

    @property
    def is_kubeconfig(self) -> bool:
        return self not in {Layout.ARGO_CD, Layout.TOKEN_SECRET, Layout.TOKEN}

    @property
    def has_controller(self) -> bool:
        """Whether a controller reads it through the API: no pod need mount it, and it is in use all the same."""
        return self not in {Layout.KUBECONFIG, Layout.TOKEN_SECRET, Layout.TOKEN}


class ClientCertificate(Noun, frozen=True, kw_only=True):
    """Whom a client certificate names, and its validity."""

    subject: str
    not_before: datetime
    not_after: datetime


class EmbeddedCredential(Noun, frozen=True, kw_only=True):
    """A credential that was found in a Secret's data, decoded, reviewed and dropped.

    `place` says where, for a person; no two have the same. `server` is where it is to be shown, "" where nothing says
    so. `problem` says why it cannot be read. `cluster` judged it, "" where none that is configured can. `certain` when
    an address or a key says that it is that cluster's: else a refused signature proves nothing. `unasked` says why
    that cluster gave no answer.
    """

    secret: str
    place: str
    layout: Layout
    server: str = ""
    claims: Claims | None = None
    certificate: ClientCertificate | None = None
    problem: str = ""
    cluster: str = ""
    certain: bool = False
    reviews: tuple[Review, ...] = ()
    unasked: str = ""

    @property
    def is_accepted(self) -> bool:
        return bool(self.reviews) and all(review.authenticated for review in self.reviews)
