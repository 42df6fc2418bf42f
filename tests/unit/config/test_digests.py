"""The sections `digests` and `web`: what a wrong schedule is told."""

import os
from pathlib import Path

import pytest

from config.cron import Cron, parse
from config.mistakes import WrongConfigurationError
from config.settings import load

EVERY = tuple(range(60)), tuple(range(24)), tuple(range(1, 32)), tuple(range(1, 13)), tuple(range(7))


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("TOKEN_DOCTOR_"):
            monkeypatch.delenv(name)


def said(tmp_path: Path, digests: str, before: str = "") -> list[str]:
    path = tmp_path / "token-doctor.yaml"
    path.write_text(f"{before}digests:\n{digests}", "utf-8")
    with pytest.raises(WrongConfigurationError) as raised:
        load(path)
    return [str(mistake) for mistake in raised.value.mistakes]


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    path = tmp_path / "token-doctor.yaml"
    path.write_text('digests: [{name: daily, cron: "0  9 * * MON-Fri", channel: c0tokens001}]\n', "utf-8")
    (digest,) = load(path).digests
    assert (digest.cron, digest.timezone, digest.channel) == ("0 9 * * mon-fri", "UTC", "C0TOKENS001")
    assert (digest.clusters, digest.namespaces, digest.routes) == (("*",), ("*",), ())
    assert (digest.window_days, digest.quiet, digest.heartbeat_days, digest.catch_up_hours) == (14, True, 7, 12)


def test_every_mistake_is_told_by_its_line(tmp_path: Path) -> None:
    found = said(
        tmp_path,
        '  - {name: daily, cron: "0 9 * * mon", channel: C0TOKENS001, clusters: [prd]}\n'
        '  - {name: daily, cron: "0 9 * * mon", channel: C0TOKENS001}\n'
        "  - name: Weekly digest\n"
        '    cron: "0 9 * * 1-5"\n'
        "    timezone: europe/berlin\n"
        "    channel: '#tokens'\n"
        "    window: 3\n"
        "    window_days: 0\n"
        "    quiet: perhaps\n"
        "    routes:\n"
        "      - {namespaces: [], channel: C0SHOP00001}\n"
        "      - {namespace: [shop], channel: tokens}\n"
        "      - shop\n"
        "  - {name: other}\n"
        '  - {name: last, cron: 5, channel: C0TOKENS001, clusters: ["stage-*"], routes: C0SHOP00001}\n',
        before="clusters: [{name: prod}]\n",
    )
    channel = "must be the id of a channel"
    assert found == [
        "line 3: digests[0].clusters[0]: no cluster of this name is configured; did you mean prod?",
        "line 4: digests[1].name: another digest has this name already: they would share one memory",
        "line 5: digests[2].name: must be a name of at most 40 small letters, digits and dashes",
        (
            "line 6: digests[2].cron: its weekdays must have names, for numbers differ between programs; "
            "did you mean mon-fri?"
        ),
        "line 7: digests[2].timezone: no such time zone; did you mean Europe/Berlin?",
        f"line 8: digests[2].channel: {channel}",
        "line 9: digests[2].window: no such setting; did you mean window_days?",
        "line 10: digests[2].window_days: must be a whole number of days from 1 to 365",
        "line 11: digests[2].quiet: must be true or false",
        'line 13: digests[2].routes[0].namespaces: must be a list of namespaces or patterns: ["shop-*"]',
        f"line 14: digests[2].routes[1].channel: {channel}",
        "line 14: digests[2].routes[1].namespace: no such setting; did you mean namespaces?",
        'line 14: digests[2].routes[1].namespaces: must be given: a list of namespaces or patterns: ["shop-*"]',
        "line 15: digests[2].routes[2]: must be a section with namespaces, channel",
        f"line 16: digests[3].channel: {channel.replace('must be', 'must be given:')}",
        (
            "line 16: digests[3].cron: must be given: five fields, minute hour day month weekday, "
            'such as "0 9 * * mon-fri"'
        ),
        "line 17: digests[4].clusters[0]: fits none of the configured clusters",
        ('line 17: digests[4].cron: must be five fields, minute hour day month weekday, such as "0 9 * * mon-fri"'),
        "line 17: digests[4].routes: must be a list of routes, each with namespaces and a channel",
    ]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("Berlin", "did you mean Europe/Berlin?"),
        ("Europe/Berlni", "did you mean Europe/Berlin?"),
        ("new york", "did you mean America/New_York?"),
        ("Europe", "no such time zone"),
        ("../../etc/passwd", "no such time zone"),
        ("", "no such time zone; write it as Europe/Berlin, or UTC"),
    ],
)
def test_a_time_zone_that_does_not_exist_gets_the_nearest(tmp_path: Path, given: str, meant: str) -> None:
    (sentence,) = said(tmp_path, f'  - {{name: daily, cron: "0 9 * * *", channel: C0TOKENS001, timezone: "{given}"}}\n')
    assert sentence.startswith("line 2: digests[0].timezone: no such time zone")
    assert meant in sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must be five fields"),
        ("0 9 * *", "must be five fields"),
        ("@daily", "must be five fields"),
        ("60 9 * * *", "its minute must be 0 to 59"),
        ("0 24 * * *", "its hour must be 0 to 23"),
        ("0 9 0 * *", "its day of the month must be 1 to 31"),
        ("0 9 * 13 *", "its month must be 1 to 12 or jan to dec"),
        ("0 9 * mai *", "its month must be 1 to 12 or jan to dec"),
        ("0 9 * * 0", "did you mean sun?"),
        ("0 9 * * 7", "did you mean sun?"),
        ("0 9 * * 1,3", "did you mean mon?"),
        ("0 9 * * 9", "between programs: names from mon to sun"),
        ("0 9 * * 1-fri", "between programs: names from mon to sun"),
        ("0 9 * * monday", "its weekday must be names from mon to sun"),
        ("0 9 1 * mon", "leave one of them *"),
        ("0 9 31 2,4,6 *", "never comes"),
        ("0 9 30 feb *", "never comes"),
        ("0 17-9 * * *", "ends before it begins"),
        ("5/10 9 * * *", "has a step that means nothing"),
        ("*/0 9 * * *", "has a step that means nothing"),
        ("*-5 9 * * *", "has a step that means nothing"),
        ("0 9 L * *", "its day of the month must be 1 to 31"),
        ("0 9 * * mon#1", "its weekday cannot be read"),
        ("0, 9 * * *", "its minute cannot be read"),
        ("-5 9 * * *", "its minute cannot be read"),
        ("\u0665 9 * * *", "its minute cannot be read"),
    ],
)
def test_what_is_no_cron_says_why(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^(must|its|names|never) ") as raised:
        parse(text)
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("text", "cron"),
    [
        ("* * * * *", Cron(*EVERY)),
        ("0 9 * * mon-fri", Cron((0,), (9,), *EVERY[2:4], (0, 1, 2, 3, 4))),
        ("*/20 8-18/5 1,15 jan,JUL *", Cron((0, 20, 40), (8, 13, 18), (1, 15), (1, 7), EVERY[4])),
        ("0 9 * * sat-mon", Cron((0,), (9,), *EVERY[2:4], (0, 5, 6))),
        ("59 23 29 2 *", Cron((59,), (23,), (29,), (2,), EVERY[4])),
        ("0 9 31 feb-mar *", Cron((0,), (9,), (31,), (2, 3), EVERY[4])),
        ("0 9 */1 * mon", Cron((0,), (9,), *EVERY[2:4], (0,))),
    ],
)
def test_cron_expressions_are_read(text: str, cron: Cron) -> None:
    assert parse(text) == cron


def test_the_server_is_off_until_it_has_a_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(None).web.port is None
    path = tmp_path / "token-doctor.yaml"
    path.write_text("web: {port: 8080}\n", "utf-8")
    assert (load(path).web.host, load(path).web.port) == ("0.0.0.0", 8080)  # noqa: S104  # the default, for a pod
    monkeypatch.setenv("TOKEN_DOCTOR_WEB_PORT", "tcp://10.0.0.1:8080")  # of a Service that is called token-doctor-web
    assert load(path).web.port == 8080
