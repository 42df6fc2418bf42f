"""The kinds of object that can be checked: how each is addressed, got and listed."""

from msgspec import Struct

from bot.kube.permissions import (
    GET_NAMESPACE,
    GET_OWNER,
    GET_POD,
    GET_SECRET,
    GET_SERVICE_ACCOUNT,
    LIST_NAMESPACES,
    LIST_OWNED,
    LIST_PODS,
    LIST_SECRETS,
    LIST_SERVICE_ACCOUNTS,
    Operation,
)


class Kind(Struct, frozen=True, kw_only=True):
    """`word` is what a person types, `name` what Kubernetes calls it."""

    word: str
    name: str
    get: Operation
    list: Operation
    words: str = ""

    @property
    def api_version(self) -> str:
        return f"{self.get.group}/v1" if self.get.group else "v1"

    def __str__(self) -> str:
        return self.words or self.word


POD = Kind(word="pod", name="Pod", get=GET_POD, list=LIST_PODS)
_OWNERS = {
    name: Kind(word=name.lower(), name=name, get=GET_OWNER[name], list=operation)
    for name, operation in LIST_OWNED.items()
}
SERVICE_ACCOUNT = Kind(
    word="serviceaccount",
    name="ServiceAccount",
    get=GET_SERVICE_ACCOUNT,
    list=LIST_SERVICE_ACCOUNTS,
    words="service account",
)
SECRET = Kind(word="secret", name="Secret", get=GET_SECRET, list=LIST_SECRETS, words="Secret")
NAMESPACE = Kind(word="namespace", name="Namespace", get=GET_NAMESPACE, list=LIST_NAMESPACES)

WORKLOADS = tuple(_OWNERS[name] for name in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"))
"""What a bare name may be beside a pod, in the order in which it is offered."""

BY_WORD = {kind.word: kind for kind in (POD, *_OWNERS.values(), SERVICE_ACCOUNT, SECRET, NAMESPACE)}
