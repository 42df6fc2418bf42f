"""The users of a kubeconfig."""

import re
from collections.abc import Iterator

import msgspec
import yaml
from msgspec import Struct

from bot.embedded.found import Found, address, certificate, pem_of, shown, token
from bot.model import Layout
from bot.redact import redact

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 20
_KIND = re.compile(rb"kind[\"']?\s*:\s*[\"']?Config\b")


class _Cluster(Struct, frozen=True, kw_only=True, rename="kebab"):
    server: str | None = None
    certificate_authority_data: str | None = None


class _User(Struct, frozen=True, kw_only=True, rename="kebab"):
    """Its key, password and plugins are left behind here: a plugin's user holds no token."""

    token: str | None = None
    client_certificate_data: str | None = None

    def __repr__(self) -> str:
        return "_User(hidden)"


class _Context(Struct, frozen=True, kw_only=True):
    cluster: str | None = None
    user: str | None = None


class _NamedCluster(Struct, frozen=True, kw_only=True):
    name: str
    cluster: _Cluster | None = None


class _NamedUser(Struct, frozen=True, kw_only=True):
    name: str
    user: _User | None = None


class _NamedContext(Struct, frozen=True, kw_only=True):
    name: str
    context: _Context | None = None


class Kubeconfig(Struct, frozen=True, kw_only=True, rename="kebab"):
    current_context: str | None = None
    clusters: tuple[_NamedCluster, ...] | None = None
    contexts: tuple[_NamedContext, ...] | None = None
    users: tuple[_NamedUser, ...] | None = None


def users(place: str, layout: Layout, config: Kubeconfig) -> Iterator[Found]:
    """The credentials of each user, shown to the server of its context."""
    for named in config.users or ():
        cluster = _cluster_of(config, named.name)
        user = named.user or _User()
        seen = Found(
            place=f"{place}, user {shown(named.name)}",
            layout=layout,
            server=address(cluster.server or ""),
            authority=pem_of(cluster.certificate_authority_data or ""),
        )
        if user.token:
            yield from token(seen, user.token)
        if user.client_certificate_data:
            yield certificate(seen, user.client_certificate_data)


def is_meant(text: bytes) -> bool:
    """Whether the document calls itself a kubeconfig."""
    return _KIND.search(text) is not None


def read(text: bytes) -> tuple[Kubeconfig | None, str]:
    """The kubeconfig, or why it is none. The parser's own words would quote the document: only the line is told."""
    try:
        plain = text.decode()
        problem = _refused_shape(plain)
        if problem:
            return None, problem
        return msgspec.convert(yaml.load(plain, Loader=_LOADER), Kubeconfig), ""  # noqa: S506  # a safe loader
    except UnicodeDecodeError:
        return None, "is not text"
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return None, f"is not YAML (line {mark.line + 1})" if mark else "is not YAML"
    except msgspec.ValidationError as error:
        return None, f"is no kubeconfig: {redact(str(error))}"
    except ValueError:
        return None, "is not YAML that can be read"


def _refused_shape(plain: str) -> str:
    """What would let a document of somebody else's end the process: the C loader follows its nesting on the stack."""
    depth = 0
    for event in yaml.parse(plain, Loader=_LOADER):
        match event:
            case yaml.AliasEvent():
                return "uses YAML aliases, which are not followed"
            case yaml.CollectionStartEvent():
                depth += 1
            case yaml.CollectionEndEvent():
                depth -= 1
        if depth > _DEEPEST:
            return f"is nested more than {_DEEPEST} deep"
    return ""


def _cluster_of(config: Kubeconfig, user: str) -> _Cluster:
    """Of the current context if that is the user's, else of the first one that is."""
    contexts = [one for one in config.contexts or () if one.context and one.context.user == user]
    contexts.sort(key=lambda one: one.name != config.current_context)
    wanted = contexts[0].context.cluster if contexts and contexts[0].context else None
    found = (one.cluster for one in config.clusters or () if one.name == wanted and one.cluster)
    return next(found, _Cluster())
