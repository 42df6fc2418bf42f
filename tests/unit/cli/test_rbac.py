"""`rbac`: what it prints for what is switched on."""

from pathlib import Path

import pytest
import yaml

from bot.kube.roles import FEATURES
from tests.unit.cli.conftest import Run

CONFIGURATION = """
checks: {exec: true, controller_probe: spare}
policy:
  - actions: [delete-pod, restart-workload]
    namespaces: ["shop-*"]
    requesters: [S012USERGROUP]
    approvers: [S034USERGROUP]
"""


def names(out: str) -> list[str]:
    """The roles' names, each once."""
    found = [each["metadata"]["name"] for each in yaml.safe_load_all(out) if each["kind"] in {"Role", "ClusterRole"}]
    return list(dict.fromkeys(found))


def test_without_anything_it_is_what_reading_takes(run: Run) -> None:
    ended = run("rbac")
    assert (ended.code, ended.err) == (0, "")
    assert names(ended.out) == ["token-doctor-reading"]


def test_the_configuration_says_what_is_switched_on(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "token-doctor.yaml"
    file.write_text(CONFIGURATION)
    out = run("rbac", "--config", str(file)).out
    switched_on = ["reading", "exec", "controller-probe", "restart-workload", "delete-pod"]
    assert names(out) == [f"token-doctor-{name}" for name in switched_on]
    documents = list(yaml.safe_load_all(out))
    assert {"name": "spare"} in [each["metadata"] for each in documents if each["kind"] == "Namespace"]
    assert {each["metadata"].get("namespace") for each in documents} >= {"spare", "kube-system", None}
    assert names(run("rbac", "--config", str(file), "--features", "probe").out) == [
        "token-doctor-reading",
        "token-doctor-probe",
    ]


def test_all_is_every_feature(run: Run) -> None:
    assert names(run("rbac", "--features", "all").out) == [f"token-doctor-{name}" for name in ("reading", *FEATURES)]


def test_every_role_is_bound_to_the_account_that_was_named(run: Run) -> None:
    out = run("rbac", "--features", " Delete-Pod,exec", "-n", "shop", "--service-account", "sre-bots/doctor").out
    documents = [each for each in yaml.safe_load_all(out) if each["kind"] != "Namespace"]
    keys = {(each["kind"].removesuffix("Binding"), *each["metadata"].values()) for each in documents}
    assert len(documents) == 2 * len(keys)
    for binding in (each for each in documents if each["kind"].endswith("Binding")):
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "doctor", "namespace": "sre-bots"}]
        assert binding["roleRef"]["name"] == binding["metadata"]["name"]
        assert f"{binding['roleRef']['kind']}Binding" == binding["kind"]


@pytest.mark.parametrize(
    ("words", "sentence", "step"),
    [
        (["--features", "restart"], "There is no feature restart.", "Did you mean restart-workload?"),
        (["--features", "x"], "There is no feature x.", "There are: probe, exec"),
        (["--service-account", "doctor"], "doctor names no service account.", "NAMESPACE/NAME"),
        (["--service-account", "a/b/c"], "a/b/c names no service account.", "NAMESPACE/NAME"),
        (["-n", "a, b"], "a, b is no namespace's name.", "for each of them"),
    ],
)
def test_wrong_words_are_told_and_nothing_is_printed(words: list[str], sentence: str, step: str, run: Run) -> None:
    ended = run("rbac", *words)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err
    assert step in ended.err


def test_a_wrong_configuration_is_told(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "token-doctor.yaml"
    file.write_text("checks: {exec: perhaps}")
    ended = run("rbac", "--config", str(file))
    assert (ended.code, ended.out) == (2, "")
    assert "exec" in ended.err


def test_what_is_read_may_be_left_out(run: Run) -> None:
    """Where it is granted for more namespaces already, the same roles for fewer would narrow it."""
    out = run("rbac", "--features", "restart-workload", "-n", "shop", "--no-reading").out
    assert names(out) == ["token-doctor-restart-workload"]
    assert run("rbac", "--features", "restart-workload", "-n", "shop").out.endswith(out)
