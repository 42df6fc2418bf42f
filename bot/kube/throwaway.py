"""A service account and a token Secret that live for seconds: does the token controller fill it?

Both carry a label, so that what a killed process leaves behind can be found and removed.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot import objects
from bot.errors import DoctorError
from bot.kube import effects, read
from bot.kube.connection import Connection
from bot.kube.gaps import AbsentError, UnavailableError, UnreadableError
from bot.kube.permissions import (
    CREATE_SECRET,
    CREATE_SERVICE_ACCOUNT,
    DELETE_SECRET,
    DELETE_SERVICE_ACCOUNT,
    LIST_SECRETS,
    LIST_SERVICE_ACCOUNTS,
    Operation,
)
from bot.kube.secret_tokens import filled
from bot.kube.together import all_of, both
from bot.model import TOKEN_TYPE
from bot.tokens import RawToken

LABEL = "token-doctor.io/probe"
_VALUE = "controller"
_LEFT_OVER = timedelta(minutes=5)
"""Older than any probe: whoever made it is gone."""
_REMOVING_SECONDS = 3
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1


@dataclass(kw_only=True)
class Throwaway:
    """The two objects, by one name. `left_over` says what could not be removed, "" where nothing was left."""

    connection: Connection
    namespace: str
    name: str
    uids: dict[Operation, str] = field(default_factory=dict)
    left_over: str = ""

    async def token(self, ends: float) -> RawToken | None:
        """The token as soon as it is there; None when it is not by then (the loop's time)."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                found = await filled(self.connection, namespace=self.namespace, name=self.name)
            except AbsentError:
                raise UnavailableError("somebody deleted the throw-away token Secret before it was filled") from None
            if found.raw is not None:
                return found.raw
            if asyncio.get_running_loop().time() + pause > ends:
                return None
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


@asynccontextmanager
async def throwaway(connection: Connection, namespace: str) -> AsyncIterator[Throwaway]:
    """Makes both, and removes both whatever happens meanwhile: removing is not cancelled, and lasts 3 s at most.

    Nothing is made where it may not be removed. Raises UnreadableError.
    """
    made = Throwaway(connection=connection, namespace=namespace, name=f"token-doctor-probe-{secrets.token_hex(5)}")
    # There is nothing of this name yet, but who may not delete is told so before anything is made.
    await both(_delete(made, DELETE_SECRET), _delete(made, DELETE_SERVICE_ACCOUNT))
    try:
        await _make(made)
        yield made
    finally:
        await _not_cancelled(asyncio.create_task(_remove(made), name="remove the throw-away objects"))


async def sweep(connection: Connection, namespace: str, now: datetime) -> int:
    """How many left-overs of killed processes were removed. Raises UnreadableError."""
    query = {"labelSelector": f"{LABEL}={_VALUE}"}
    listed = ((LIST_SECRETS, DELETE_SECRET), (LIST_SERVICE_ACCOUNTS, DELETE_SERVICE_ACCOUNT))
    lists = await all_of(
        read.get_some(connection, operation, objects.Named, namespace=namespace, query=query, accept=read.METADATA_LIST)
        for operation, _ in listed
    )
    old = [
        effects.delete(connection, delete, namespace=namespace, name=left.metadata.name, uid=left.metadata.uid)
        for (_, delete), found in zip(listed, lists, strict=True)
        for left in found
        if left.metadata.creation_timestamp and left.metadata.creation_timestamp < now - _LEFT_OVER
    ]
    return sum(await all_of(old))


async def _make(made: Throwaway) -> None:
    metadata = {"name": made.name, "labels": {LABEL: _VALUE}}
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata,
        "automountServiceAccountToken": False,
    }
    created = await effects.create(made.connection, CREATE_SERVICE_ACCOUNT, account, namespace=made.namespace)
    made.uids[DELETE_SERVICE_ACCOUNT] = created.metadata.uid
    annotated = {**metadata, "annotations": {"kubernetes.io/service-account.name": made.name}}
    secret = {"apiVersion": "v1", "kind": "Secret", "type": TOKEN_TYPE, "metadata": annotated}
    created = await effects.create(made.connection, CREATE_SECRET, secret, namespace=made.namespace)
    made.uids[DELETE_SECRET] = created.metadata.uid


async def _remove(made: Throwaway) -> None:
    """The Secret first. One whose making was cut short has no known uid; its name is nobody else's."""
    try:
        async with asyncio.timeout(_REMOVING_SECONDS):
            for operation in (DELETE_SECRET, DELETE_SERVICE_ACCOUNT):
                try:
                    await _delete(made, operation)
                except (UnreadableError, DoctorError) as error:
                    made.left_over = str(error)
    except TimeoutError:
        made.left_over = f"no answer within {_REMOVING_SECONDS} seconds"


async def _delete(made: Throwaway, operation: Operation) -> bool:
    uid = made.uids.get(operation, "")
    return await effects.delete(made.connection, operation, namespace=made.namespace, name=made.name, uid=uid)


async def _not_cancelled(task: asyncio.Task[None]) -> None:
    """Waits to the end of a task that ends by itself, and only then lets a cancellation through."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled
