"""Whose the API server's lines are: no such line names its client."""

from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from bot.diagnosis.rejections import of_server_logs
from bot.diagnosis.signals import Signal, SignalKind
from bot.model import Certainty, ContainerLog, LogLine
from tests.causes.cases import Case

SNAPSHOT = Case(cause="", kind="pass", recorded="refused-and-no-reason-visible").snapshot()
NOW = SNAPSHOT.taken_at
EXPIRED = 'E1122 1 authentication.go:75] "Unable to authenticate the request" err="[invalid bearer token, {}]"'.format(
    "service account token has expired"
)
AUDIENCE = EXPIRED.replace(
    "service account token has expired", 'token audiences [\\"vault\\"] is invalid for the target audiences []'
)


def refusals(*seconds: float) -> list[Signal]:
    return [
        Signal(kind=SignalKind.UNAUTHORIZED, container="app", text="401", at=NOW - timedelta(seconds=ago))
        for ago in seconds
    ]


def server(name: str, text: str, *seconds: float) -> ContainerLog:
    lines = tuple(LogLine(text=text, at=NOW - timedelta(seconds=ago)) for ago in seconds)
    return ContainerLog(container="kube-apiserver", pod=name, lines=lines)


def causes(logs: Sequence[ContainerLog], refused: Sequence[Signal]) -> set[tuple[str, Certainty]]:
    return {(found.message.cause, found.certainty) for found in of_server_logs(SNAPSHOT, logs, refused)}


def test_refusals_spread_over_three_api_servers_are_one_pods() -> None:
    logs = [server("a", EXPIRED, 300), server("b", EXPIRED, 200), server("c", EXPIRED, 100)]
    assert causes(logs, refusals(300, 200, 100)) == {("token-expired", Certainty.LIKELY)}


def test_one_line_answers_for_one_refusal_only() -> None:
    assert causes([server("a", EXPIRED, 100)], refusals(101, 100.5, 100)) == set()


def test_lines_of_other_seconds_are_somebody_elses() -> None:
    assert causes([server("a", EXPIRED, 310, 210, 110)], refusals(300, 200, 100)) == set()


def test_two_reasons_that_fit_as_well_are_only_possible() -> None:
    logs = [server("a", EXPIRED, 300, 200), server("b", AUDIENCE, 300, 200)]
    assert causes(logs, refusals(300, 200)) == {
        ("token-expired", Certainty.POSSIBLE),
        ("audience-mismatch", Certainty.POSSIBLE),
    }


def test_each_container_has_its_own_reason() -> None:
    logs = [server("a", EXPIRED, 300, 200), server("a", AUDIENCE, 290, 190)]
    other = [replace(signal, container="worker") for signal in refusals(290, 190)]
    found = [*of_server_logs(SNAPSHOT, logs, [*refusals(300, 200), *other])]
    assert {(one.container, one.message.cause, one.certainty) for one in found} == {
        ("app", "token-expired", Certainty.LIKELY),
        ("worker", "audience-mismatch", Certainty.LIKELY),
    }


def test_a_line_that_quotes_the_pods_uid_counts_only_where_the_pod_is_refused() -> None:
    uid = SNAPSHOT.pod.read().metadata.uid
    text = EXPIRED.replace("service account token has expired", f"Pod UID ({uid}) does not match claim (old)")
    assert causes([server("a", text, 900)], refusals(100)) == {("bound-object-recreated", Certainty.LIKELY)}
    assert causes([server("a", text, 900)], []) == set()
    other = text.replace(uid, "11111111-0000-0000-0000-000000000000")
    assert causes([server("a", other, 900)], refusals(100)) == set()


def test_a_name_counts_only_with_its_namespace() -> None:
    name = SNAPSHOT.pod.read().spec.service_account_name
    text = EXPIRED.replace("service account token has expired", f"service account elsewhere/{name} has been deleted")
    assert causes([server("a", text, 900)], refusals(100)) == set()
    mine = text.replace("elsewhere", SNAPSHOT.target.namespace)
    assert causes([server("a", mine, 900)], refusals(100)) == {("service-account-terminating", Certainty.LIKELY)}
