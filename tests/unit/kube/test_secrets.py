"""Secrets without their data, and what is found in it where that route is on: each failure is told, nothing leaks."""

import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from bot.kube.client import Cluster, connect
from bot.kube.facets.gather import gather
from bot.model import TOKEN_TYPE, EmbeddedCredential, GapKind, Layout, ObjectRef, Routes, Snapshot
from tests.unit import jwts
from tests.unit.kube.fake_api import (
    ACCOUNT_PATH,
    NAMESPACE,
    POD_PATH,
    Answer,
    FakeApi,
    Json,
    forbids,
    healthy,
    in_table,
    listed,
    named,
    pod,
    refuses,
    says,
    secret,
    served,
    table,
)

SHOP = f"/api/v1/namespaces/{NAMESPACE}"
SECRETS = f"{SHOP}/secrets"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
TRACKING = "/api/v1/namespaces/kube-system/configmaps/kube-apiserver-legacy-service-account-token-tracking"
OF_CHECKOUT = {"annotations": {"kubernetes.io/service-account.name": "checkout"}}
ACCEPTED = {"status": {"authenticated": True, "user": {"username": "system:serviceaccount:shop:checkout"}}}
TOKEN = jwts.token(jwts.BOUND)
OFF, DATA = Routes(), Routes(secret_data=True)
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"


async def read(
    cluster: Cluster, kind: str, name: str, *, routes: Routes = OFF, others: Sequence[Cluster] = ()
) -> Snapshot:
    ref = ObjectRef(cluster="here", api_version="v1", kind=kind, namespace=NAMESPACE, name=name)
    now = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
    return await gather(cluster, ref, routes=routes, deadline_seconds=10, log_lines=10, others=others, now=lambda: now)


def token_secret(name: str, keys: int = 3, **metadata: object) -> dict[str, object]:
    return in_table(name, TOKEN_TYPE, keys, **{**OF_CHECKOUT, **metadata})


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def kubeconfig(server: str, *, token: str = TOKEN, authority: str = "") -> str:
    """In base64."""
    cluster = {"server": server, "certificate-authority-data": b64(authority)}
    return b64(
        json.dumps(
            {
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": cluster}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "admin"}}],
                "users": [{"name": "admin", "user": {"token": token}}],
            }
        )
    )


# --- without the data ---------------------------------------------------------------------------------------


async def test_a_secret_s_type_and_keys_are_known_without_its_data(api: FakeApi, cluster: Cluster) -> None:
    managed = [
        {"manager": "kubectl", "fieldsV1": {"f:data": {".": {}, "f:ca.crt": {}}, "f:type": {}}},
        {"manager": "kube-controller-manager", "fieldsV1": {"f:data": {"f:ca.crt": {}, "f:token": {}}}},
    ]
    api.on(f"{SECRETS}/ci", says(table(in_table("ci", TOKEN_TYPE, 2, managedFields=managed))))

    (found,) = (await read(cluster, "Secret", "ci")).secrets.read()

    assert (found.type, found.keys, found.key_names) == (TOKEN_TYPE, 2, ("ca.crt", "token"))
    assert (found.holds("token"), found.holds("namespace")) == (True, False)
    assert {request.headers["Accept"] for request in api.asked(f"{SECRETS}/ci")} == {TABLE}
    assert {request.query_string for request in api.asked(f"{SECRETS}/ci")} == {"includeObject=Metadata"}


async def test_names_that_do_not_make_up_the_number_are_not_all(api: FakeApi, cluster: Cluster) -> None:
    managed = [{"manager": "kubectl", "fieldsV1": {"f:data": {"f:ca.crt": {}}}}]
    api.on(f"{SECRETS}/ci", says(table(in_table("ci", TOKEN_TYPE, 2, managedFields=managed))))
    (found,) = (await read(cluster, "Secret", "ci")).secrets.read()
    assert (found.key_names, found.holds("token")) == ((), None)


async def test_a_list_of_several_pages_is_read_whole(api: FakeApi, cluster: Cluster) -> None:
    api.on(SECRETS, says(table(token_secret("a"), following="2")), says(table(token_secret("b"))))
    snapshot = await read(cluster, "ServiceAccount", "checkout")
    assert [found.metadata.name for found in snapshot.token_secrets.read()] == ["a", "b"]
    assert [request.query.get("continue") for request in api.asked(SECRETS)] == [None, "2"]


@pytest.mark.parametrize(
    "answer",
    [
        says({"kind": "Table", "columnDefinitions": [{"name": "Name"}], "rows": [{"cells": ["ci"], "object": {}}]}),
        says({"columnDefinitions": [{"name": "Type"}, {"name": "Data"}], "rows": [{"cells": [], "object": {}}]}),
        says({"columnDefinitions": [{"name": "Type"}, {"name": "Data"}], "rows": []}),
        says({**named("ci"), "data": {"token": b64(TOKEN)}}),
        refuses(406, "only the following media types are accepted"),
    ],
    ids=["columns", "cells", "no-rows", "no-table", "406"],
)
async def test_an_answer_that_is_no_table_is_a_gap(api: FakeApi, cluster: Cluster, answer: Answer) -> None:
    api.on(f"{SECRETS}/ci", answer)
    snapshot = await read(cluster, "Secret", "ci")
    assert snapshot.secrets.gap is not None
    assert snapshot.secrets.gap.kind is GapKind.UNAVAILABLE
    assert TOKEN not in repr(snapshot)


async def test_a_secret_that_was_deleted_meanwhile_is_unavailable(cluster: Cluster) -> None:
    gap = (await read(cluster, "Secret", "ci")).secrets.gap
    assert gap is not None
    assert "deleted since" in gap.reason


async def test_a_denied_list_spoils_an_account_s_answer_and_not_a_pod_s(api: FakeApi, cluster: Cluster) -> None:
    api.on(SECRETS, forbids("list", "secrets"))

    account = (await read(cluster, "ServiceAccount", "checkout")).secrets.gap
    assert account is not None
    assert account.kind is GapKind.DENIED
    assert account.rule is not None
    assert (await read(cluster, "Pod", "checkout-1")).secrets.read() == ()


async def test_the_accounts_of_its_secrets_are_read_and_the_target_s_own_once(api: FakeApi, cluster: Cluster) -> None:
    api.on(SECRETS, says(table(token_secret("a"), token_secret("b"))))
    snapshot = await read(cluster, "ServiceAccount", "checkout")
    assert [(one.name, one.account is not None) for one in snapshot.secret_accounts.read()] == [("checkout", True)]
    assert len(api.asked(ACCOUNT_PATH)) == 1

    api.on(f"{SECRETS}/ci", says(table(token_secret("ci", annotations={"kubernetes.io/service-account.name": "gone"}))))
    (one,) = (await read(cluster, "Secret", "ci")).secret_accounts.read()
    assert (one.name, one.account) == ("gone", None)


async def test_every_way_to_use_a_secret_counts(api: FakeApi, cluster: Cluster) -> None:
    env = {"name": "A", "value": TOKEN, "valueFrom": {"secretKeyRef": {"name": "ci", "key": "a"}}}
    ways: Mapping[str, Json] = {
        "volume": {"volumes": [{"name": "v", "secret": {"secretName": "ci"}}]},
        "projected": {"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "ci"}}]}}]},
        "driver": {"volumes": [{"name": "v", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "ci"}}}]},
        "variable": {"containers": [{"name": "c", "env": [env]}]},
        "whole": {"initContainers": [{"name": "c", "envFrom": [{"secretRef": {"name": "ci"}}]}]},
        "pull": {"imagePullSecrets": [{"name": "ci"}]},
    }
    others = [{**named("other"), "spec": {"volumes": [{"name": "v", "secret": {"secretName": "db"}}, {"name": "w"}]}}]
    api.on(f"{SHOP}/pods", says(listed(*({**named(name), "spec": spec} for name, spec in ways.items()), *others)))
    api.on(f"{SECRETS}/ci", says(table(in_table("ci", "Opaque", 1))))

    (users,) = (await read(cluster, "Secret", "ci")).secret_users.read()

    assert (users.secret, users.count) == ("ci", 6)
    assert users.pods == tuple(sorted(ways))


async def test_tracking_is_asked_for_only_where_the_cleaner_may_come(api: FakeApi, cluster: Cluster) -> None:
    api.on(SECRETS, says(table(token_secret("a"))))
    assert (await read(cluster, "ServiceAccount", "checkout")).token_tracking.read() is None
    assert api.asked(TRACKING) == []

    api.on(ACCOUNT_PATH, says({**named("checkout"), "secrets": [{"name": "a"}]}))
    assert (await read(cluster, "ServiceAccount", "checkout")).token_tracking.read() is None  # 404: not tracked

    api.on(TRACKING, says({"metadata": {"name": "t"}, "data": {"since": "2025-01-31"}}))
    found = (await read(cluster, "ServiceAccount", "checkout")).token_tracking.read()
    assert found is not None
    assert found.since == date(2025, 1, 31)

    api.on(TRACKING, forbids("get", "configmaps", namespace="kube-system"))
    gap = (await read(cluster, "ServiceAccount", "checkout")).token_tracking.gap
    assert gap is not None
    assert gap.kind is GapKind.DENIED


# --- with it ------------------------------------------------------------------------------------------------


@pytest.fixture
async def elsewhere() -> AsyncIterator[FakeApi]:
    fake = FakeApi()
    healthy(fake)
    fake.on("/openid/v1/jwks", says({"keys": [{"kid": "key-2"}]}))
    fake.on(REVIEWS, says(ACCEPTED, 201))
    server = await served(fake)
    yield fake
    await server.close()


@pytest.fixture
async def other(elsewhere: FakeApi, tmp_path: Path) -> AsyncIterator[Cluster]:
    folder = tmp_path / "other"
    folder.mkdir()
    connected = await connect("other", kubeconfig=elsewhere.kubeconfig(folder))
    yield connected
    await connected.close()


async def one_in(
    api: FakeApi, cluster: Cluster, config: str, others: Sequence[Cluster] = ()
) -> tuple[Snapshot, EmbeddedCredential]:
    api.on(f"{SECRETS}/deployer", secret("deployer", {"kubeconfig": config}))
    snapshot = await read(cluster, "Secret", "deployer", routes=DATA, others=others)
    (found,) = snapshot.embedded.read()
    return snapshot, found


async def test_a_token_for_this_cluster_is_judged_here_and_dropped(api: FakeApi, cluster: Cluster) -> None:
    api.on(REVIEWS, says(ACCEPTED, 201))

    snapshot, found = await one_in(api, cluster, kubeconfig(f"{api.url}/"))

    assert (found.place, found.layout) == ("Secret deployer, key kubeconfig, user admin", Layout.KUBECONFIG)
    assert (found.cluster, found.certain, found.is_accepted) == ("here", True, True)
    written = msgspec.json.encode(snapshot).decode()
    for text in (written, repr(snapshot)):
        assert TOKEN not in text
        assert TOKEN.split(".")[1] not in text
        assert b64(TOKEN)[:40] not in text


@pytest.mark.parametrize("server", ["https://kubernetes.default.svc", "https://kubernetes.default.svc:443/"])
async def test_the_address_inside_a_cluster_means_this_one(api: FakeApi, cluster: Cluster, server: str) -> None:
    api.on(REVIEWS, says(ACCEPTED, 201))
    _, found = await one_in(api, cluster, kubeconfig(server))
    assert (found.cluster, found.certain) == ("here", True)


async def test_a_key_says_whose_token_it_is(api: FakeApi, cluster: Cluster, other: Cluster, elsewhere: FakeApi) -> None:
    token = jwts.token(jwts.BOUND, {"alg": "RS256", "kid": "key-2"})

    _, found = await one_in(api, cluster, kubeconfig("https://10.0.0.9:6443", token=token), [other])

    assert (found.cluster, found.certain, found.is_accepted) == ("other", True, True)
    assert len(elsewhere.asked(REVIEWS)) == 1
    assert api.asked(REVIEWS) == []


async def test_a_shared_authority_alone_is_not_certain(api: FakeApi, cluster: Cluster, other: Cluster) -> None:
    bundle = "-----BEGIN CERTIFICATE-----\nQUJD\nREVG\n-----END CERTIFICATE-----\n"
    other.main.server = msgspec.structs.replace(other.main.server, authority=bundle)
    config = kubeconfig("https://10.0.0.9:6443", authority=f"# of the company\n{bundle}")

    _, found = await one_in(api, cluster, config, [other])

    assert (found.cluster, found.certain) == ("other", False)


async def test_a_token_of_no_configured_cluster_is_handed_to_nobody(
    api: FakeApi, cluster: Cluster, other: Cluster, elsewhere: FakeApi
) -> None:
    snapshot, found = await one_in(api, cluster, kubeconfig("https://10.0.0.9:6443"), [other])

    assert (found.cluster, found.reviews) == ("", ())
    assert found.claims is not None
    assert api.asked(REVIEWS) == elsewhere.asked(REVIEWS) == []
    missing = snapshot.embedded.missing
    assert missing is not None
    assert missing.kind is GapKind.UNOBSERVABLE
    assert "https://10.0.0.9:6443" in missing.reason
    assert "`clusters`" in missing.mend


async def test_a_review_that_is_denied_leaves_what_was_decoded(api: FakeApi, cluster: Cluster) -> None:
    api.on(REVIEWS, forbids("create", "tokenreviews", "authentication.k8s.io", namespace=""))

    snapshot, found = await one_in(api, cluster, kubeconfig(api.url))

    assert found.claims is not None
    assert "may not create tokenreviews" in found.unasked
    missing = snapshot.embedded.missing
    assert missing is not None
    assert missing.kind is GapKind.DENIED


async def test_another_cluster_that_does_not_answer_spoils_nothing(
    api: FakeApi, cluster: Cluster, other: Cluster, elsewhere: FakeApi
) -> None:
    elsewhere.on(REVIEWS, refuses(500, "etcdserver: leader changed"))

    snapshot, found = await one_in(api, cluster, kubeconfig(elsewhere.url), [other])

    assert (found.cluster, found.reviews) == ("other", ())
    assert "cluster other was not asked" in found.unasked
    assert snapshot.embedded.missing is not None
    assert not snapshot.embedded.missing.kind.spoils


async def test_a_marked_secret_s_token_is_not_reviewed(api: FakeApi, cluster: Cluster) -> None:
    """A review would move the label of its last use, and look like somebody's."""
    labels = {"kubernetes.io/legacy-token-invalid-since": "2026-01-01"}
    data = {"token": b64(jwts.token(jwts.LEGACY))}
    api.on(f"{SECRETS}/ci", secret("ci", data, TOKEN_TYPE, labels=labels))
    (found,) = (await read(cluster, "Secret", "ci", routes=DATA)).embedded.read()
    assert (found.layout, found.cluster, found.reviews) == (Layout.TOKEN_SECRET, "here", ())
    assert api.asked(REVIEWS) == []


async def test_data_is_asked_for_only_where_it_may_hold_one(api: FakeApi, cluster: Cluster) -> None:
    """Not of an empty Secret, not of a registry's, and of a pod's token Secret only once."""
    names = ("empty", "registry", "ci", "deployer")
    volumes = [{"name": name, "secret": {"secretName": name}} for name in names]
    api.on(POD_PATH, says(pod(volumes=volumes)))
    api.on(REVIEWS, says(ACCEPTED, 201))
    api.on(f"{SECRETS}/empty", secret("empty", {}))
    api.on(f"{SECRETS}/registry", secret("registry", {"a": "AAAA"}, "kubernetes.io/dockerconfigjson"))
    api.on(f"{SECRETS}/ci", secret("ci", {"token": b64(jwts.token(jwts.LEGACY))}, TOKEN_TYPE, **OF_CHECKOUT))
    api.on(f"{SECRETS}/deployer", secret("deployer", {"kubeconfig": kubeconfig(api.url)}))

    snapshot = await read(cluster, "Pod", "checkout-1", routes=DATA)

    assert [found.secret for found in snapshot.embedded.read()] == ["deployer"]
    whole = {
        name: sum(request.headers["Accept"] != TABLE for request in api.asked(f"{SECRETS}/{name}")) for name in names
    }
    assert whole == {"empty": 0, "registry": 0, "ci": 1, "deployer": 1}


async def test_a_large_secret_is_parsed_all_the_same(api: FakeApi, cluster: Cluster) -> None:
    api.on(REVIEWS, says(ACCEPTED, 201))
    data = {"kubeconfig": kubeconfig(api.url), "padding": b64("x" * 100_000)}
    api.on(f"{SECRETS}/deployer", secret("deployer", data))
    (found,) = (await read(cluster, "Secret", "deployer", routes=DATA)).embedded.read()
    assert found.is_accepted
