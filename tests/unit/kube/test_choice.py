"""Which of many pods are examined."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from bot.kube.choice import choose, still_there
from bot.objects import ContainerState, ContainerStatus, Meta, OwnerReference, Pod, PodSpec, PodStatus, Running

BORN = datetime(2026, 11, 22, tzinfo=UTC)


def pod(  # each has a default
    name: str,
    *,
    ready: bool = True,
    restarts: int = 0,
    revision: str = "web-1",
    node: str = "node-1",
    age: int = 1,
    phase: str = "Running",
    restart_policy: str = "Always",
) -> Pod:
    status = ContainerStatus(
        name="app", ready=ready, restart_count=restarts, state=ContainerState(running=Running(started_at=BORN))
    )
    owner = OwnerReference(kind="ReplicaSet", name=revision, uid=revision, controller=True)
    return Pod(
        metadata=Meta(name=name, creation_timestamp=BORN - timedelta(hours=age), owner_references=(owner,)),
        spec=PodSpec(node_name=node, restart_policy=restart_policy),
        status=PodStatus(phase=phase, container_statuses=(status,)),
    )


def names(pods: tuple[Pod, ...]) -> list[str]:
    return [each.metadata.name for each in pods]


def test_as_many_as_fit_are_all_taken() -> None:
    pods = [pod("b"), pod("a")]
    assert names(choose(pods, 2)) == ["b", "a"]


def test_those_in_trouble_come_first_and_the_worst_of_them() -> None:
    pods = [pod(f"well-{number}") for number in range(9)]
    pods += [pod("restarted", restarts=1), pod("often", restarts=7), pod("waiting", ready=False)]
    assert names(choose(pods, 4))[:2] == ["waiting", "often"]
    assert names(choose(pods, 6))[:3] == ["waiting", "often", "restarted"]


def test_places_are_left_for_those_that_are_well() -> None:
    """What they have not, is what the others have."""
    pods = [pod(f"sick-{number:02}", ready=False) for number in range(20)] + [pod(f"well-{number}") for number in "abc"]
    chosen = names(choose(pods, 10))
    assert len([name for name in chosen if name.startswith("sick")]) == 7
    assert [name for name in chosen if name.startswith("well")] == ["well-a", "well-b", "well-c"]
    assert len(choose(pods[:20], 10)) == 10


def test_each_revision_and_each_node_is_there_and_then_the_oldest() -> None:
    pods = [pod(f"many-{number}", age=number) for number in range(1, 10)]
    pods += [pod("old-revision", revision="web-0"), pod("elsewhere", node="node-2")]
    assert names(choose(pods, 4)) == ["many-9", "old-revision", "elsewhere", "many-8"]


def test_one_that_leaves_is_no_trouble_worth_a_place() -> None:
    leaving = pod("leaving", ready=False)
    leaving = replace(leaving, metadata=replace(leaving.metadata, deletion_timestamp=BORN))
    pods = [leaving, pod("waiting", ready=False), pod("well-1"), pod("well-2")]
    assert names(choose(pods, 2)) == ["waiting", "well-1"]


def test_evicted_pods_were_replaced_but_a_job_s_failed_ones_are_its_story() -> None:
    evicted = pod("evicted", phase="Failed")
    failed = pod("failed", phase="Failed", restart_policy="Never")
    done = pod("done", phase="Succeeded", restart_policy="Never")
    assert names(still_there([evicted, pod("a")])) == ["a"]
    assert names(still_there([failed])) == ["failed"]
    assert names(still_there([failed, done], ended="Complete")) == ["done"]
    assert names(still_there([failed], ended="Complete")) == ["failed"]
    assert names(still_there([failed, done], ended="Failed")) == ["failed", "done"]
