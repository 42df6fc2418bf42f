"""The Secrets that a pod's spec names, in any way. Pure."""

from collections.abc import Iterator

from bot import objects
from bot.objects import KubeStruct


def names_in(spec: "Spec") -> Iterator[str]:
    """As VisitPodSecretNames has it (`pkg/api/v1/pod/util.go`)."""
    for container in (*spec.init_containers, *spec.containers, *spec.ephemeral_containers):
        sources = (variable.value_from for variable in container.env)
        yield from (source.secret_key_ref.name for source in sources if source and source.secret_key_ref)
        yield from (source.secret_ref.name for source in container.env_from if source.secret_ref)
    for volume in spec.volumes:
        if volume.secret:
            yield volume.secret.secret_name
        if volume.projected:
            yield from (source.secret.name for source in volume.projected.sources if source.secret)
        if volume.csi and volume.csi.node_publish_secret_ref:
            yield volume.csi.node_publish_secret_ref.name
    yield from (pull.name for pull in spec.image_pull_secrets)


class Variable(KubeStruct, frozen=True, kw_only=True):
    value_from: objects.EnvSource | None = None


class Container(KubeStruct, frozen=True, kw_only=True):
    env: tuple[Variable, ...] = ()
    env_from: tuple[objects.EnvFrom, ...] = ()


class _Driver(KubeStruct, frozen=True, kw_only=True):
    node_publish_secret_ref: objects.ObjectReference | None = None


class Volume(KubeStruct, frozen=True, kw_only=True):
    projected: objects.ProjectedVolume | None = None
    secret: objects.SecretVolume | None = None
    csi: _Driver | None = None


class Spec(KubeStruct, frozen=True, kw_only=True):
    """Of a pod's spec what names Secrets: values of variables do not enter."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    ephemeral_containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()
    image_pull_secrets: tuple[objects.ObjectReference, ...] = ()
