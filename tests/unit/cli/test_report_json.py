"""`check -o json`: schema 1, key by key."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.cli.report_json import report_json
from bot.model import Remedy, Report
from bot.redact import MARK
from tests.unit import jwts
from tests.unit.cli import reports
from tests.unit.cli.test_render import hostile

CONTRACT: dict[str, Any] = {
    "schema": int,
    "target": {"cluster": str, "namespace": str, "kind": str, "name": str},
    "verdict": {"healthy", "warning", "critical", "unknown"},
    "findings": [
        {
            "code": str,
            "severity": {"critical", "warning", "info"},
            "certainty": {"proven", "likely", "possible"},
            "title": str,
            "explanation": str,
            "symptoms": [str],
            "evidence": [{"source": str, "text": str}],
            "remedies": [{"action": (str, type(None)), "text": str}],
            "runbook": str,
        }
    ],
    "checks": [{"name": str, "status": {"passed", "failed", "skipped"}, "reason": str}],
    "gaps": [{"facet": str, "reason": str, "mend": str}],
    "took_ms": int,
}


def matches(value: object, contract: Any) -> None:  # noqa: ANN401  # a contract is any of the shapes above
    match contract:
        case dict():
            assert isinstance(value, dict)
            assert list(value) == list(contract)
            for key, inner in contract.items():
                matches(value[key], inner)
        case list():
            assert isinstance(value, list)
            for item in value:
                matches(item, contract[0])
        case set():
            assert value in contract
        case _:
            assert isinstance(value, contract)
            assert not isinstance(value, bool)


@pytest.mark.parametrize("report", [reports.CRITICAL, reports.WARNING, reports.HEALTHY, reports.UNKNOWN])
def test_every_key_is_there_in_order_with_its_type(report: Report) -> None:
    matches(json.loads(report_json(report)), CONTRACT)


def test_the_values_are_the_report_s() -> None:
    document = json.loads(report_json(reports.CRITICAL))
    assert document["schema"] == 1
    assert document["verdict"] == "critical"
    assert document["took_ms"] == 412
    assert document["target"] == {
        "cluster": "prod",
        "namespace": "shop",
        "kind": "Pod",
        "name": "checkout-7d9f8b6c5-x2x7k",
    }
    root = document["findings"][0]
    assert root["code"] == "service-account-recreated"
    assert root["severity"] == "critical"
    assert root["certainty"] == "proven"
    assert root["symptoms"] == ["api-unauthorized"]
    assert root["runbook"] == "token-doctor explain service-account-recreated"
    assert root["remedies"][0] == {
        "action": "restart-workload",
        "text": "Restart the workload: its new pods get a fresh token.",
    }
    assert root["remedies"][1]["action"] is None
    assert root["evidence"][0]["source"] == "TokenReview at https://10.0.0.11:6443"
    assert document["checks"][0] == {"name": "passed-0", "status": "passed", "reason": ""}
    assert document["gaps"][1] == {
        "facet": "API server logs",
        "reason": "a managed control plane shows its logs to nobody",
        "mend": "",
    }


def test_no_token_is_written_and_it_stays_json() -> None:
    token = jwts.token(jwts.BOUND)
    report = hostile(f'token: "{token}" -----BEGIN PRIVATE ' + "KEY-----")
    finding = replace(report.findings[0], remedies=(Remedy(text=token),))
    text = report_json(replace(report, findings=(finding,)))
    assert MARK in text
    assert not any(part in text for part in token.split("."))
    matches(json.loads(text), CONTRACT)


@given(st.text())
def test_any_text_gives_json(text: str) -> None:
    matches(json.loads(report_json(hostile(text))), CONTRACT)
