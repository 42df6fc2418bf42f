"""A token Secret as actions see it: without its data, but for the one moment in which its token is reviewed."""

from collections.abc import Sequence

from msgspec import Struct

from bot import objects
from bot.actions.action import CannotActError, PlanChangedError, Progress, here
from bot.actions.disruption import counted
from bot.durations import utc
from bot.kube import read, secret_tables
from bot.kube.client import Cluster
from bot.kube.gaps import AbsentError
from bot.kube.permissions import GET_SECRET, GET_SERVICE_ACCOUNT
from bot.kube.review import review
from bot.kube.secret_uses import User
from bot.model import ObjectRef, Review
from bot.objects import KubeStruct
from bot.tokens import RawToken

_MOST_NAMED = 5


class Held(Struct, frozen=True, kw_only=True):
    """A token Secret; `resource_version` is that of what was read of it."""

    ref: ObjectRef
    metadata: objects.Meta
    resource_version: str

    @property
    def account(self) -> str:
        return self.metadata.annotations.service_account_name

    @property
    def last_used(self) -> str:
        """A day, as the label has it; "" where it was not used since uses are recorded."""
        return self.metadata.labels.legacy_token_last_used

    @property
    def invalid_since(self) -> str:
        return self.metadata.labels.legacy_token_invalid_since


async def held(cluster: Cluster, ref: ObjectRef) -> Held:
    """Raises UnreadableError, PlanChangedError and CannotActError: no token Secret, or one that is being deleted."""
    if ref.kind != "Secret":
        raise CannotActError(f"{here(ref)} is no Secret.")
    # The version first: what changes between the two reads is then a change since.
    versioned = await read.metadata(cluster.main, GET_SECRET, _Versioned, namespace=ref.namespace, name=ref.name)
    found = await secret_tables.one(cluster.main, namespace=ref.namespace, name=ref.name)
    meta = found.metadata
    if meta.uid != (ref.uid or meta.uid) or meta.uid != versioned.metadata.uid:
        raise PlanChangedError(f"{here(ref)} was deleted and created again since.")
    if not found.is_token:
        raise CannotActError(f"{here(ref)} is of type {found.type}, and no service account's token Secret.")
    if meta.deletion_timestamp:
        raise CannotActError(f"{here(ref)} is being deleted since {utc(meta.deletion_timestamp)}.")
    return Held(
        ref=_ref(ref, "Secret", ref.name, meta.uid), metadata=meta, resource_version=versioned.metadata.resource_version
    )


async def present(cluster: Cluster, ref: ObjectRef) -> objects.Meta | None:
    """The metadata of that very Secret, None where it is gone. Raises UnreadableError."""
    try:
        found = await read.metadata(cluster.main, GET_SECRET, objects.Named, namespace=ref.namespace, name=ref.name)
    except AbsentError:
        return None
    return found.metadata if found.metadata.uid == ref.uid else None


async def account(cluster: Cluster, ref: ObjectRef) -> ObjectRef:
    """The service account, with its uid. Raises as `held` does: one that is being deleted has no good token."""
    found = await read.metadata(
        cluster.main, GET_SERVICE_ACCOUNT, objects.Named, namespace=ref.namespace, name=ref.name
    )
    if ref.uid and found.metadata.uid != ref.uid:
        raise PlanChangedError(f"{here(ref)} was deleted and created again since.")
    if found.metadata.deletion_timestamp:
        raise CannotActError(
            f"{here(ref)} is being deleted since {utc(found.metadata.deletion_timestamp)}: its tokens are refused.",
            next_step="Let the deletion end, and create the service account again first.",
        )
    return _ref(ref, "ServiceAccount", ref.name, found.metadata.uid)


async def owner(cluster: Cluster, secret: Held) -> ObjectRef:
    """The account that the Secret's token is of: the very one."""
    ref = _ref(secret.ref, "ServiceAccount", secret.account, "")
    try:
        found = await account(cluster, ref)
    except AbsentError:
        raise CannotActError(
            f"{here(secret.ref)} is of service account {secret.account}, which does not exist.",
            next_step="Create the service account first.",
        ) from None
    if secret.metadata.annotations.service_account_uid not in {"", found.uid}:
        raise CannotActError(
            f"{here(secret.ref)} is of an earlier service account {secret.account}: its token is refused for good.",
            next_step="Create a token Secret of the present account instead (action create-token-secret).",
        )
    return found


def last_use(secret: Held) -> str:
    """As a part of a sentence."""
    marked = f", marked invalid on {secret.invalid_since}" if secret.invalid_since else ""
    return (f"last used on {secret.last_used}" if secret.last_used else "no use is recorded") + marked


def told(users: Sequence[User]) -> str:
    """Who uses it, as a part of a sentence."""
    if not users:
        return "no pod, workload or service account refers to it"
    more = f" and {len(users) - _MOST_NAMED} more" if len(users) > _MOST_NAMED else ""
    return f"it is used by {', '.join(map(str, users[:_MOST_NAMED]))}{more}"


async def reviewed(cluster: Cluster, raw: RawToken, whose: str) -> Progress:
    """What every API server says of the token: ended where all accept it. It may take them a moment to hear of it."""
    return verdict(await review(cluster, raw), whose)


def verdict(reviews: Sequence[Review], whose: str) -> Progress:
    """Pure: the reviews in words."""
    refused = [one for one in reviews if not one.authenticated]
    if not refused:
        many = "the API server" if len(reviews) == 1 else f"all {counted(len(reviews), 'API server')}"
        return Progress(text=f"{whose} is accepted by {many}.", ended=True)
    why = "; ".join(f"{one.endpoint} says: {one.error or 'not authenticated'}" for one in refused)
    return Progress(text=f"{whose} is refused by {len(refused)} of {counted(len(reviews), 'API server')}.", stuck=why)


class _VersionedMeta(KubeStruct, frozen=True, kw_only=True):
    uid: str = ""
    resource_version: str = ""


class _Versioned(KubeStruct, frozen=True, kw_only=True):
    metadata: _VersionedMeta


def _ref(of: ObjectRef, kind: str, name: str, uid: str) -> ObjectRef:
    return ObjectRef(cluster=of.cluster, api_version="v1", kind=kind, namespace=of.namespace, name=name, uid=uid)
