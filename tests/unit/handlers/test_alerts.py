"""Targets in what other apps and people write: the words are theirs, and none of them may be believed too much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.alerts import MOST, targets_in

POD = "checkout-5d9c7b4f6-x7k2p"
TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6IkFBQSJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl"


def found(text: str, *clusters: str) -> list[str]:
    return [str(target) for target in targets_in({"text": text}, clusters)]


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        (f'namespace="shop" pod="{POD}" severity=critical', [f"shop/pod/{POD}"]),
        (f'{{alertname="X", container="app", namespace="shop", pod="{POD}"}}', [f"shop/pod/{POD}"]),
        ('{deployment="web", namespace="pay"}', ["pay/deployment/web"]),
        ("- namespace = shop\n- statefulset = db", ["shop/statefulset/db"]),
        ('{"namespace":"shop","pod":"db-0"}', ["shop/pod/db-0"]),
        ("*Namespace:* `shop`\n*Pod:* `db-0`", ["shop/pod/db-0"]),
        ("exported_namespace=shop exported_pod=db-0", ["shop/pod/db-0"]),
        ("namespace=shop service_account=ci", ["shop/serviceaccount/ci"]),
        ("namespace=a pod=p-1\nnamespace=b pod=p-2", ["a/pod/p-1", "b/pod/p-2"]),
        ("namespace=shop pod=p-1 pod=p-2", ["shop/pod/p-1", "shop/pod/p-2"]),
        ('User "system:serviceaccount:shop:ci" cannot list', ["shop/serviceaccount/ci"]),
        ("kubectl -n shop logs deploy/checkout", ["shop/deployment/checkout"]),
        ("kubectl logs --namespace=shop sts/db", ["shop/statefulset/db"]),
        (f"pod {POD} in namespace shop answers 401", [f"shop/pod/{POD}"]),
        (f"shop/{POD} is failing", [f"shop/{POD}"]),
        ("shop/db-0 and shop/deployment/web are failing", ["shop/deployment/web", "shop/db-0"]),
        ("all of ns/shop", ["shop/namespace/shop"]),
        (f"namespace=shop pod={POD} and shop/{POD}", [f"shop/pod/{POD}"]),
        ("Job: checkout, instance=10.0.0.1:8080, job=kubelet", []),
        ("image shop/checkout:1.4, application/json, and/or, 24/7", []),
        ("https://grafana.example/d/shop/pod/db-0?var-namespace=shop&var-pod=db-0", []),
        ("<https://alerts.example/?q=namespace%3Dshop|shop/pod/db-0>", ["shop/pod/db-0"]),
        ("namespace=UPPER pod=..", []),
        (f"{POD} is failing", []),
        ("", []),
    ],
)
def test_what_a_message_names(text: str, targets: list[str]) -> None:
    assert found(text) == targets


def test_a_cluster_counts_only_where_it_exists() -> None:
    text = "cluster=PROD namespace=shop pod=db-0"
    assert found(text, "prod") == ["prod:shop/pod/db-0"]
    assert found(text, "stage") == ["shop/pod/db-0"]


def test_attachments_and_blocks_are_read_too() -> None:
    """Alertmanager writes attachments, whose fields have a title and a value."""
    fields = [{"title": "namespace", "value": "shop", "short": True}, {"title": "Pod", "value": "db-0"}]
    assert [str(one) for one in targets_in({"text": "", "attachments": [{"fields": fields}]}, ())] == ["shop/pod/db-0"]
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "shop/deployment/web"}}
    leaf = {"type": "text", "text": "shop/pod/db-0"}
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [leaf]}]}
    named = [str(one) for one in targets_in({"blocks": [section, rich]}, ())]
    assert named == ["shop/deployment/web", "shop/pod/db-0"]


def test_no_more_than_five_are_offered() -> None:
    assert len(found(" ".join(f"shop/pod/p-{number}" for number in range(40)))) == MOST


def test_a_token_is_no_target() -> None:
    assert TOKEN[:12].lower() not in str(found(f"namespace=shop pod={TOKEN} shop/pod/{TOKEN}")).lower()


nested = st.recursive(
    st.text(max_size=40) | st.none() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["text", "blocks", "fields"]), inner, max_size=3)
    ),
)


@given(st.dictionaries(st.sampled_from(["text", "blocks", "attachments"]), nested, max_size=3))
def test_any_message_is_read_without_breaking(message: dict[str, object]) -> None:
    assert len(targets_in(message, ("prod",))) <= MOST


def test_a_message_made_to_take_long_does_not() -> None:
    for hostile in ("namespace=" + "a-" * 50_000, "shop/" + "a." * 50_000, "a-bcdfgh-" * 20_000, "pod: " * 20_000):
        found(hostile)
    assert found("-n shop " * 5_000 + "pod/db-0") == []
