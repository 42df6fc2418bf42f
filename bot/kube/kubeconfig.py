"""Reads kubeconfig files: merged and chosen from as kubectl does. Every mistake is a WrongUsageError."""

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import msgspec
import yaml
from msgspec import Struct

from bot.errors import WrongUsageError

T = TypeVar("T")


class KebabStruct(Struct, frozen=True, kw_only=True, rename="kebab"):
    """A kubeconfig writes `current-context` where Python writes `current_context`."""


class ClusterEntry(KebabStruct, frozen=True, kw_only=True):
    server: str = ""
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""


class EnvEntry(Struct, frozen=True, kw_only=True):
    name: str
    value: str = ""


class ExecEntry(Struct, frozen=True, kw_only=True, rename="camel"):
    """A credential plugin (client.authentication.k8s.io)."""

    api_version: str
    command: str
    args: list[str] | None = None
    env: list[EnvEntry] | None = None
    install_hint: str = ""
    interactive_mode: str = "IfAvailable"
    provide_cluster_info: bool = False


class UserEntry(KebabStruct, frozen=True, kw_only=True):
    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    username: str = ""
    password: str = ""
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    exec: ExecEntry | None = None
    auth_provider: dict[str, object] | None = None
    impersonate: str = msgspec.field(default="", name="as")
    impersonate_uid: str = msgspec.field(default="", name="as-uid")
    impersonate_groups: list[str] = msgspec.field(default_factory=list, name="as-groups")

    def __repr__(self) -> str:
        return "UserEntry(hidden)"


class ContextEntry(Struct, frozen=True, kw_only=True):
    cluster: str = ""
    user: str = ""
    namespace: str = ""


class NamedCluster(Struct, frozen=True, kw_only=True):
    name: str
    cluster: ClusterEntry = ClusterEntry()


class NamedUser(Struct, frozen=True, kw_only=True):
    name: str
    user: UserEntry | None = None


class NamedContext(Struct, frozen=True, kw_only=True):
    name: str
    context: ContextEntry = ContextEntry()


class _File(KebabStruct, frozen=True, kw_only=True):
    current_context: str | None = None
    clusters: list[NamedCluster] | None = None
    users: list[NamedUser] | None = None
    contexts: list[NamedContext] | None = None


class Chosen(Struct, frozen=True, kw_only=True):
    """A context's cluster and user, each with the folder that its relative paths start from."""

    context: str
    user_name: str = ""
    namespace: str
    cluster: ClusterEntry
    cluster_folder: Path
    user: UserEntry
    user_folder: Path


def paths(kubeconfig: Path | None, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The files to read: the one named, else those of KUBECONFIG that exist, else ~/.kube/config."""
    if kubeconfig is not None:
        return (kubeconfig.expanduser(),)
    listed = [Path(part).expanduser() for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    found = tuple(path for path in listed or [Path.home() / ".kube" / "config"] if path.exists())
    if not found:
        where = f"KUBECONFIG names {_these(listed)}, which does not exist" if listed else "there is no ~/.kube/config"
        raise WrongUsageError(
            f"No kubeconfig was found: {where}, and this is not a pod.",
            next_step="Name one with --kubeconfig FILE or KUBECONFIG, or as clusters.kubeconfig in a configuration.",
        )
    return found


def choose(files: Sequence[Path], context: str | None) -> Chosen:
    """The context's cluster and user. Where files name the same thing twice, the first one wins."""
    read = [(path, _read(path)) for path in files]
    contexts = {entry.name: entry.context for _, file in reversed(read) for entry in file.contexts or ()}
    wanted = context or next((file.current_context for _, file in read if file.current_context), "")
    if wanted not in contexts:
        raise _unknown_context(wanted, sorted(contexts), files)
    chosen = contexts[wanted]
    cluster, cluster_folder = _named(
        [(path, entry.name, entry.cluster) for path, file in read for entry in file.clusters or ()],
        chosen.cluster,
        f"Context “{wanted}” names cluster “{chosen.cluster}”, which is not in {_these(files)}.",
    )
    if not cluster.server:
        raise WrongUsageError(f"Cluster “{chosen.cluster}” in {_these(files)} has no server address.")
    user, user_folder = UserEntry(), cluster_folder
    if chosen.user:
        user, user_folder = _named(
            [(path, entry.name, entry.user or user) for path, file in read for entry in file.users or ()],
            chosen.user,
            f"Context “{wanted}” names user “{chosen.user}”, which is not in {_these(files)}.",
        )
    return Chosen(
        context=wanted,
        user_name=chosen.user,
        namespace=chosen.namespace or "default",
        cluster=cluster,
        cluster_folder=cluster_folder,
        user=user,
        user_folder=user_folder,
    )


def text_of(data: str, file: str, folder: Path, what: str) -> str:
    """The PEM text: from the base64 `…-data` field, which goes first, or from the file."""
    if data:
        try:
            return base64.b64decode(data, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise WrongUsageError(f"The kubeconfig's {what}-data is not base64 of text.") from None
    return read_text(folder / file, f"the kubeconfig's {what}") if file else ""


def read_text(path: Path, what: str) -> str:
    try:
        return path.expanduser().read_text()
    except OSError as error:
        raise WrongUsageError(
            f"The file {path} ({what}) cannot be read: {error.strerror}.",
            next_step="Check the path and its permissions.",
        ) from None
    except UnicodeDecodeError:
        raise WrongUsageError(f"The file {path} ({what}) is not text.") from None


def _read(path: Path) -> _File:
    text = read_text(path, "the kubeconfig")
    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe
    except yaml.YAMLError as error:
        # The parser's own message quotes the line, and that may hold a key.
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        raise WrongUsageError(f"The kubeconfig {path} is not YAML{line}.") from None
    try:
        return msgspec.convert(document if document is not None else {}, _File)
    except msgspec.ValidationError as error:
        raise WrongUsageError(f"The kubeconfig {path} has a mistake: {error}.") from None


def _named(entries: list[tuple[Path, str, T]], name: str, missing: str) -> tuple[T, Path]:
    for path, entry, value in entries:
        if entry == name:
            return value, path.absolute().parent
    raise WrongUsageError(missing)


def _unknown_context(wanted: str, known: list[str], files: Sequence[Path]) -> WrongUsageError:
    if not wanted:
        sentence = f"{_these(files)} has no current context."
        step = "Choose one with --context, or clusters.context in a configuration"
    else:
        near = get_close_matches(wanted, known, n=1)
        meant = f" Did you mean “{near[0]}”?" if near else ""
        sentence = f"There is no context “{wanted}” in {_these(files)}.{meant}"
        step = "Choose another with --context, or clusters.context in a configuration"
    return WrongUsageError(sentence, next_step=f"{step}; known are: {', '.join(known) or 'none'}.")


def _these(files: Sequence[Path]) -> str:
    return ", ".join(str(path) for path in files)
