"""What is offered against each cause: exactly what would help it, and never a restart that would not."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from bot import objects
from bot.actions.offers import offers
from bot.diagnosis import CAUSES, diagnose
from bot.diagnosis.merging import Part, Unit, merged_findings
from bot.model import ActionKind, Facet, Offer, Report, Snapshot, Verdict
from tests.causes.cases import Case

RESTART, DELETE_POD = ActionKind.RESTART_WORKLOAD, ActionKind.DELETE_POD
CREATE, ROTATE = ActionKind.CREATE_TOKEN_SECRET, ActionKind.ROTATE_TOKEN_SECRET
DELETE_SECRET, REACTIVATE = ActionKind.DELETE_LEGACY_SECRET, ActionKind.REACTIVATE_LEGACY_TOKEN
PROBE = ActionKind.PROBE_TOKEN

HELPED: dict[str, tuple[set[ActionKind], str]] = {
    "service-account-recreated": ({RESTART, CREATE}, "new pods get the present account's token; its Secrets are gone"),
    "token-cached-in-process": ({RESTART}, "the process reads the present file at its start"),
    "extended-token-cliff": ({RESTART}, "the same, before the day comes"),
    "token-mounted-by-subpath": ({RESTART}, "the mount is made anew, good for one lifetime"),
    "token-in-environment": ({RESTART}, "the environment is read from the Secret anew"),
    "token-secret-replaced": ({RESTART}, "the container reads what the Secret holds now"),
    "token-secret-deleted": ({CREATE}, "a token lives as long as its Secret"),
    "legacy-token-invalidated": ({REACTIVATE}, "the label alone makes it invalid"),
    "secret-listed-on-service-account": ({REACTIVATE, DELETE_SECRET}, "still needed, or needed by nobody"),
    "token-secrets-readable": ({DELETE_SECRET}, "what is not there cannot be read"),
    "signing-key-unknown": ({ROTATE}, "a new Secret is signed with the present key, an old one never again"),
    "node-not-ready": ({DELETE_POD}, "its successor is made on another node"),
    "api-unauthorized": ({PROBE}, "it says whether the token or the cluster is at fault"),
}
NOT_HELPED = {
    "token-expired": "the kubelet refreshes a mounted one; a copy is kept elsewhere",
    "token-not-yet-valid": "two clocks disagree: a new token is as far ahead",
    "audience-mismatch": "a new pod asks for the same audience",
    "issuer-unknown": "the token is another issuer's, or the API server's flags have changed",
    "token-from-another-cluster": "the client asks the wrong cluster",
    "signature-invalid": "something damages the token on its way; whose it was is not known",
    "token-malformed": "the client sends something else than a token",
    "service-account-missing": "no new pod would be admitted, and the account is somebody's manifest",
    "service-account-terminating": "new tokens are refused too",
    "bound-object-gone": "a copy outlives its pod: whoever holds it must get one of their own",
    "bound-object-recreated": "the client reads an old copy: where from, nobody here knows",
    "token-not-mounted": "the pod template has to be changed",
    "audience-only-foreign": "the pod template has to be changed",
    "token-lifetime-capped": "the ceiling is the API server's",
    "rotation-stalled": "the kubelet of that node cannot refresh the next one either",
    "token-fetch-failed": "the kubelet cannot get the new pod's token either",
    "secret-unfilled": "nothing fills a new one either, and a restart is for afterwards",
    "secret-uid-mismatch": "the token controller is at fault: it would have deleted the Secret",
    "secret-wrong-type": "a type is never changed: its manifest has to be",
    "secret-service-account-missing": "the account has to be there first",
    "secret-terminating": "its name is taken until the finalizer ends",
    "kubeconfig-token-expired": "a restart reads the same Secret; its keeper has to renew it",
    "embedded-token-expiring": "the same: Argo CD, Sveltos and Flux differ",
    "kubeconfig-certificate-expiring": "the same",
    "embedded-token-refused": "the same",
    "embedded-credential-broken": "the same",
    "token-controller-down": "it is the control plane's",
    "token-controller-keyless": "it is the control plane's",
    "signing-keys-disagree": "a new token is refused by the same API server",
    "clock-skew-api-server": "a new token is as far ahead",
    "clock-skew-node": "the next token is refreshed as late",
    "api-server-flags-differ": "the next request may reach the other one",
    "issuer-discovery-broken": "the API server itself refuses nothing because of it",
    "oidc-misconfigured": "the issuer has to be reached",
    "webhook-authenticator-failing": "the webhook has to answer",
    "stale-tokens-in-use": "nobody knows whose they are: the audit log does",
    "rbac-denied": "the token is good",
    "no-token-sent": "a new pod sends none either",
    "api-server-unreachable": "no token is looked at",
    "another-validator": "that service has its own rules",
    "recovered": "it works",
    "failing-for-another-reason": "it is not the token",
    "pods-not-created": "a new pod is refused too",
    "default-service-account": "the pod template has to be changed",
    "legacy-secret-mounted": "the pod template has to be changed",
    "token-lifetime-long": "the pod template has to be changed",
    "bindings-too-wide": "a role has to be changed",
    "token-minting-granted": "a role has to be changed",
}


def test_each_cause_stands_on_one_side() -> None:
    assert HELPED.keys() | NOT_HELPED.keys() == CAUSES.keys()
    assert not HELPED.keys() & NOT_HELPED.keys()


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_its_remedies_name_what_helps(code: str) -> None:
    wanted, _ = HELPED.get(code, (set(), ""))
    assert {ActionKind(remedy.action) for remedy in CAUSES[code].remedies if remedy.action} == wanted


# --- on which object ----------------------------------------------------------------------------------------


def snapshot(recorded: str, *owners: str) -> Snapshot:
    """Recorded pods are bare: these owners stand above this one, from its own upwards."""
    found = Case(cause="", kind="fail", recorded=recorded).snapshot()
    if not owners or found.pod.value is None:
        return found
    references = tuple(
        objects.OwnerReference(kind=owners[0], name="web", uid="u-0", api_version="apps/v1", controller=True)
        for _ in owners[:1]
    )
    pod = replace(found.pod.value, metadata=replace(found.pod.value.metadata, owner_references=references))
    chain = tuple(
        objects.Named(kind=kind, metadata=objects.Meta(name="web", uid=f"u-{place}"))
        for place, kind in enumerate(owners)
    )
    return replace(found, pod=Facet(value=pod), owners=Facet(value=chain))


def report_of(recorded: str, *owners: str) -> Report:
    return diagnose(snapshot(recorded, *owners))


def kinds(made: Sequence[Offer]) -> list[ActionKind]:
    return [offer.kind for offer in made]


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_the_workload_is_restarted_and_not_the_pod(kind: str) -> None:
    above = ("ReplicaSet", kind) if kind == "Deployment" else (kind,)
    report = report_of("expired-and-cached", *above)
    (offer,) = offers(report)
    ref = offer.ref
    assert (offer.kind, ref.kind, ref.name, ref.uid) == (RESTART, kind, "web", f"u-{len(above) - 1}")
    assert (ref.api_version, ref.namespace, ref.cluster) == ("apps/v1", report.target.namespace, report.target.cluster)
    assert (offer.label, offer.cause) == (f"Restart {kind.lower()} web", "token-cached-in-process")


@pytest.mark.parametrize("owners", [("Job",), ("ReplicaSet", "Rollout"), ("ReplicaSet",), ("Job", "CronJob")])
def test_where_nothing_rolls_pods_out_the_pod_itself_goes(owners: tuple[str, ...]) -> None:
    report = report_of("expired-and-cached", *owners)
    assert [(offer.kind, offer.ref) for offer in offers(report)] == [(DELETE_POD, report.target)]


@pytest.mark.parametrize("owners", [(), ("Machine",)])
def test_what_nothing_is_known_to_bring_back_stays(owners: tuple[str, ...]) -> None:
    assert offers(report_of("expired-and-cached", *owners)) == ()


HELPED_BY_A_RESTART = (
    "account-recreated", "account-recreated-1.30", "account-recreated-in-a-crash-loop", "cached-without-extension",
    "expired-and-cached-exec", "past-the-cliff", "secret-replaced", "started-almost-a-year-ago", "subpath-mount",
    "token-in-environment", "vault-beside-an-expired-token",
)  # fmt: skip
NOT_HELPED_BY_A_RESTART = (
    "account-deleted", "account-terminating", "api-server-90-s-ahead", "api-server-90-s-behind",
    "argo-cd-token-expired-secret-data", "bound-pod-gone", "cluster-api-kubeconfig-expired-secret-data",
    "first-fetch-fails", "foreign-token-exec", "garbage-exec", "issuer-changed", "kubelet-stopped-refreshing-exec",
    "legacy-invalidated", "literal-token-beside-the-mounted-one", "mounted-kubeconfig-expired-secret-data",
    "new-revision-without-its-account", "node-20-min-slow-and-its-file-expired", "node-silent-for-3-hours",
    "not-yet-valid", "refresh-fails", "secret-deleted", "signs-with-another-key-secret-data",
    "sveltos-token-runs-out-secret-data", "two-api-servers-one-lacks-the-key", "wrong-audience", "healthy-plain",
)  # fmt: skip


@pytest.mark.parametrize("recorded", HELPED_BY_A_RESTART)
def test_a_restart_is_offered_where_it_helps(recorded: str) -> None:
    assert RESTART in kinds(offers(report_of(recorded, "ReplicaSet", "Deployment")))


@pytest.mark.parametrize("recorded", NOT_HELPED_BY_A_RESTART)
def test_and_never_where_it_is_useless(recorded: str) -> None:
    assert not {RESTART} & set(kinds(offers(report_of(recorded, "ReplicaSet", "Deployment"))))


def test_a_restart_of_a_workload_that_could_not_make_new_pods_is_not_offered() -> None:
    report = report_of("expired-and-cached", "ReplicaSet", "Deployment")
    assert RESTART in kinds(offers(report))
    for recorded in ("account-deleted", "account-terminating", "first-fetch-fails", "refused-by-a-limit"):
        beside = replace(report, findings=(*report.findings, *report_of(recorded).findings[:1]))
        assert RESTART not in kinds(offers(beside)), recorded


def test_what_another_cause_explains_is_not_mended_by_itself() -> None:
    """A slow node's expired file is a symptom: what would help a process that caches does not help here."""
    report = report_of("node-20-min-slow-and-its-file-expired-exec", "ReplicaSet", "Deployment")
    assert report.findings[0].symptoms
    assert offers(report) == ()


def test_a_deleted_secret_is_made_again_or_anew() -> None:
    report = report_of("secret-deleted", "ReplicaSet", "Deployment")
    made = offers(report)
    assert [(offer.kind, offer.ref.kind, offer.ref.name, dict(offer.parameters)) for offer in made] == [
        (CREATE, "ServiceAccount", "checkout", {"secret": "checkout-token"}),
        (CREATE, "ServiceAccount", "checkout", {}),
    ]
    assert all(offer.ref.uid for offer in made)
    assert [offer.label for offer in made] == ["Create Secret checkout-token again", "Create a new Secret for checkout"]


def test_a_secret_is_made_for_a_new_account_only_where_one_is_missing() -> None:
    assert kinds(offers(report_of("account-recreated", "ReplicaSet", "Deployment"))) == [RESTART]
    made = offers(report_of("account-recreated-and-secret-gone", "ReplicaSet", "Deployment"))
    assert kinds(made) == [RESTART, CREATE]
    assert made[1].parameters == {"secret": "checkout-token"}


def test_a_marked_secret_is_reactivated_by_its_uid() -> None:
    (offer,) = offers(report_of("legacy-invalidated"))
    assert (offer.kind, offer.ref.kind, offer.ref.name) == (REACTIVATE, "Secret", "checkout-token")
    assert offer.ref.uid


@pytest.mark.parametrize(
    ("recorded", "wanted"),
    [
        ("cleaner-is-due", [DELETE_SECRET]),
        ("cleaner-would-delete-soon", [REACTIVATE, DELETE_SECRET]),
        ("used-after-it-was-marked", [REACTIVATE]),
        ("tracking-is-young", []),
        ("healthy-marked-tomorrow-while-a-pod-mounts-it", []),
    ],
)
def test_only_what_is_known_to_be_unused_is_deleted(recorded: str, wanted: list[ActionKind]) -> None:
    assert kinds(offers(report_of(recorded))) == wanted


def test_a_silent_nodes_pod_is_deleted_only_where_another_node_gets_the_next() -> None:
    recorded = "node-silent-for-3-hours"
    assert kinds(offers(report_of(recorded, "ReplicaSet", "Deployment"))) == [DELETE_POD]
    assert offers(report_of(recorded, "StatefulSet")) == ()
    assert offers(report_of(recorded, "DaemonSet")) == ()


def test_an_unknown_reason_asks_for_a_probe() -> None:
    report = report_of("refused-and-no-reason-visible", "ReplicaSet", "Deployment")
    assert [(offer.kind, offer.ref, offer.cause) for offer in offers(report)] == [
        (PROBE, report.target, "api-unauthorized")
    ]


def test_of_many_pods_the_workload_is_offered_once_and_the_others_by_themselves() -> None:
    parts = []
    for name, uid, workload in (("a", "1", "web"), ("b", "2", "web"), ("c", "3", "db")):
        found = snapshot("expired-and-cached", "ReplicaSet", "Deployment")
        target = replace(found.target, name=name, uid=uid)
        above = tuple(
            replace(one, metadata=replace(one.metadata, name=workload, uid=f"{one.metadata.uid}-{workload}"))
            for one in found.owners.read()
        )
        parts.append(Part(name, diagnose(replace(found, target=target, owners=Facet(value=above)))))
    first = parts[0].report
    whole = replace(first, findings=merged_findings(parts, Unit("pod", "pods")))
    assert [offer.label for offer in offers(whole)] == ["Restart deployment web", "Restart deployment db"]


def test_nothing_found_offers_nothing() -> None:
    report = report_of("healthy-plain", "ReplicaSet", "Deployment")
    assert report.verdict is Verdict.HEALTHY
    assert offers(report) == ()
