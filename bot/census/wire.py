"""What a census reads of each object, as it comes over the wire. Everything else is dropped while decoding."""

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType, field

from bot import mentions, objects, ownership
from bot.embedded import NOT_OURS, SecretData
from bot.model import TOKEN_TYPE
from bot.objects import KubeStruct

__all__ = ["DATA_QUERY", "TOKENS_QUERY", "Account", "Pod", "SecretData", "TokenSecret"]

TOKENS_QUERY = {"fieldSelector": f"type={TOKEN_TYPE}"}
DATA_QUERY = {"fieldSelector": ",".join(f"type!={other}" for other in sorted({TOKEN_TYPE, *NOT_OURS}))}
"""The others, but for those whose type says that they hold no credential: the API server leaves them out."""


class _There(Struct, frozen=True, gc=False):
    """A field that somebody manages."""


class _DataFields(Struct, frozen=True, gc=False):
    token: _There | UnsetType = field(default=UNSET, name="f:token")


class _Fields(Struct, frozen=True, gc=False):
    data: _DataFields | UnsetType = field(default=UNSET, name="f:data")
    type: _There | UnsetType = field(default=UNSET, name="f:type")


class Manager(ownership.Managed, frozen=True, kw_only=True):
    """An entry of a token Secret's managedFields: it names the fields, never what they hold."""

    fields: _Fields = field(default=_Fields(), name="fieldsV1")

    @property
    def wrote_type(self) -> bool:
        """Whether it made the Secret: the type cannot be changed afterwards."""
        return self.fields.type is not UNSET

    @property
    def wrote_token(self) -> bool:
        return self.fields.data is not UNSET and self.fields.data.token is not UNSET


class _TokenSecretMeta(ownership.Meta, frozen=True, kw_only=True):
    managed_fields: tuple[Manager, ...] = ()


class TokenSecret(KubeStruct, frozen=True, kw_only=True):
    """A Secret's metadata."""

    metadata: _TokenSecretMeta


class _AccountMeta(KubeStruct, frozen=True, kw_only=True):
    name: str
    namespace: str = ""
    uid: str = ""
    deletion_timestamp: datetime | None = None


class Account(KubeStruct, frozen=True, kw_only=True):
    """A service account, with the Secrets it names."""

    metadata: _AccountMeta
    secrets: tuple[objects.ObjectReference, ...] = ()
    image_pull_secrets: tuple[objects.ObjectReference, ...] = ()


class _Container(mentions.Container, frozen=True, kw_only=True):
    name: str
    volume_mounts: tuple[objects.VolumeMount, ...] = ()


class _Volume(mentions.Volume, frozen=True, kw_only=True):
    name: str


class _PodSpec(mentions.Spec, frozen=True, kw_only=True):
    service_account_name: str = "default"
    containers: tuple[_Container, ...] = ()
    init_containers: tuple[_Container, ...] = ()
    volumes: tuple[_Volume, ...] = ()


class _PodLabels(ownership.Labels, frozen=True, kw_only=True):
    template_hash: str = field(default="", name="pod-template-hash")


class _PodMeta(ownership.Meta, frozen=True, kw_only=True):
    labels: _PodLabels = _PodLabels()


class _State(KubeStruct, frozen=True, kw_only=True):
    running: objects.Running | None = None


class _ContainerStatus(KubeStruct, frozen=True, kw_only=True):
    name: str
    state: _State = _State()


class _PodStatus(KubeStruct, frozen=True, kw_only=True):
    phase: str = ""
    container_statuses: tuple[_ContainerStatus, ...] = ()
    init_container_statuses: tuple[_ContainerStatus, ...] = ()


class Pod(KubeStruct, frozen=True, kw_only=True):
    """A pod: whose it is, what it mounts, which Secrets it names, and since when its containers run."""

    metadata: _PodMeta
    spec: _PodSpec = _PodSpec()
    status: _PodStatus = _PodStatus()

    @property
    def has_ended(self) -> bool:
        """Its containers run no more, and never will again."""
        return self.status.phase in {"Succeeded", "Failed"}
