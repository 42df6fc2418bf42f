"""Clocks: each Lease tells its holder's clock beside the API server's, in one answer."""

from datetime import datetime
from typing import Any

from msgspec import Struct, field

from bot.kube import read
from bot.kube.facets.graph import EVERYTHING, Asking, facet
from bot.kube.facets.pod import pod
from bot.kube.gaps import AbsentError, UnobservableError, shortened
from bot.kube.permissions import CONTROL_PLANE, GET_LEASE, LIST_LEASES, NODE_LEASES
from bot.model import Renewal, Renewals
from bot.objects import KubeStruct
from bot.versions import IDENTITY_LEASES

_IDENTITY = "apiserver.kubernetes.io/identity=kube-apiserver"
_MOST_API_SERVERS = 50


@facet(needs=(pod,))
async def node_lease(asking: Asking) -> Renewal | None:
    """The Lease of the pod's node; None when there is none, or the pod is not scheduled."""
    name = asking.value(pod).spec.node_name
    if not name:
        return None
    try:
        return _renewal(await read.get(asking.api, GET_LEASE, _Lease, namespace=NODE_LEASES, name=name))
    except AbsentError:
        return None


@facet(of=EVERYTHING)
async def identity_leases(asking: Asking) -> Renewals:
    """The Lease of each API server (1.26 and newer). One that is gone leaves its Lease behind for an hour or more."""
    sent = asking.now()
    leases = await read.get_some(
        asking.api,
        LIST_LEASES,
        _Lease,
        namespace=CONTROL_PLANE,
        query={"labelSelector": _IDENTITY},
        most=_MOST_API_SERVERS,
    )
    if not leases:
        raise UnobservableError(
            f"the API servers keep no identity Leases in kube-system (they do from {IDENTITY_LEASES} on, unless "
            "switched off)"
        )
    return Renewals(sent=sent, received=asking.now(), leases=tuple(map(_renewal, leases)))


class _OwnedSpec(Struct, frozen=True):
    renew_time: Any = field(default=None, name="f:renewTime")


class _Owned(Struct, frozen=True):
    spec: _OwnedSpec = field(default=_OwnedSpec(), name="f:spec")


class _Manager(KubeStruct, frozen=True, kw_only=True):
    """An entry of managedFields; `fieldsV1` names what is owned as keys, with a value of {}."""

    time: datetime | None = None
    fields: _Owned = field(default=_Owned(), name="fieldsV1")


class _Labels(Struct, frozen=True):
    host: str = field(default="", name="kubernetes.io/hostname")


class _Meta(KubeStruct, frozen=True, kw_only=True):
    name: str
    resource_version: str = ""
    labels: _Labels = _Labels()
    managed_fields: tuple[_Manager, ...] = ()


class _Spec(KubeStruct, frozen=True, kw_only=True):
    renew_time: datetime | None = None
    lease_duration_seconds: int | None = None


class _Lease(KubeStruct, frozen=True, kw_only=True):
    metadata: _Meta
    spec: _Spec = _Spec()


def _renewal(lease: _Lease) -> Renewal:
    """The entry of managedFields that owns renewTime has the time of the last renewal: any change of it moves it."""
    managers = lease.metadata.managed_fields
    written = max((m.time for m in managers if m.time and m.fields.spec.renew_time is not None), default=None)
    alone = written is not None and all(m.time is None or m.time <= written for m in managers)
    revision = lease.metadata.resource_version
    return Renewal(
        holder=shortened(lease.metadata.name),
        renewed=lease.spec.renew_time,
        written=written,
        duration_seconds=lease.spec.lease_duration_seconds or 0,
        revision=int(revision) if alone and revision.isdigit() else 0,
        host=shortened(lease.metadata.labels.host),
    )
