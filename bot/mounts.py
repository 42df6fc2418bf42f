"""Where a pod's containers have tokens: read off the pod's spec alone."""

from collections.abc import Iterator
from datetime import timedelta
from posixpath import join
from typing import Protocol

from msgspec.structs import replace

from bot.model import Noun
from bot.objects import Container, KeyToPath, Pod, ProjectedVolume, SecretVolume, VolumeMount

SERVICE_ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where every client looks for its token, and where admission mounts it."""

EXTENDED_REQUEST_SECONDS = 3607
"""The lifetime that admission asks for; the API server may extend just this one to a year (`token.go`)."""

EXTENDED_LIFETIME = timedelta(days=365)


class _Mounting(Protocol):
    """Of a container, what says where its files come from."""

    @property
    def name(self) -> str: ...

    @property
    def volume_mounts(self) -> tuple[VolumeMount, ...]: ...


class _Volume(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def projected(self) -> ProjectedVolume | None: ...

    @property
    def secret(self) -> SecretVolume | None: ...


class _Spec(Protocol):
    @property
    def init_containers(self) -> tuple[_Mounting, ...]: ...

    @property
    def containers(self) -> tuple[_Mounting, ...]: ...

    @property
    def volumes(self) -> tuple[_Volume, ...]: ...


class _Pod(Protocol):
    """A pod, or as much of one as was read."""

    @property
    def spec(self) -> _Spec: ...


class TokenMount(Noun, frozen=True, kw_only=True):
    """A token file in a container: projected (with audience and lifetime in seconds), or a Secret's key `token`."""

    container: str
    path: str
    volume: str
    audience: str = ""
    expiration_seconds: int = 0
    secret: str = ""
    optional: bool = False
    sub_path: bool = False

    @property
    def projected(self) -> bool:
        return not self.secret


class TokenVariable(Noun, frozen=True, kw_only=True):
    """An environment variable that takes a key of a Secret; `key` is "" when it takes all of them."""

    container: str
    variable: str
    secret: str
    key: str = ""
    optional: bool = False


def containers(pod: Pod) -> tuple[Container, ...]:
    """The init containers and the containers, in the order they start."""
    return (*pod.spec.init_containers, *pod.spec.containers)


def token_mounts(pod: _Pod) -> tuple[TokenMount, ...]:
    """Every token file of every container: projected ones, and the key `token` of mounted Secrets."""
    volumes = {volume.name: volume for volume in pod.spec.volumes if volume.projected or volume.secret}
    return tuple(
        found
        for container in (*pod.spec.init_containers, *pod.spec.containers)
        for mount in container.volume_mounts
        if mount.name in volumes
        for found in _files(container.name, mount, volumes[mount.name])
    )


def token_variables(pod: Pod) -> tuple[TokenVariable, ...]:
    """Every environment variable that is filled from a Secret; the caller knows which Secrets hold tokens."""
    single = (
        TokenVariable(
            container=container.name, variable=variable.name, secret=ref.name, key=ref.key, optional=ref.optional
        )
        for container in containers(pod)
        for variable in container.env
        if variable.value_from and (ref := variable.value_from.secret_key_ref)
    )
    whole = (
        TokenVariable(
            container=container.name,
            variable=f"{source.prefix}token",
            secret=source.secret_ref.name,
            optional=source.secret_ref.optional,
        )
        for container in containers(pod)
        for source in container.env_from
        if source.secret_ref
    )
    return (*single, *whole)


def _files(container: str, mount: VolumeMount, volume: _Volume) -> Iterator[TokenMount]:
    for inner, found in _sources(container, volume):
        wanted = mount.sub_path or mount.sub_path_expr
        if not wanted:
            yield replace(found, path=join(mount.mount_path, inner), sub_path=False)
        elif wanted == inner:
            yield replace(found, path=mount.mount_path, sub_path=True)
        elif inner.startswith(f"{wanted.rstrip('/')}/"):
            yield replace(found, path=join(mount.mount_path, inner.removeprefix(wanted).lstrip("/")), sub_path=True)


def _sources(container: str, volume: _Volume) -> Iterator[tuple[str, TokenMount]]:
    """Each token in a volume, with its path inside the volume."""
    for source in volume.projected.sources if volume.projected else ():
        if token := source.service_account_token:
            yield (
                token.path,
                TokenMount(
                    container=container,
                    path=token.path,
                    volume=volume.name,
                    audience=token.audience,
                    expiration_seconds=token.expiration_seconds,
                ),
            )
        if (secret := source.secret) and (inner := _token_item(secret.items)):
            yield inner, _of_secret(container, volume.name, secret.name, optional=secret.optional)
    if (whole := volume.secret) and (inner := _token_item(whole.items)):
        yield inner, _of_secret(container, volume.name, whole.secret_name, optional=whole.optional)


def _token_item(items: tuple[KeyToPath, ...]) -> str:
    """The path of the key `token`; "" when the Secret is mounted without that key."""
    return next((item.path for item in items if item.key == "token"), "" if items else "token")


def _of_secret(container: str, volume: str, secret: str, *, optional: bool) -> TokenMount:
    return TokenMount(container=container, path="token", volume=volume, secret=secret, optional=optional)
