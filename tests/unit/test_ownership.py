"""Whose an object is: the first that says so, in the documented order."""

import msgspec
import pytest

from bot.ownership import Managed, Meta, owner_by, signs_of
from tests.unit import jwts

LABELS = {
    "owner": "jane",
    "team": "payments",
    "argocd.argoproj.io/instance": "shop",
    "kustomize.toolkit.fluxcd.io/name": "apps",
    "helm.toolkit.fluxcd.io/name": "web",
    "app.kubernetes.io/part-of": "webshop",
    "app.kubernetes.io/instance": "webshop-1",
    "app.kubernetes.io/managed-by": "Helm",
}
ANNOTATIONS = {
    "owner": "john",
    "team": "cart",
    "a8r.io/owner": "@cart",
    "contact": "cart@example.com",
    "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:cart/cart",
    "meta.helm.sh/release-name": "cart",
}
CONTROLLER = {"kind": "Deployment", "name": "cart", "uid": "u", "controller": True}
ORDER: tuple[tuple[dict[str, str], str, str], ...] = (
    (LABELS, "owner", "jane"),
    (LABELS, "team", "payments"),
    (ANNOTATIONS, "owner", "john"),
    (ANNOTATIONS, "team", "cart"),
    (ANNOTATIONS, "a8r.io/owner", "@cart"),
    (ANNOTATIONS, "contact", "cart@example.com"),
    ({}, "", "Deployment cart"),
    (ANNOTATIONS, "argocd.argoproj.io/tracking-id", "Argo CD application shop"),
    (LABELS, "argocd.argoproj.io/instance", "Argo CD application shop"),
    (LABELS, "kustomize.toolkit.fluxcd.io/name", "Flux Kustomization apps"),
    (LABELS, "helm.toolkit.fluxcd.io/name", "Flux HelmRelease web"),
    (ANNOTATIONS, "meta.helm.sh/release-name", "Helm release cart"),
    (LABELS, "app.kubernetes.io/part-of", "webshop"),
    (LABELS, "app.kubernetes.io/instance", "webshop-1"),
    (LABELS, "app.kubernetes.io/managed-by", "managed by Helm"),
)


def owner(labels: dict[str, str], annotations: dict[str, str], *, controlled: bool, managers: tuple[str, ...]) -> str:
    owners = [{**CONTROLLER, "controller": False, "name": "bystander"}, *([CONTROLLER] if controlled else [])]
    document = {"name": "x", "labels": labels, "annotations": annotations, "ownerReferences": owners}
    return owner_by(signs_of(msgspec.convert(document, Meta), tuple(Managed(manager=name) for name in managers)))


@pytest.mark.parametrize("place", range(len(ORDER) + 1))
def test_the_first_that_is_there_counts(place: int) -> None:
    """Of all signs but those before this one."""
    left = ORDER[place:]
    labels = {
        key: value for key, value in LABELS.items() if any(sign is LABELS and key == name for sign, name, _ in left)
    }
    annotations = {
        key: value
        for key, value in ANNOTATIONS.items()
        if any(sign is ANNOTATIONS and key == name for sign, name, _ in left)
    }
    found = owner(
        labels, annotations, controlled=place <= 6, managers=("kube-controller-manager", "kubectl-create", "helm")
    )
    assert found == (left[0][2] if left else "written by kubectl-create")


def test_the_control_plane_owns_nothing() -> None:
    assert owner({}, {}, controlled=False, managers=("kube-controller-manager", "kube-apiserver")) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\nb\tc", "a b c"), (" ", ""), ("x" * 200, "x" * 79 + "…"), (jwts.token(jwts.BOUND), "[token removed]")],
)
def test_what_anybody_may_have_written_is_made_safe(text: str, shown: str) -> None:
    assert owner({}, {"contact": text}, controlled=False, managers=()) == shown
