"""How client libraries write down what an API server answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from demo.cluster.authorization import Attributes

_KINDS = {"configmaps": "ConfigMap", "endpoints": "Endpoints", "ingresses": "Ingress"}


class Wording(Protocol):
    """The lines of one library."""

    def unauthorized(self, now: datetime, wanted: Attributes) -> str: ...
    def forbidden(self, now: datetime, wanted: Attributes, message: str) -> str: ...
    def no_file(self, path: str) -> str: ...


@dataclass(frozen=True)
class ClientGo:
    """client-go's reflector (tools/cache/reflector.go), by klog."""

    def unauthorized(self, now: datetime, wanted: Attributes) -> str:
        return f'{_klog(now)} "Unhandled Error" err="failed to list *v1.{_kind(wanted)}: Unauthorized"'

    def forbidden(self, now: datetime, wanted: Attributes, message: str) -> str:
        told = message.replace('"', '\\"')
        return f'{_klog(now)} "Unhandled Error" err="failed to list *v1.{_kind(wanted)}: {told}"'

    def no_file(self, path: str) -> str:
        return f"panic: open {path}: no such file or directory"


@dataclass(frozen=True)
class Python:
    """kubernetes-client/python, its exception as logging prints it."""

    def unauthorized(self, now: datetime, wanted: Attributes) -> str:
        del now, wanted
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "Unauthorized"}
        return _python_error(401, "Unauthorized", {**body, "reason": "Unauthorized", "code": 401})

    def forbidden(self, now: datetime, wanted: Attributes, message: str) -> str:
        del now, wanted
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
        return _python_error(403, "Forbidden", {**body, "reason": "Forbidden", "code": 403})

    def no_file(self, path: str) -> str:
        del path
        return "kubernetes.config.config_exception.ConfigException: Service token file does not exist."


@dataclass(frozen=True)
class Java:
    """fabric8's kubernetes-client."""

    def unauthorized(self, now: datetime, wanted: Attributes) -> str:
        return f"{_fabric8(now, wanted)} Message: Unauthorized."

    def forbidden(self, now: datetime, wanted: Attributes, message: str) -> str:
        return f"{_fabric8(now, wanted)} Message: {message}."

    def no_file(self, path: str) -> str:
        return f"java.nio.file.NoSuchFileException: {path}: no such file or directory"


WORDINGS: Mapping[str, Wording] = {"client-go": ClientGo(), "python": Python(), "java": Java()}


def _klog(now: datetime) -> str:
    return f"E{now:%m%d %H:%M:%S.%f}       1 reflector.go:205]"


def _python_error(code: int, reason: str, body: Mapping[str, object]) -> str:
    told = json.dumps(body, separators=(",", ":"))
    return f"kubernetes.client.exceptions.ApiException: ({code})\nReason: {reason}\nHTTP response body: {told}"


def _fabric8(now: datetime, wanted: Attributes) -> str:
    root = f"/apis/{wanted.group}/v1" if wanted.group else "/api/v1"
    place = f"/namespaces/{wanted.namespace}" if wanted.namespace else ""
    url = f"https://kubernetes.default.svc{root}{place}/{wanted.resource}"
    kind = "io.fabric8.kubernetes.client.KubernetesClientException"
    return f"{now:%Y-%m-%dT%H:%M:%S.%f}Z ERROR {kind}: Failure executing: GET at: {url}."


def _kind(wanted: Attributes) -> str:
    return _KINDS.get(wanted.resource, wanted.resource.removesuffix("s").capitalize())
