"""The few things that are ever made in a cluster, and how they are taken away again."""

from collections.abc import Mapping

from bot import objects
from bot.kube import read
from bot.kube.connection import Call, Connection
from bot.kube.gaps import AbsentError, ConflictError
from bot.kube.permissions import Operation


async def create(
    connection: Connection, operation: Operation, manifest: Mapping[str, object], *, namespace: str
) -> objects.Named:
    """The object as it was made, its metadata alone. Raises UnreadableError."""
    return await read.create(connection, operation, objects.Named, manifest, namespace=namespace)


async def delete(connection: Connection, operation: Operation, *, namespace: str, name: str, uid: str = "") -> bool:
    """Whether it was there: with a uid only that very object is deleted. Raises UnreadableError."""
    options: dict[str, object] = {"apiVersion": "v1", "kind": "DeleteOptions"}
    if uid:
        options["preconditions"] = {"uid": uid}
    call = Call(method=operation.method, path=operation.path(namespace=namespace, name=name), body=options)
    try:
        async with connection.open(call) as response:
            if not response.ok:
                raise await read.failure(response, operation, namespace)
    except (AbsentError, ConflictError):
        return False
    return True
