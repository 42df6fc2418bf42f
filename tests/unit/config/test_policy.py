"""The sections `policy` and `identity`: every mistake is named with its line and what was probably meant."""

import os
from pathlib import Path

import pytest

from bot.model import ActionKind
from config.mistakes import WrongConfigurationError
from config.policy import ACTIONS
from config.settings import Settings, load

RULE = """\
clusters: [{name: prod}, {name: stage}]
policy:
  - actions: [restart-workload]
    namespaces: ["shop-*"]
    requesters: [S012USERGROUP]
    approvers: [U0APPROVER1, U0APPROVER2]
"""


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("TOKEN_DOCTOR_", "SLACK_", "DATABASE_PASSWORD")):
            monkeypatch.delenv(name)


def loaded(folder: Path, text: str) -> Settings:
    path = folder / "token-doctor.yaml"
    path.write_text(text, "utf-8")
    return load(path)


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(WrongConfigurationError) as raised:
        loaded(folder, text)
    return [str(mistake) for mistake in raised.value.mistakes]


def changed(line: str, to: str) -> str:
    assert line in RULE
    return RULE.replace(line, to)


def test_the_actions_of_the_configuration_are_those_of_the_bot() -> None:
    assert set(ACTIONS) == {kind.value for kind in ActionKind}


def test_a_rule_is_closed_where_it_does_not_say_otherwise(tmp_path: Path) -> None:
    (rule,) = loaded(tmp_path, RULE).policy
    assert (rule.clusters, rule.approvals, rule.self_approval) == (("*",), 1, False)
    assert (rule.channels, rule.approval_channel, rule.ttl_minutes) == ((), None, 30)
    identity = loaded(tmp_path, RULE).identity
    assert (identity.kubernetes_user, identity.groups, identity.subject_access_review) == ("{email}", {}, True)
    assert loaded(tmp_path, "").policy == ()


@pytest.mark.parametrize(
    ("line", "to", "sentence"),
    [
        (
            "[restart-workload]",
            "[restart-workloads]",
            "line 3: policy[0].actions[0]: no such action; did you mean restart-workload?",
        ),
        (
            "[restart-workload]",
            "[reboot]",
            f"line 3: policy[0].actions[0]: no such action; the actions are {', '.join(ACTIONS)}",
        ),
        (
            "[restart-workload]",
            "restart-workload",
            "line 3: policy[0].actions: must be a list of actions such as [restart-workload]",
        ),
        ("[restart-workload]", "[[]]", f"line 3: policy[0].actions[0]: no such action; the actions are {ACTIONS[0]}"),
        ("requesters", "requestors", "line 5: policy[0].requestors: no such setting; did you mean requesters?"),
        (
            "[S012USERGROUP]",
            "['@on-call']",
            (
                "line 5: policy[0].requesters[0]: must be a list of ids: "
                "user groups (S012USERGROUP) or people (U012PERSON00)"
            ),
        ),
        ("[S012USERGROUP]", "[]", "line 5: policy[0].requesters: must be a list of ids"),
        (
            '["shop-*"]',
            '["shop-*"]\n    clusters: [prd, "st*", "x*"]',
            "line 5: policy[0].clusters[0]: no cluster of this name is configured; did you mean prod?",
        ),
        (
            '["shop-*"]',
            '["shop-*"]\n    clusters: ["x*"]',
            "line 5: policy[0].clusters[0]: fits none of the configured clusters",
        ),
        (
            '["shop-*"]',
            '["shop-*", "kube-*"]',
            (
                "line 4: policy[0].namespaces[1]: does not cover kube-system, which counts only where its name stands "
                "in full; add kube-system, or name the namespaces that are meant"
            ),
        ),
        (
            '["shop-*"]',
            '["shop-*"]\n    approval_channel: "#approvals"',
            "line 5: policy[0].approval_channel: must be the id of the channel where it is decided",
        ),
        (
            '["shop-*"]',
            '["shop-*"]\n    channels: [incident]',
            "line 5: policy[0].channels[0]: must be a list of channels' ids",
        ),
        (
            '["shop-*"]',
            '["shop-*"]\n    approvals: 0',
            "line 5: policy[0].approvals: must be a whole number from 1 to 10",
        ),
        (
            '["shop-*"]',
            '["shop-*"]\n    approvals: 3',
            "line 5: policy[0].approvals: more than there are approvers: the rule names 2",
        ),
        (
            "[S012USERGROUP]\n    approvers: [U0APPROVER1, U0APPROVER2]",
            "[U0APPROVER1]\n    approvers: [U0APPROVER1]",
            "line 6: policy[0].approvers: nobody could agree: the only approver is the only requester",
        ),
        (
            '["shop-*"]',
            '["shop-*"]\n    ttl_minutes: 2000',
            "line 5: policy[0].ttl_minutes: must be a whole number of minutes from 1 to 1440",
        ),
        ("    namespaces", "    #", "line 3: policy[0].namespaces: must be given: a list of namespaces or patterns"),
    ],
)
def test_a_mistake_in_a_rule_is_told_by_its_line(tmp_path: Path, line: str, to: str, sentence: str) -> None:
    found = mistakes(tmp_path, changed(line, to))
    assert any(mistake.startswith(sentence) for mistake in found), found


def test_every_mistake_of_every_rule_is_told(tmp_path: Path) -> None:
    text = RULE + "  - {actions: [delete-pods], namespaces: [shop], requesters: [U0ENGINEER1], approvers: [x]}\n  - 5\n"
    assert [mistake.partition(":")[0] for mistake in mistakes(tmp_path, text)] == ["line 7", "line 7", "line 8"]


@pytest.mark.parametrize("namespaces", ['["*"]', '["*-system"]', '["kube-*", kube-system]', "[kube-system]"])
def test_what_may_cover_other_namespaces_is_no_mistake(tmp_path: Path, namespaces: str) -> None:
    assert loaded(tmp_path, changed('["shop-*"]', namespaces)).policy


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "identity: {kubernetes_user: admin}",
            "identity.kubernetes_user: must be text with {email}, {name} or {id}, such as",
        ),
        ("identity: {kubernetes_user: '{mail}'}", "identity.kubernetes_user: must be text with {email}"),
        ("identity: {groups: {sre: [sre]}}", "identity.groups.sre: must be a user group's id such as S012USERGROUP"),
        ("identity: {groups: {S012USERGROUP: sre}}", "must be a section with a user group's id for each entry"),
        ("identity: {subject_access_reviews: true}", "no such setting; did you mean subject_access_review?"),
        ("policy: {}", "policy: must be a list of rules, each with actions, namespaces, requesters and approvers"),
    ],
)
def test_a_mistake_elsewhere_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    found = mistakes(tmp_path, text)
    assert len(found) == 1
    assert sentence in found[0]


def test_rules_and_groups_can_be_changed_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_DOCTOR_POLICY__0__APPROVALS", "2")
    monkeypatch.setenv("TOKEN_DOCTOR_IDENTITY__GROUPS__S012USERGROUP", '["sre"]')
    settings = loaded(tmp_path, RULE)
    assert settings.policy[0].approvals == 2
    assert settings.identity.groups == {"S012USERGROUP": ("sre",)}
    monkeypatch.setenv("TOKEN_DOCTOR_POLICY__0__APPROVALS", "9")
    assert mistakes(tmp_path, RULE) == [
        "TOKEN_DOCTOR_POLICY__0__APPROVALS: policy[0].approvals: more than there are approvers: the rule names 2"
    ]
