"""`[cluster:]namespace/[kind/]name`, and what is refused."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.errors import WrongUsageError
from bot.model import Target
from bot.targets import KINDS, parse_target

NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("shop/checkout", Target(namespace="shop", name="checkout")),
        ("  `shop/checkout` ", Target(namespace="shop", name="checkout")),
        ("“shop/checkout”", Target(namespace="shop", name="checkout")),
        ("prod:shop/checkout", Target(cluster="prod", namespace="shop", name="checkout")),
        ("EU_1.prod:shop/po/checkout", Target(cluster="EU_1.prod", namespace="shop", kind="pod", name="checkout")),
        (
            "arn:aws:eks:eu-1:1:cluster/prod:shop/checkout",
            Target(cluster="arn:aws:eks:eu-1:1:cluster/prod", namespace="shop", name="checkout"),
        ),
        ("shop/Deploy/checkout.v2", Target(namespace="shop", kind="deployment", name="checkout.v2")),
        ("shop/sa/ci", Target(namespace="shop", kind="serviceaccount", name="ci")),
        ("ns/shop", Target(namespace="shop", kind="namespace", name="shop")),
        ("prod:Namespace/shop", Target(cluster="prod", namespace="shop", kind="namespace", name="shop")),
        ("shop/ns/shop", Target(namespace="shop", kind="namespace", name="shop")),
        ("ns/pod/checkout", Target(namespace="ns", kind="pod", name="checkout")),
        ("deploy/checkout", Target(namespace="deploy", name="checkout")),
    ],
)
def test_what_is_understood(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a part of it is empty"),
        ("``", "a part of it is empty"),
        ("shop/", "a part of it is empty"),
        ("/checkout", "a part of it is empty"),
        ("shop//checkout", "a part of it is empty"),
        ("prod:", "a part of it is empty"),
        (":shop/checkout", "cluster"),
        ("checkout", "does not say the namespace"),
        ("a/pod/b/c", "more than three parts"),
        ("Shop/checkout", "not a namespace's name"),
        ("shop.eu/checkout", "not a namespace's name"),
        ("shop/Checkout", "not an object's name"),
        ("shop/check_out", "not an object's name"),
        ("shop/-checkout", "not an object's name"),
        ("shop/check out", "not an object's name"),
        ("shop/checkout\n", None),
        (f"{'s' * 64}/checkout", "not a namespace's name"),
        (f"shop/{'c' * 254}", "not an object's name"),
        ("shop/gadget/checkout", "not a kind"),
    ],
)
def test_what_is_refused_says_how_to_write_it(text: str, said: str | None) -> None:
    if said is None:
        assert parse_target(text).name == "checkout"
        return
    with pytest.raises(WrongUsageError, match=said) as refused:
        parse_target(text)
    assert "shop/checkout-5d9c7b-x7k2p" in refused.value.next_step


@pytest.mark.parametrize("text", ["shop/ns/bank", "shop/namespace/bank"])
def test_a_namespace_is_inside_no_other(text: str) -> None:
    with pytest.raises(WrongUsageError, match="not inside namespace “shop”") as refused:
        parse_target(text)
    assert refused.value.next_step == "Write `namespace/bank` to have all of it checked."


def test_a_namespace_that_was_said_elsewhere_is_never_read_as_a_kind() -> None:
    assert parse_target("x", namespace="ns") == Target(namespace="ns", name="x")
    assert parse_target("deploy/x", namespace="ns") == Target(namespace="ns", kind="deployment", name="x")
    assert parse_target("ns/ns", namespace="ns") == Target(namespace="ns", kind="namespace", name="ns")


def test_a_long_mistake_is_not_repeated_in_full() -> None:
    with pytest.raises(WrongUsageError) as refused:
        parse_target(f"shop/{'C' * 5000}")
    assert len(str(refused.value)) < 200


@given(namespace=NAMES, name=NAMES, kind=st.sampled_from(["", *KINDS.values()]), cluster=st.one_of(st.just(""), NAMES))
def test_a_target_s_own_text_is_understood(namespace: str, name: str, kind: str, cluster: str) -> None:
    assume(kind or KINDS.get(namespace) != "namespace")
    name = namespace if kind == "namespace" else name
    target = Target(namespace=namespace, name=name, kind=kind, cluster=cluster)
    assert parse_target(str(target)) == target


@given(st.text())
def test_any_text_is_a_target_or_a_wrong_usage(text: str) -> None:
    try:
        target = parse_target(text)
    except WrongUsageError:
        return
    assert parse_target(str(target)) == target
