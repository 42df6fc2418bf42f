"""Who refers to a Secret by its name: pods, what pods will be made from, and service accounts."""

from collections.abc import Iterator

from msgspec import Struct

from bot import objects
from bot.kube import read
from bot.kube.connection import Connection
from bot.kube.permissions import LIST_OWNED, LIST_PODS, LIST_SERVICE_ACCOUNTS, SECRET_USERS, Operation
from bot.kube.together import all_of
from bot.mentions import Spec, names_in
from bot.objects import KubeStruct

_ENDED = {"Complete", "Failed"}


class User(Struct, frozen=True, kw_only=True):
    """An object, and the names of the Secrets that it refers to in any way."""

    kind: str
    name: str
    secrets: frozenset[str]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


async def pods(connection: Connection, namespace: str) -> tuple[User, ...]:
    """The pods of the namespace, as the cleaner sees them: any reference is a use. Raises UnreadableError."""
    found = await read.get_all(connection, LIST_PODS, _Pod, namespace=namespace)
    return tuple(_user("pod", each.metadata.name, names_in(each.spec)) for each in found)


async def users(connection: Connection, namespace: str, secret: str) -> tuple[User, ...]:
    """All that refers to this Secret: pods, workloads that have not ended, and accounts' imagePullSecrets."""
    found = await all_of(_of(connection, operation, namespace) for operation in SECRET_USERS)
    return tuple(user for some in found for user in some if secret in user.secrets)


async def _of(connection: Connection, operation: Operation, namespace: str) -> tuple[User, ...]:
    if operation is LIST_PODS:
        return await pods(connection, namespace)
    if operation is LIST_SERVICE_ACCOUNTS:
        accounts = await read.get_all(connection, operation, _Account, namespace=namespace)
        return tuple(
            _user("service account", each.metadata.name, (pull.name for pull in each.image_pull_secrets))
            for each in accounts
        )
    kind = next(kind for kind, listed in LIST_OWNED.items() if listed is operation)
    found = await read.get_all(connection, operation, _Workload, namespace=namespace)
    return tuple(
        _user(kind.lower(), each.metadata.name, names_in(each.template)) for each in found if not each.has_ended
    )


def _user(kind: str, name: str, secrets: Iterator[str]) -> User:
    return User(kind=kind, name=name, secrets=frozenset(secrets))


class _Meta(KubeStruct, frozen=True, kw_only=True):
    name: str


class _Pod(KubeStruct, frozen=True, kw_only=True):
    metadata: _Meta
    spec: Spec = Spec()


class _Account(KubeStruct, frozen=True, kw_only=True):
    metadata: _Meta
    image_pull_secrets: tuple[objects.ObjectReference, ...] = ()


class _Template(KubeStruct, frozen=True, kw_only=True):
    spec: Spec = Spec()


class _JobSpec(KubeStruct, frozen=True, kw_only=True):
    template: _Template = _Template()


class _JobTemplate(KubeStruct, frozen=True, kw_only=True):
    spec: _JobSpec = _JobSpec()


class _WorkloadSpec(KubeStruct, frozen=True, kw_only=True):
    template: _Template = _Template()
    job_template: _JobTemplate | None = None


class _Condition(KubeStruct, frozen=True, kw_only=True):
    type: str = ""
    status: str = ""


class _WorkloadStatus(KubeStruct, frozen=True, kw_only=True):
    conditions: tuple[_Condition, ...] | None = None


class _Workload(KubeStruct, frozen=True, kw_only=True):
    """Any of them: each kind fills other fields."""

    metadata: _Meta
    spec: _WorkloadSpec = _WorkloadSpec()
    status: _WorkloadStatus = _WorkloadStatus()

    @property
    def template(self) -> Spec:
        job = self.spec.job_template
        return (job.spec.template if job else self.spec.template).spec

    @property
    def has_ended(self) -> bool:
        """Of a Job: no pod will come of it any more."""
        return any(each.type in _ENDED and each.status == "True" for each in self.status.conditions or ())
