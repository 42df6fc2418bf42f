"""Secrets as the API server prints them in a table: their type and the number of their keys, and never the data.

Metadata alone says neither. A table's rows carry the metadata only, which names the keys too as far as its
managedFields do (`pkg/printers/internalversion/printers.go`).
"""

from msgspec import Raw, Struct, ValidationError, field
from msgspec.json import Decoder

from bot import objects
from bot.kube import read
from bot.kube.connection import Connection
from bot.kube.gaps import UnavailableError
from bot.kube.permissions import GET_SECRET, LIST_SECRETS
from bot.model import SecretSummary
from bot.objects import KubeStruct, ListMeta
from bot.redact import redact

_TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
_WITH_METADATA = {"includeObject": "Metadata"}
_KEY = "f:"


async def one(connection: Connection, *, namespace: str, name: str) -> SecretSummary:
    """A single Secret. Raises UnreadableError (AbsentError where there is none)."""
    table = await read.get(
        connection, GET_SECRET, _Table, namespace=namespace, name=name, query=_WITH_METADATA, accept=_TABLE
    )
    if len(found := table.items) != 1:
        raise UnavailableError(f"the API server's answer about Secret {name} is no table of one row")
    return found[0]


async def all_of_type(connection: Connection, *, namespace: str, secret_type: str) -> tuple[SecretSummary, ...]:
    """Every Secret of that type in a namespace. Raises UnreadableError."""
    query = {"fieldSelector": f"type={secret_type}", **_WITH_METADATA}
    return await read.get_pages(connection, LIST_SECRETS, _Table, namespace=namespace, query=query, accept=_TABLE)


class _Column(Struct, frozen=True):
    name: str


class _Row(Struct, frozen=True):
    cells: tuple[Raw, ...]
    object: Raw


class _Table(KubeStruct, frozen=True, kw_only=True):
    metadata: ListMeta = ListMeta()
    column_definitions: tuple[_Column, ...]
    rows: tuple[_Row, ...] | None = ()

    @property
    def items(self) -> tuple[SecretSummary, ...]:
        """Raises UnavailableError where the columns are other ones."""
        names = [column.name for column in self.column_definitions]
        try:
            of_type, of_keys = names.index("Type"), names.index("Data")
            return tuple(_summary(row, of_type, of_keys) for row in self.rows or ())
        except (ValueError, IndexError, ValidationError):
            raise UnavailableError("the API server's table of Secrets has not the columns Type and Data") from None


class _Fields(Struct, frozen=True):
    """Of a manager's fields, those of the data: each is named `f:` and the key."""

    data: dict[str, Raw] = field(default_factory=dict, name="f:data")


class _Managed(KubeStruct, frozen=True, kw_only=True):
    fields: _Fields = field(default=_Fields(), name="fieldsV1")


class _ManagedMeta(KubeStruct, frozen=True, kw_only=True):
    managed_fields: tuple[_Managed, ...] = ()


class _ManagedObject(Struct, frozen=True):
    metadata: _ManagedMeta = _ManagedMeta()


_TEXT, _NUMBER = Decoder(str), Decoder(int)
_OBJECT, _MANAGED = Decoder(objects.Named), Decoder(_ManagedObject)


def _summary(row: _Row, of_type: int, of_keys: int) -> SecretSummary:
    keys = _NUMBER.decode(row.cells[of_keys])
    managed = _MANAGED.decode(row.object).metadata.managed_fields
    names = sorted({redact(key.removeprefix(_KEY)) for one in managed for key in one.fields.data if key != "."})
    return SecretSummary(
        metadata=_OBJECT.decode(row.object).metadata,
        type=_TEXT.decode(row.cells[of_type]),
        keys=keys,
        key_names=tuple(names) if len(names) == keys else (),
    )
