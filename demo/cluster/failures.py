"""What an API server says when it refuses: `Status` objects with the words of apimachinery's `api/errors`."""

from collections.abc import Sequence
from dataclasses import dataclass

from demo.cluster.objects import JsonObject
from demo.cluster.resources import Resource


class StatusError(Exception):
    """An answer other than 2xx. `retry_after` is in seconds."""

    def __init__(
        self, code: int, reason: str, message: str, details: JsonObject | None = None, *, retry_after: int = 0
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.retry_after = retry_after
        self.continue_token = ""

    @property
    def body(self) -> JsonObject:
        status: JsonObject = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {"continue": self.continue_token} if self.continue_token else {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        return {**status, "code": self.code}


@dataclass(frozen=True)
class Cause:
    """One mistake in an object; `told` is its sentence, `field` its path."""

    reason: str
    field: str
    told: str

    @property
    def body(self) -> JsonObject:
        return {"reason": self.reason, "message": self.told, "field": self.field}


def required(field: str, detail: str = "") -> Cause:
    return Cause("FieldValueRequired", field, f"Required value{': ' if detail else ''}{detail}")


def invalid_value(field: str, value: object, detail: str) -> Cause:
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return Cause("FieldValueInvalid", field, f"Invalid value: {shown}: {detail}")


def not_found(resource: Resource, name: str) -> StatusError:
    return StatusError(404, "NotFound", f'{resource.qualified} "{name}" not found', _details(resource, name))


def already_exists(resource: Resource, name: str) -> StatusError:
    message = f'{resource.qualified} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, _details(resource, name))


def conflict(resource: Resource, name: str, why: str) -> StatusError:
    return named_conflict(resource.plural, resource.group, name, why)


def named_conflict(plural: str, group: str, name: str, why: str) -> StatusError:
    qualified = f"{plural}.{group}" if group else plural
    details = {"name": name, **({"group": group} if group else {}), "kind": plural}
    return StatusError(409, "Conflict", f'Operation cannot be fulfilled on {qualified} "{name}": {why}', details)


def modified(resource: Resource, name: str) -> StatusError:
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(resource, name, why)


def forbidden(plural: str, group: str, name: str, why: str) -> StatusError:
    """`plural` is "" for a path that is no resource's."""
    qualified = f"{plural}.{group}" if group else plural
    if not plural:
        message = f"forbidden: {why}"
    else:
        message = f'{qualified} "{name}" is forbidden: {why}' if name else f"{qualified} is forbidden: {why}"
    details = {
        **({"name": name} if name else {}),
        **({"group": group} if group else {}),
        **({"kind": plural} if plural else {}),
    }
    return StatusError(403, "Forbidden", message, details)


def invalid(kind: str, group: str, name: str, causes: Sequence[Cause]) -> StatusError:
    """Of an object; several mistakes stand in brackets."""
    told = [f"{cause.field}: {cause.told}" for cause in causes]
    listed = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    qualified = f"{kind}.{group}" if group else kind
    details: JsonObject = {**({"name": name} if name else {}), **({"group": group} if group else {}), "kind": kind}
    details["causes"] = [cause.body for cause in causes]
    return StatusError(422, "Invalid", f'{qualified} "{name}" is invalid: {listed}', details)


def bad_request(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)


def unauthorized() -> StatusError:
    return StatusError(401, "Unauthorized", "Unauthorized")


def expired(message: str) -> StatusError:
    return StatusError(410, "Expired", message)


def internal(message: str) -> StatusError:
    details = {"causes": [{"message": message}]}
    return StatusError(500, "InternalError", f"Internal error occurred: {message}", details)


def method_not_allowed() -> StatusError:
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", message, {})


def too_many_requests(seconds: int) -> StatusError:
    details = {"retryAfterSeconds": seconds}
    message = "Too many requests, please try again later."
    return StatusError(429, "TooManyRequests", message, details, retry_after=seconds)


def unsupported_media_type(accepted: Sequence[str]) -> StatusError:
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return StatusError(415, "UnsupportedMediaType", message)


def no_such_path() -> StatusError:
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def _details(resource: Resource, name: str) -> JsonObject:
    return {"name": name, **({"group": resource.group} if resource.group else {}), "kind": resource.plural}
