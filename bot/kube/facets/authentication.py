"""How the API servers authenticate, where their pods can be seen."""

import posixpath
import re
from collections.abc import Iterator

import msgspec
from msgspec import field

from bot.kube import read
from bot.kube.facets.components import API_SERVER, Flags, control_plane_pods
from bot.kube.facets.graph import EVERYTHING, Asking, facet
from bot.kube.gaps import AbsentError, UnavailableError, UnobservableError, shortened
from bot.kube.permissions import CONTROL_PLANE, GET_CONFIG_MAP, GET_POD
from bot.kube.together import all_of
from bot.model import ApiServer, AuthenticationFile, JwtIssuer
from bot.objects import KeyToPath, KubeStruct, VolumeMount
from bot.redact import redact

_ABOUT_AUTHENTICATION = re.compile(
    r"api-audiences|anonymous-auth|authentication-config|authentication-token-webhook-\S+|oidc-\S+|token-auth-file"
    r"|service-account-(?:issuer|jwks-uri|key-file|lookup|max-token-expiration|extend-token-expiration"
    r"|signing-key-file|signing-endpoint)"
)
_PASSWORD = re.compile(r"(?<=://)[^/@\s]+@")
_LONGEST = 300


class _ConfigMapVolume(KubeStruct, frozen=True, kw_only=True):
    name: str = ""
    items: tuple[KeyToPath, ...] = ()


class _Volume(KubeStruct, frozen=True, kw_only=True):
    name: str
    config_map: _ConfigMapVolume | None = None


class _Container(KubeStruct, frozen=True, kw_only=True):
    volume_mounts: tuple[VolumeMount, ...] = ()


class _Spec(KubeStruct, frozen=True, kw_only=True):
    containers: tuple[_Container, ...] = ()
    volumes: tuple[_Volume, ...] = ()


class _Pod(KubeStruct, frozen=True, kw_only=True):
    """An API server's pod: only what says where its files come from."""

    spec: _Spec = _Spec()


@facet(of=EVERYTHING, needs=(control_plane_pods,))
async def authentication(asking: Asking) -> tuple[ApiServer, ...]:
    """The flags of authentication of each API server, sorted by its pod's name."""
    found = {each.pod: each.flags for each in asking.value(control_plane_pods) if each.component == API_SERVER}
    if not any(found.values()):
        raise UnobservableError(
            "the API server's flags are not visible: its pods are not in kube-system (a managed control plane)"
        )
    return tuple(ApiServer(pod=pod, flags=authentication_flags(flags)) for pod, flags in sorted(found.items()) if flags)


@facet(of=EVERYTHING, needs=(authentication,))
async def authentication_files(asking: Asking) -> tuple[AuthenticationFile, ...]:
    """The files that `--authentication-config` names; none where no API server has that flag.

    Only one that is mounted from a ConfigMap can be read. A file of the host stands in no API.
    """
    return await all_of(
        _file(asking, server.pod, server.configuration)
        for server in asking.value(authentication)
        if server.configuration
    )


def authentication_flags(flags: Flags) -> dict[str, tuple[str, ...]]:
    """Those of authentication: without passwords in URLs, redacted, and cut if they are long. Nothing else is kept."""
    plain = {name.replace("_", "-"): values for name, values in flags.items()}
    return {
        name: tuple(redact(_PASSWORD.sub("", value))[:_LONGEST] for value in values)
        for name, values in sorted(plain.items())
        if _ABOUT_AUTHENTICATION.fullmatch(name)
    }


class _ConfigMap(KubeStruct, frozen=True, kw_only=True):
    data: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "_ConfigMap(hidden)"


class _Mapped(KubeStruct, frozen=True, kw_only=True):
    claim: str = ""
    expression: str = ""

    def __str__(self) -> str:
        return f"claim {self.claim}" if self.claim else f"expression {self.expression}" if self.expression else ""


class _Mappings(KubeStruct, frozen=True, kw_only=True):
    username: _Mapped = _Mapped()
    groups: _Mapped = _Mapped()


class _Issuer(KubeStruct, frozen=True, kw_only=True):
    url: str = ""
    audiences: tuple[str, ...] = ()


class _Jwt(KubeStruct, frozen=True, kw_only=True):
    issuer: _Issuer = _Issuer()
    claim_mappings: _Mappings = _Mappings()


class _Condition(KubeStruct, frozen=True, kw_only=True):
    path: str = ""


class _Anonymous(KubeStruct, frozen=True, kw_only=True):
    enabled: bool = False
    conditions: tuple[_Condition, ...] = ()


class _Configuration(KubeStruct, frozen=True, kw_only=True):
    """`AuthenticationConfiguration` of apiserver.config.k8s.io, v1alpha1 to v1."""

    kind: str
    jwt: tuple[_Jwt, ...] = ()
    anonymous: _Anonymous | None = None


async def _file(asking: Asking, name: str, path: str) -> AuthenticationFile:
    pod = await read.get(asking.api, GET_POD, _Pod, namespace=CONTROL_PLANE, name=name)
    place = next(_places(pod, path), None)
    if place is None:
        raise UnobservableError(
            f"{name} reads its --authentication-config={path} from its own host, where no API shows it",
            mend=f"read {path} on the host of {name}",
        )
    config_map, key = place
    try:
        found = await read.get(asking.api, GET_CONFIG_MAP, _ConfigMap, namespace=CONTROL_PLANE, name=config_map)
    except AbsentError:
        raise UnavailableError(f"ConfigMap {CONTROL_PLANE}/{config_map}, which {name} mounts, is gone") from None
    if key not in found.data:
        raise UnavailableError(f"ConfigMap {CONTROL_PLANE}/{config_map}, which {name} mounts, has no key {key}")
    return _parsed(name, found.data[key], f"ConfigMap {CONTROL_PLANE}/{config_map}, key {key}")


def _places(pod: _Pod, path: str) -> Iterator[tuple[str, str]]:
    """The ConfigMap and the key that an absolute path inside a container comes from."""
    volumes = {volume.name: volume.config_map for volume in pod.spec.volumes if volume.config_map}
    for mount in (mount for container in pod.spec.containers for mount in container.volume_mounts):
        config_map = volumes.get(mount.name)
        folder = posixpath.normpath(mount.mount_path)
        if config_map is None or not f"{posixpath.normpath(path)}/".startswith(f"{folder}/"):
            continue
        inner = posixpath.relpath(path, folder)
        inside = mount.sub_path if inner == "." else posixpath.join(mount.sub_path, inner)
        keys = {item.path: item.key for item in config_map.items}
        yield config_map.name, keys.get(inside, inside)


def _parsed(pod: str, text: str, place: str) -> AuthenticationFile:
    try:
        configuration = msgspec.yaml.decode(text, type=_Configuration)
    except msgspec.DecodeError as error:
        raise UnavailableError(f"{place} is no AuthenticationConfiguration: {shortened(str(error))}") from None
    issuers = tuple(
        JwtIssuer(
            url=redact(jwt.issuer.url),
            audiences=tuple(map(redact, jwt.issuer.audiences)),
            username=redact(str(jwt.claim_mappings.username)),
            groups=redact(str(jwt.claim_mappings.groups)),
        )
        for jwt in configuration.jwt
    )
    anonymous = configuration.anonymous
    return AuthenticationFile(
        pod=pod,
        issuers=issuers,
        anonymous=anonymous.enabled if anonymous else None,
        anonymous_paths=tuple(condition.path for condition in anonymous.conditions) if anonymous else (),
    )
