"""Just the Kubernetes fields that are read, as msgspec structs.

Labels and annotations are structs too: what is not named here is dropped while decoding, so a token somebody
keeps in an annotation never enters the program.
"""

from datetime import datetime

from msgspec import Struct, field

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""On a pod template: `kubectl rollout restart` writes it, so that the controller makes new pods."""
REQUEST = "token-doctor.io/request"
"""The id of the request that was carried out on an object; of a workload it stands on its pod template."""

LAST_USED = "kubernetes.io/legacy-token-last-used"
INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"
"""Labels of a token Secret: a day each, the first written by the API server, the second by the cleaner."""


class KubeStruct(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """The wire's camelCase on the outside, Python's names within; what is unset is not written.

    What is decoded has no cycles: the garbage collector need not follow it.
    """


class Labels(Struct, frozen=True, kw_only=True, omit_defaults=True):
    component: str = ""
    legacy_token_last_used: str = field(default="", name=LAST_USED)
    legacy_token_invalid_since: str = field(default="", name=INVALID_SINCE)


class Annotations(Struct, frozen=True, kw_only=True, omit_defaults=True):
    service_account_name: str = field(default="", name="kubernetes.io/service-account.name")
    service_account_uid: str = field(default="", name="kubernetes.io/service-account.uid")
    restarted_at: str = field(default="", name=RESTARTED_AT)
    request: str = field(default="", name=REQUEST)
    revision: str = field(default="", name="deployment.kubernetes.io/revision")


class OwnerReference(KubeStruct, frozen=True, kw_only=True):
    kind: str
    name: str
    uid: str = ""
    api_version: str = ""
    controller: bool = False


class Meta(KubeStruct, frozen=True, kw_only=True):
    name: str
    namespace: str = ""
    uid: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: Labels = Labels()
    annotations: Annotations = Annotations()
    owner_references: tuple[OwnerReference, ...] = ()


class Named(KubeStruct, frozen=True, kw_only=True):
    """Any object of which only the metadata matters."""

    metadata: Meta
    kind: str = ""


class KeyRef(KubeStruct, frozen=True, kw_only=True):
    """A `secretKeyRef` (with a key) or a `secretRef` (without)."""

    name: str = ""
    key: str = ""
    optional: bool = False


class EnvSource(KubeStruct, frozen=True, kw_only=True):
    secret_key_ref: KeyRef | None = None


class EnvVar(KubeStruct, frozen=True, kw_only=True):
    name: str
    value: str = ""
    value_from: EnvSource | None = None


class EnvFrom(KubeStruct, frozen=True, kw_only=True):
    secret_ref: KeyRef | None = None
    prefix: str = ""


class VolumeMount(KubeStruct, frozen=True, kw_only=True):
    name: str
    mount_path: str
    sub_path: str = ""
    sub_path_expr: str = ""


class Container(KubeStruct, frozen=True, kw_only=True):
    name: str
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFrom, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()


class KeyToPath(KubeStruct, frozen=True, kw_only=True):
    key: str
    path: str


class TokenProjection(KubeStruct, frozen=True, kw_only=True):
    """`serviceAccountToken`: audience "" means the API server's own; the lifetime is in seconds."""

    path: str = "token"
    audience: str = ""
    expiration_seconds: int = 3600


class SecretProjection(KubeStruct, frozen=True, kw_only=True):
    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    optional: bool = False


class VolumeProjection(KubeStruct, frozen=True, kw_only=True):
    service_account_token: TokenProjection | None = None
    secret: SecretProjection | None = None


class ProjectedVolume(KubeStruct, frozen=True, kw_only=True):
    sources: tuple[VolumeProjection, ...] = ()


class SecretVolume(KubeStruct, frozen=True, kw_only=True):
    secret_name: str = ""
    items: tuple[KeyToPath, ...] = ()
    optional: bool = False


class Volume(KubeStruct, frozen=True, kw_only=True):
    name: str
    projected: ProjectedVolume | None = None
    secret: SecretVolume | None = None


class PodSpec(KubeStruct, frozen=True, kw_only=True):
    service_account_name: str = "default"
    automount_service_account_token: bool | None = None
    node_name: str = ""
    host_network: bool = False
    restart_policy: str = "Always"
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()


class Running(KubeStruct, frozen=True, kw_only=True):
    started_at: datetime | None = None


class Waiting(KubeStruct, frozen=True, kw_only=True):
    reason: str = ""
    message: str = ""


class Terminated(KubeStruct, frozen=True, kw_only=True):
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(KubeStruct, frozen=True, kw_only=True):
    running: Running | None = None
    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(KubeStruct, frozen=True, kw_only=True):
    name: str
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodStatus(KubeStruct, frozen=True, kw_only=True):
    phase: str = ""
    reason: str = ""
    start_time: datetime | None = None
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(KubeStruct, frozen=True, kw_only=True):
    metadata: Meta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class Taint(KubeStruct, frozen=True, kw_only=True):
    key: str
    effect: str = ""
    time_added: datetime | None = None


class NodeSpec(KubeStruct, frozen=True, kw_only=True):
    taints: tuple[Taint, ...] = ()


class NodeCondition(KubeStruct, frozen=True, kw_only=True):
    """`status` is "True", "False" or "Unknown"; its times are the API server's or the node's, whoever wrote it."""

    type: str
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class NodeStatus(KubeStruct, frozen=True, kw_only=True):
    conditions: tuple[NodeCondition, ...] = ()


class Node(KubeStruct, frozen=True, kw_only=True):
    metadata: Meta
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class ObjectReference(KubeStruct, frozen=True, kw_only=True):
    name: str = ""


class ServiceAccount(KubeStruct, frozen=True, kw_only=True):
    metadata: Meta
    automount_service_account_token: bool | None = None
    secrets: tuple[ObjectReference, ...] = ()


class EventSeries(KubeStruct, frozen=True, kw_only=True):
    count: int = 0
    last_observed_time: datetime | None = None


class EventSource(KubeStruct, frozen=True, kw_only=True):
    component: str = ""


class Event(KubeStruct, frozen=True, kw_only=True):
    """A core/v1 Event; which time is set depends on who wrote it."""

    metadata: Meta
    type: str = "Normal"
    reason: str = ""
    message: str = ""
    count: int | None = None
    event_time: datetime | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    series: EventSeries | None = None
    source: EventSource = EventSource()

    @property
    def at(self) -> datetime | None:
        """When it was last seen."""
        series = self.series.last_observed_time if self.series else None
        return self.last_timestamp or series or self.event_time or self.metadata.creation_timestamp


class EndpointAddress(KubeStruct, frozen=True, kw_only=True):
    addresses: tuple[str, ...] = ()


class EndpointPort(KubeStruct, frozen=True, kw_only=True):
    name: str | None = None
    port: int | None = None


class EndpointSlice(KubeStruct, frozen=True, kw_only=True):
    metadata: Meta
    endpoints: tuple[EndpointAddress, ...] | None = ()
    ports: tuple[EndpointPort, ...] | None = ()


class ListMeta(KubeStruct, frozen=True, kw_only=True):
    continue_token: str = field(default="", name="continue")


class Version(KubeStruct, frozen=True, kw_only=True):
    git_version: str = ""
