"""What every namespace is given: the account `default`, and the certificate authority."""

from http import HTTPStatus

from demo.cluster import resources as r
from demo.cluster.controllers.context import MANAGER, Context
from demo.cluster.failures import StatusError
from demo.cluster.objects import is_leaving, name_of, namespace_of
from demo.cluster.store import Change

ROOT_CA = "kube-root-ca.crt"
_ABOUT = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


class Accounts:
    """Both are made again when somebody deletes them."""

    def __init__(self, context: Context, authority: str) -> None:
        self._context = context
        self._authority = authority

    def react(self, change: Change) -> None:
        if change.resource is r.NAMESPACES and change.kind == "ADDED":
            self._later(name_of(change.found))
        defaults = {(r.SERVICE_ACCOUNTS, "default"), (r.CONFIG_MAPS, ROOT_CA)}
        if change.kind == "DELETED" and (change.resource, name_of(change.found)) in defaults:
            self._later(namespace_of(change.found))

    def _later(self, namespace: str) -> None:
        self._context.agenda.soon(lambda: self._make(namespace))

    def _make(self, namespace: str) -> None:
        store = self._context.registry.store
        place = store.get(r.NAMESPACES, "", namespace)
        if place is None or is_leaving(place):
            return
        metadata = {"name": ROOT_CA, "annotations": {"kubernetes.io/description": _ABOUT}}
        wanted = (
            (r.SERVICE_ACCOUNTS, {"metadata": {"name": "default"}}),
            (r.CONFIG_MAPS, {"metadata": metadata, "data": {"ca.crt": self._authority}}),
        )
        for resource, manifest in wanted:
            if store.get(resource, namespace, name_of(manifest)) is None:
                try:
                    self._context.registry.create(resource, namespace, manifest, MANAGER)
                except StatusError as error:
                    if error.code != HTTPStatus.FORBIDDEN:  # the namespace is going
                        raise
