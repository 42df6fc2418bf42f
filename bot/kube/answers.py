"""What an answer other than 2xx means."""

import aiohttp
import msgspec
from msgspec import structs

from bot.errors import ClusterUnreachableError
from bot.kube.gaps import (
    AbsentError,
    BadAnswerError,
    ConflictError,
    DeniedError,
    ExpiredError,
    RefusedError,
    TooLargeError,
    UnavailableError,
    UnreadableError,
    shortened,
)
from bot.kube.permissions import Operation
from bot.messages import forbidden
from bot.objects import KubeStruct, ListMeta

_MOST_ERROR_BYTES = 64 * 1024
_NOBODY = "system:anonymous"


class _StatusCause(KubeStruct, frozen=True, kw_only=True):
    reason: str = ""
    message: str = ""
    field: str = ""


class _StatusDetails(KubeStruct, frozen=True, kw_only=True):
    causes: tuple[_StatusCause, ...] = ()


class _Status(KubeStruct, frozen=True, kw_only=True):
    kind: str = ""
    message: str = ""
    reason: str = ""
    metadata: ListMeta = ListMeta()
    details: _StatusDetails | None = None

    def cause(self, *, reason: str = "", field: str = "") -> _StatusCause | None:
        """The first of its causes with that reason, or of that field; None without one."""
        causes = self.details.causes if self.details else ()
        return next((one for one in causes if reason in {"", one.reason} and field in {"", one.field}), None)


_STATUS = msgspec.json.Decoder(_Status)


async def bounded(response: aiohttp.ClientResponse, most: int) -> bytearray:
    """The body. More than `most` bytes are a TooLargeError."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most:
            raise TooLargeError(f"the answer is larger than {most // 1024} KiB")
    return body


async def failure(response: aiohttp.ClientResponse, operation: Operation, namespace: str) -> UnreadableError:
    """Raises ClusterUnreachableError where the bot has sent no credentials."""
    status = await _status(response)
    words = shortened(status.message) or f"HTTP status {response.status}"
    match response.status:
        case 403 if status.kind == "Status":
            return _denied(status.message, operation, namespace) or RefusedError(words)
        case 422 if status.cause(field="metadata.uid"):
            # Of a patch that names the uid: the object of that name is another one (`ValidateObjectMetaUpdate`).
            return ConflictError("there is another object of that name by now")
        case 400 | 422:
            return RefusedError(words)
        case 404:
            return AbsentError(words)
        case 409:
            return ConflictError(words)
        case 410:
            return ExpiredError(words, place=status.metadata.continue_token)
        case 429:
            return _overloaded(status, words, _after(response))
        case 500:
            return BadAnswerError(f"the API server answered 500: {words}", again_after=_after(response))
        case code:
            again = _after(response) if code > 500 else None  # noqa: PLR2004  # 5xx: the server's own trouble
            return UnavailableError(f"the API server answered {code}: {words}", again_after=again)


def _denied(message: str, operation: Operation, namespace: str) -> DeniedError | None:
    """None where the 403 is not about rights."""
    if not _is_about_rights(message):
        return None
    # The server's own words name the rule best: one request may need several.
    refused = forbidden(message)
    if refused is not None and refused.user == _NOBODY:
        raise ClusterUnreachableError(
            "The API server takes token-doctor for nobody (system:anonymous): no credentials were sent.",
            next_step="Give the kubeconfig's user a token, a client certificate or an exec plugin.",
        )
    rule = refused.rule if refused else operation.rule(namespace)
    return DeniedError(structs.replace(rule, name=operation.name))


def _overloaded(status: _Status, words: str, after: float) -> UnreadableError:
    """Of an eviction it may also be a PodDisruptionBudget that says no."""
    if budget := status.cause(reason="DisruptionBudget"):
        return RefusedError(shortened(budget.message) or words)
    return UnavailableError(f"the API server is overloaded and asks to wait: {words}", again_after=after)


def _is_about_rights(message: str) -> bool:
    """Not an admission plugin's refusal, which has another reason. A second check of rights gives none at all."""
    if " denied request: " in message or " denied the request" in message:
        return False  # an admission policy's or webhook's own words, which may say “cannot” too
    return not message or " cannot " in message or message.rstrip().endswith("is forbidden:")


def _after(response: aiohttp.ClientResponse) -> float:
    """The seconds that it asks to wait. The header's other form, a date, is not what API servers send."""
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isdigit() else 0.0


async def _status(response: aiohttp.ClientResponse) -> _Status:
    try:
        return _STATUS.decode(await bounded(response, _MOST_ERROR_BYTES))
    except (msgspec.DecodeError, TooLargeError):
        # A proxy's page, not the API server's: the number is all there is to say.
        return _Status()
