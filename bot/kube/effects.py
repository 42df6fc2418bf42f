"""The few things that are ever done to a cluster. With `dry_run` the API server only says whether it would.

What stands in the way is told apart: DeniedError where a right is missing, RefusedError where admission or a
disruption budget says no, ConflictError where a precondition does not hold, AbsentError. After any other
UnreadableError it may have been done all the same.
"""

from collections.abc import Mapping

from bot import objects
from bot.kube import read
from bot.kube.answers import failure
from bot.kube.connection import Call, Connection
from bot.kube.gaps import AbsentError, ConflictError
from bot.kube.permissions import EVICT_POD, Operation
from bot.objects import KubeStruct

_MERGE_PATCH = "application/merge-patch+json"
_DRY_RUN = {"dryRun": "All"}


class _Done(KubeStruct, frozen=True, kw_only=True):
    """The answer to an eviction, of which nothing is wanted."""


async def create(
    connection: Connection,
    operation: Operation,
    manifest: Mapping[str, object],
    *,
    namespace: str,
    dry_run: bool = False,
) -> objects.Named:
    """The object as it was made, its metadata alone. ConflictError: there is one of that name."""
    return await read.create(
        connection,
        operation,
        objects.Named,
        manifest,
        namespace=namespace,
        query=_DRY_RUN if dry_run else None,
        accept=read.METADATA,
    )


async def patch(  # what is changed, and where
    connection: Connection,
    operation: Operation,
    change: Mapping[str, object],
    *,
    namespace: str,
    name: str,
    uid: str,
    resource_version: str,
    dry_run: bool = False,
) -> None:
    """A merge patch of that very object in that very version; ConflictError where it is another one.

    The API server holds both against the object: a resourceVersion that differs is a 409, a uid a 422 (seen on 1.36).
    """
    metadata = change.get("metadata", {})
    if not isinstance(metadata, Mapping):
        raise TypeError("An object's metadata are a mapping.")
    named = {**metadata, "uid": uid, "resourceVersion": resource_version}
    await read.create(
        connection,
        operation,
        objects.Named,
        {**change, "metadata": named},
        namespace=namespace,
        name=name,
        query=_DRY_RUN if dry_run else None,
        accept=read.METADATA,
        content_type=_MERGE_PATCH,
    )


async def evict(connection: Connection, *, namespace: str, name: str, uid: str, dry_run: bool = False) -> None:
    """Deletes that very pod, unless a PodDisruptionBudget is against it: RefusedError in its words."""
    body: dict[str, object] = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
        "deleteOptions": _options(uid=uid, dry_run=dry_run),
    }
    await read.create(connection, EVICT_POD, _Done, body, namespace=namespace, name=name)


async def remove(  # which object, in which version
    connection: Connection,
    operation: Operation,
    *,
    namespace: str,
    name: str,
    uid: str = "",
    resource_version: str = "",
    dry_run: bool = False,
) -> None:
    """Deletes that very object, in that very version where one is named."""
    call = Call(
        method=operation.method,
        path=operation.path(namespace=namespace, name=name),
        body=_options(uid=uid, resource_version=resource_version, dry_run=dry_run),
    )
    # The answer may hold the object with its data: it is left unread.
    async with connection.open(call) as response:
        if not response.ok:
            raise await failure(response, operation, namespace)


async def delete(connection: Connection, operation: Operation, *, namespace: str, name: str, uid: str = "") -> bool:
    """Whether it was there: with a uid only that very object is deleted. Raises UnreadableError."""
    try:
        await remove(connection, operation, namespace=namespace, name=name, uid=uid)
    except (AbsentError, ConflictError):
        return False
    return True


def _options(*, uid: str, resource_version: str = "", dry_run: bool = False) -> dict[str, object]:
    held = {"uid": uid, "resourceVersion": resource_version}
    preconditions = {name: value for name, value in held.items() if value}
    return {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        **({"preconditions": preconditions} if preconditions else {}),
        **({"dryRun": ["All"]} if dry_run else {}),
    }
