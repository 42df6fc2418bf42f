"""Who has to see to an object, as far as it says so itself. Pure.

The order, the first that is there counts:

1. the label, else the annotation, that names people: `owner`, `team`, `a8r.io/owner`, `contact`;
2. the object that controls it (ownerReferences);
3. what delivers it: Argo CD's application, Flux's Kustomization or HelmRelease, Helm's release;
4. the label `app.kubernetes.io/part-of`, `app.kubernetes.io/instance` or `app.kubernetes.io/managed-by`;
5. the field manager that wrote it first, unless that is the control plane itself.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from msgspec import field

from bot import objects
from bot.objects import KubeStruct
from bot.redact import redact_line

_LONGEST = 80
_MOST_REMEMBERED = 1024
_CONTROL_PLANE = frozenset({"kube-controller-manager", "kube-apiserver", "kube-scheduler", "kubelet", "token-doctor"})


class Labels(objects.Labels, frozen=True, kw_only=True):
    """The labels that say whose an object is."""

    owner: str = ""
    team: str = ""
    argo_cd: str = field(default="", name="argocd.argoproj.io/instance")
    kustomization: str = field(default="", name="kustomize.toolkit.fluxcd.io/name")
    helm_release: str = field(default="", name="helm.toolkit.fluxcd.io/name")
    part_of: str = field(default="", name="app.kubernetes.io/part-of")
    instance: str = field(default="", name="app.kubernetes.io/instance")
    managed_by: str = field(default="", name="app.kubernetes.io/managed-by")


class Annotations(objects.Annotations, frozen=True, kw_only=True):
    """The annotations that do."""

    owner: str = ""
    team: str = ""
    a8r_owner: str = field(default="", name="a8r.io/owner")
    contact: str = ""
    argo_cd: str = field(default="", name="argocd.argoproj.io/tracking-id")
    helm: str = field(default="", name="meta.helm.sh/release-name")


class Managed(KubeStruct, frozen=True, kw_only=True):
    """An entry of managedFields."""

    manager: str = ""


class Meta(objects.Meta, frozen=True, kw_only=True):
    """An object's metadata, with what says whose it is."""

    labels: Labels = Labels()
    annotations: Annotations = Annotations()


class Signs(NamedTuple):
    """All that may say whose an object is: kept as it was read, and looked at when somebody wants to know."""

    labels: Labels
    annotations: Annotations
    controller: str = ""
    writer: str = ""


def signs_of(meta: Meta, managers: Sequence[Managed] = ()) -> Signs:
    controller = next((f"{owner.kind} {owner.name}" for owner in meta.owner_references if owner.controller), "")
    writer = next((one.manager for one in managers if one.manager not in _CONTROL_PLANE), "")
    return Signs(meta.labels, meta.annotations, controller, writer)


@lru_cache(_MOST_REMEMBERED)
def owner_by(signs: Signs) -> str:
    """A name, with what kind of name it is where that is not plain; "" where nothing says."""
    return next((_shown(found) for found in _names(signs) if found.strip()), "")


def _names(signs: Signs) -> Iterator[str]:
    labels, annotations = signs.labels, signs.annotations
    yield from (labels.owner, labels.team)
    yield from (annotations.owner, annotations.team, annotations.a8r_owner, annotations.contact)
    yield signs.controller
    application = annotations.argo_cd.partition(":")[0] or labels.argo_cd
    yield from _called("Argo CD application", application)
    yield from _called("Flux Kustomization", labels.kustomization)
    yield from _called("Flux HelmRelease", labels.helm_release)
    yield from _called("Helm release", annotations.helm)
    yield from (labels.part_of, labels.instance)
    yield from _called("managed by", labels.managed_by)
    yield from _called("written by", signs.writer)


def _called(what: str, name: str) -> Iterator[str]:
    if name:
        yield f"{what} {name}"


def _shown(text: str) -> str:
    """Anybody may have written it: one line, short, without tokens."""
    return redact_line(text, _LONGEST)
