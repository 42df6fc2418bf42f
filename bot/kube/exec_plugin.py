"""Runs a kubeconfig's credential plugin, as client-go does (client.authentication.k8s.io)."""

import asyncio
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from bot.errors import ClusterUnreachableError, WrongUsageError
from bot.kube.gaps import shortened
from bot.kube.kubeconfig import Chosen, ExecEntry, text_of

_PATIENCE_SECONDS = 30.0


class Credential(Struct, frozen=True, kw_only=True, rename="camel"):
    """The plugin's `status`."""

    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: datetime | None = None

    def __repr__(self) -> str:
        return "Credential(hidden)"


class _Answer(Struct, frozen=True, kw_only=True, rename="camel"):
    kind: str
    api_version: str
    status: Credential


_ANSWER = msgspec.json.Decoder(_Answer)


async def run(entry: ExecEntry, chosen: Chosen) -> Credential:
    """What the plugin answers. Raises ClusterUnreachableError with the plugin's own words, redacted."""
    if entry.interactive_mode == "Always":
        raise WrongUsageError(
            f"The kubeconfig's plugin “{entry.command}” asks questions on a terminal (interactiveMode: Always).",
            next_step="Use a credential that needs nobody at the keyboard.",
        )
    output = await _output(entry, chosen)
    try:
        answer = _ANSWER.decode(output)
    except msgspec.DecodeError:
        raise _failed(entry, "answered something that is no ExecCredential") from None
    if answer.kind != "ExecCredential" or answer.api_version != entry.api_version:
        raise _failed(entry, f"answered {answer.kind} {answer.api_version}, not ExecCredential {entry.api_version}")
    if not answer.status.token and not (answer.status.client_certificate_data and answer.status.client_key_data):
        raise _failed(entry, "answered neither a token nor a certificate with its key")
    return answer.status


async def _output(entry: ExecEntry, chosen: Chosen) -> bytes:
    environ = {**os.environ, **{variable.name: variable.value for variable in entry.env or ()}}
    environ["KUBERNETES_EXEC_INFO"] = _exec_info(entry, chosen)
    try:
        process = await asyncio.create_subprocess_exec(
            _command(entry, chosen.user_folder, environ),
            *(entry.args or ()),
            env=environ,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )
    except OSError as error:
        raise _failed(entry, f"cannot be started: {error.strerror}") from None
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            output, complaint = await process.communicate()
    except TimeoutError:
        raise _failed(entry, f"did not answer within {_PATIENCE_SECONDS:.0f} seconds") from None
    finally:
        await _end(process)
    if process.returncode:
        words = shortened(complaint.decode("utf-8", "replace"))
        raise _failed(entry, f"ended with status {process.returncode}{': ' if words else ''}{words}")
    return output


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


def _command(entry: ExecEntry, folder: Path, environ: dict[str, str]) -> str:
    """A bare name is looked up in PATH; one with a slash starts from the kubeconfig's folder."""
    if "/" in entry.command:
        found = folder / entry.command
        if found.exists():
            return str(found)
    elif in_path := shutil.which(entry.command, path=environ.get("PATH")):
        return in_path
    hint = f" {shortened(entry.install_hint)}" if entry.install_hint else ""
    raise ClusterUnreachableError(
        f"The kubeconfig's credential plugin “{entry.command}” is not installed.",
        next_step=f"Install it, or use another context.{hint}",
    )


def _exec_info(entry: ExecEntry, chosen: Chosen) -> str:
    spec: dict[str, object] = {"interactive": False}
    if entry.provide_cluster_info:
        cluster = chosen.cluster
        authority = text_of(
            cluster.certificate_authority_data,
            cluster.certificate_authority,
            chosen.cluster_folder,
            "certificate-authority",
        )
        spec["cluster"] = {
            "server": cluster.server,
            "tls-server-name": cluster.tls_server_name,
            "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
            "certificate-authority-data": authority.encode(),
            "proxy-url": cluster.proxy_url,
        }
    info = {"apiVersion": entry.api_version, "kind": "ExecCredential", "spec": spec}
    return msgspec.json.encode(info).decode()


def _failed(entry: ExecEntry, what: str) -> ClusterUnreachableError:
    return ClusterUnreachableError(
        f"The kubeconfig's credential plugin “{entry.command}” {what}.",
        next_step="Run a kubectl command with the same context to see it fail, and log in again.",
    )
