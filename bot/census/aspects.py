"""The four lists of a census: what each is called, which right it takes, and which items it is needed for."""

from collections.abc import AsyncGenerator, Mapping
from enum import Enum
from functools import partial
from typing import Any

from msgspec import Struct

from bot.census.sources import Listing
from bot.census.wire import DATA_QUERY, TOKENS_QUERY, Account, Pod, SecretData, TokenSecret
from bot.kube import read
from bot.kube.connection import Connection
from bot.kube.permissions import LIST_PODS, LIST_SECRETS, LIST_SERVICE_ACCOUNTS, Operation
from bot.kube.stream import stream
from bot.model import ItemKind

_OF_SECRETS = (ItemKind.LEGACY_SECRET, ItemKind.MANUAL_SECRET, ItemKind.UNFILLED_SECRET, ItemKind.ORPHANED_SECRET)


class Aspect(Enum):
    """In the order in which lists that are equally far are read."""

    ACCOUNTS = "service accounts"
    PODS = "pods"
    TOKEN_SECRETS = "token Secrets"  # noqa: S105  # what is read, not a password
    DATA = "credentials inside other Secrets"


class Reads(Struct, frozen=True, kw_only=True):
    """How an aspect is read. `kinds` are the items that cannot be told without it."""

    operation: Operation
    item: type[Any]
    query: Mapping[str, str] = {}
    accept: str = "application/json"
    kinds: tuple[ItemKind, ...]


READS: Mapping[Aspect, Reads] = {
    Aspect.ACCOUNTS: Reads(operation=LIST_SERVICE_ACCOUNTS, item=Account, kinds=_OF_SECRETS),
    Aspect.PODS: Reads(
        operation=LIST_PODS,
        item=Pod,
        kinds=(ItemKind.SUBPATH_MOUNT, ItemKind.CAPPED_LIFETIME, ItemKind.EXTENDED_CLIFF, ItemKind.DEFAULT_ACCOUNT),
    ),
    Aspect.TOKEN_SECRETS: Reads(
        operation=LIST_SECRETS, item=TokenSecret, query=TOKENS_QUERY, accept=read.METADATA_LIST, kinds=_OF_SECRETS
    ),
    Aspect.DATA: Reads(
        operation=LIST_SECRETS,
        item=SecretData,
        query=DATA_QUERY,
        kinds=(ItemKind.EMBEDDED_TOKEN, ItemKind.KUBECONFIG_CERTIFICATE),
    ),
}


def listing(connection: Connection, aspect: Aspect) -> Listing:
    """Begins the aspect's list of a namespace, or of all of them."""
    return partial(_listed, connection, READS[aspect])


def _listed(connection: Connection, reads: Reads, namespace: str) -> AsyncGenerator[tuple[Any, ...], None]:
    return stream(connection, reads.operation, reads.item, namespace=namespace, query=reads.query, accept=reads.accept)
