"""A wrong configuration is refused whole: every mistake with its place, and never a token in the sentence."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from config.mistakes import WrongConfigurationError
from config.settings import Settings, load

Write = Callable[[str], Path]
TOKEN = "xoxb-2718281828-3141592653-PlantedInTheFile"
DATABASE = "sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER@HOST/DATABASE"
EXAMPLE = Path(__file__).parents[3] / "config" / "token-doctor.yaml"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("TOKEN_DOCTOR_", "SLACK_", "DATABASE_PASSWORD")):
            monkeypatch.delenv(name)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str) -> Path:
        path = tmp_path / "token-doctor.yaml"
        path.write_text(text, "utf-8")
        return path

    return to_file


def mistakes(path: Path | None) -> list[str]:
    with pytest.raises(WrongConfigurationError) as raised:
        load(path)
    return [str(mistake) for mistake in raised.value.mistakes]


def test_without_a_file_the_defaults_hold() -> None:
    settings = load(None)
    assert settings.slack.api_url == "https://slack.com/api/"
    assert (settings.clusters, settings.channels) == ((), {})
    assert not any((settings.checks.exec, settings.checks.probe, settings.checks.read_secret_data))
    assert (settings.checks.deadline_seconds, settings.checks.log_lines) == (10, 2000)


def test_the_shipped_example_loads_and_shows_every_setting() -> None:
    settings = load(EXAMPLE)
    assert settings.clusters[0].label == "production"
    assert settings.channels["C0INCIDENT1"].namespaces == ("shop-*",)
    text = EXAMPLE.read_text("utf-8")
    for section in type(settings).model_fields:
        value = getattr(settings, section)
        several = value.values() if isinstance(value, dict) else value
        model = next(iter(several)) if isinstance(value, dict | tuple) else value
        for key in type(model).model_fields:
            assert f"{key}:" in text, f"{section}.{key} is missing from the example"


def test_every_mistake_is_listed_at_once_with_its_line_and_the_nearest_key(write: Write) -> None:
    path = write(
        "checks:\n"
        "  deadline_second: 4\n"
        "  log_lines: many\n"
        "  deadline_seconds: 99\n"
        "slak: {}\n"
        "metrics: {url: x}\n"
        "probe: true\n"
    )
    assert mistakes(path) == [
        "line 2: checks.deadline_second: no such setting; did you mean deadline_seconds?",
        "line 3: checks.log_lines: must be a whole number from 1 to 20000",
        "line 4: checks.deadline_seconds: must be a whole number of seconds from 1 to 30",
        "line 5: slak: no such setting; did you mean slack?",
        (
            "line 6: metrics: no such setting; the settings here are "
            "slack, clusters, database, channels, checks, identity, policy, digests, web"
        ),
        "line 7: probe: no such setting; did you mean checks.probe?",
    ]


def test_lists_and_ids_are_told_by_their_place(write: Write) -> None:
    path = write(
        "clusters:\n"
        "  - {name: prod}\n"
        "  - {name: prod}\n"
        "  - {labl: x}\n"
        "  - five\n"
        "channels:\n"
        "  '#incident': {}\n"
        "  C0INCIDENT1:\n"
        "    cluster: prd\n"
        "    namespaces: shop\n"
    )
    assert mistakes(path) == [
        "line 3: clusters[1].name: another cluster has this name already",
        "line 4: clusters[2].labl: no such setting; did you mean label?",
        "line 4: clusters[2].name: must be given: a name of letters, digits, dots and dashes",
        "line 5: clusters[3]: must be a section with name, kubeconfig, context, label, endpoints",
        (
            "line 7: channels.#incident: must be a channel's id such as C0INCIDENT1, "
            "not its name (Slack shows it in the channel's details)"
        ),
        "line 9: channels.C0INCIDENT1.cluster: no cluster of this name is configured; did you mean prod?",
        'line 10: channels.C0INCIDENT1.namespaces: must be a list of namespaces or patterns such as "shop-*"',
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("slack: {mode: https}", "line 1: slack.mode: must be socket or http"),
        ("slack: {api_url: 'http://slack.com/api/'}", "must be an https:// address (http:// on this machine only)"),
        ("slack: {api_url: slack.com}", "must be an https:// address"),
        ("checks: {deadline_seconds: 0}", "must be a whole number of seconds from 1 to 30"),
        ("checks: {deadline_seconds: 2.5}", "must be a whole number of seconds from 1 to 30"),
        ("checks: {exec: perhaps}", "checks.exec: must be true or false"),
        ("checks: {controller_probe: true}", 'must be the name of a namespace, or "" for no probe'),
        ("checks: {controller_probe: Shop_1}", 'must be the name of a namespace, or "" for no probe'),
        ("checks: 7", "checks: must be a section such as {deadline_seconds: 10}"),
        ("clusters: 7", "clusters: must be a list of clusters, each with a name"),
        ("database: {url: var/token-doctor.db}", f"line 1: database.url: must be {DATABASE}"),
        ("database: {url: 'sqlite+aiosqlite://'}", f"must be {DATABASE}"),
        ("database: {url: 'sqlite+aiosqlite:///:memory:'}", f"must be {DATABASE}"),
        ("database: {url: 'sqlite:///var/token-doctor.db'}", f"must be {DATABASE}"),
        ("database: {url: 'postgresql://db/token-doctor'}", f"must be {DATABASE}"),
        ("database: {url: 'postgresql+asyncpg://db/'}", f"must be {DATABASE}"),
        ("database: {url: 'postgresql+asyncpg://db:x/y'}", f"must be {DATABASE}"),
        ("database: x", "database: must be a section with url"),
        ("checks: {exec: true}\nchecks: {exec: false}", "line 2: checks: stands twice: only one can count"),
        ("checks:\n  exec: true\n probe: true", "line 3: not valid YAML"),
        ("- checks", "line 1: the file must hold settings by name"),
        ("checks: !!python/object:os.system {}", "line 1: not valid YAML"),
        ("checks: {log_lines: 2026-02-31}", "not valid YAML"),
        ("clusters: &all [*all]", "clusters"),
    ],
)
def test_a_wrong_value_gets_one_plain_sentence(write: Write, text: str, sentence: str) -> None:
    found = mistakes(write(text))
    assert len(found) == 1
    assert sentence in found[0]


def test_a_heading_with_nothing_under_it_is_no_mistake(write: Write) -> None:
    assert load(write("channels:\n#  C0INCIDENT1: {}\nchecks:\n")) == Settings()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.yaml"
    assert mistakes(path) == [f"{path}: the file cannot be read: No such file or directory"]


def test_a_token_in_the_file_is_refused_by_line_and_not_quoted(write: Write) -> None:
    path = write(f"slack:\n  bot_token: {TOKEN}\n# {TOKEN}\nchecks: {{{TOKEN}: 1}}\n{TOKEN}: [\n")
    found = mistakes(path)
    assert [line.split(":")[0] for line in found if "a token stands here" in line] == [
        "line 2",
        "line 3",
        "line 4",
        "line 5",
    ]
    assert "2718281828" not in "\n".join(found)


def test_the_environment_wins_over_the_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("checks: {deadline_seconds: 5, exec: true}\nclusters: [{name: prod, label: a}]\n")
    monkeypatch.setenv("TOKEN_DOCTOR_CHECKS__DEADLINE_SECONDS", "7")
    monkeypatch.setenv("TOKEN_DOCTOR_CLUSTERS__0__LABEL", "production")
    monkeypatch.setenv("TOKEN_DOCTOR_CHANNELS__C0INCIDENT1__NAMESPACES", '["shop-*"]')
    settings = load(path)
    assert (settings.checks.deadline_seconds, settings.checks.exec) == (7, True)
    assert (settings.clusters[0].name, settings.clusters[0].label) == ("prod", "production")
    assert settings.channels["C0INCIDENT1"].namespaces == ("shop-*",)


def test_a_mistake_in_the_environment_is_told_by_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_DOCTOR_CHECKS__DEADLINE_SECOND", "7")
    monkeypatch.setenv("TOKEN_DOCTOR_CHECKS__EXEC", "perhaps")
    monkeypatch.setenv("TOKEN_DOCTOR_CHECKS_PROBE", "true")
    monkeypatch.setenv("TOKEN_DOCTOR_CHEKS__PROBE", "true")
    assert mistakes(None) == [
        "TOKEN_DOCTOR_CHECKS_PROBE: no such setting; did you mean TOKEN_DOCTOR_CHECKS__PROBE, with two underscores?",
        "TOKEN_DOCTOR_CHECKS__DEADLINE_SECOND: checks.deadline_second: no such setting; did you mean deadline_seconds?",
        "TOKEN_DOCTOR_CHECKS__EXEC: checks.exec: must be true or false",
        "TOKEN_DOCTOR_CHEKS__PROBE: no such setting; did you mean checks?",
    ]


def test_a_list_in_the_environment_must_be_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_DOCTOR_CLUSTERS", "[prod")
    assert mistakes(None) == ['TOKEN_DOCTOR_CLUSTERS: must be JSON, such as \'[{"name": "prod"}]\'']


def test_what_kubernetes_puts_beside_a_service_of_this_name_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_DOCTOR_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("TOKEN_DOCTOR_PORT_8080_TCP_ADDR", "10.0.0.1")
    monkeypatch.setenv("TOKEN_DOCTOR_SLACK_PORT", "tcp://10.0.0.1:80")
    assert load(None) == Settings()


def test_tokens_come_from_the_environment_or_a_file_and_never_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "app"
    file.write_text("xapp-1-A0-0000000003-abcdef\n", "utf-8")
    monkeypatch.setenv("SLACK_BOT_TOKEN", f" {TOKEN}\n")
    monkeypatch.setenv("SLACK_APP_TOKEN_FILE", str(file))
    settings = load(None)
    tokens = settings.credentials
    assert tokens.revealed() == (TOKEN, "xapp-1-A0-0000000003-abcdef")
    for text in (repr(settings), str(tokens), repr(tokens), f"{tokens.bot_token}", tokens.model_dump_json()):
        assert "xoxb" not in text
        assert "xapp" not in text


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"SLACK_BOT_TOKEN_FILE": "/nowhere"},
            "SLACK_BOT_TOKEN_FILE: /nowhere cannot be read: No such file or directory",
        ),
        ({"SLACK_APP_TOKEN_FILE": "/dev/null"}, "SLACK_APP_TOKEN_FILE: /dev/null is empty"),
        (
            {"SLACK_APP_TOKEN_FILE": "/dev/null", "SLACK_APP_TOKEN": TOKEN},
            "SLACK_APP_TOKEN_FILE: SLACK_APP_TOKEN is set as well; only one of them can count",
        ),
    ],
)
def test_a_token_that_cannot_be_had_is_told(
    variables: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert mistakes(None) == [sentence]


@pytest.mark.parametrize("url", ["postgresql+asyncpg://bot:{}@db/doctor", "postgresql+asyncpg://db/doctor?password={}"])
def test_a_password_in_the_database_s_url_is_refused_and_not_quoted(
    url: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = "must hold no password: give it in DATABASE_PASSWORD, or in a file that DATABASE_PASSWORD_FILE names"
    assert mistakes(write(f"database: {{url: '{url.format('hunter2')}'}}")) == [f"line 1: database.url: {sentence}"]
    monkeypatch.setenv("TOKEN_DOCTOR_DATABASE__URL", url.format("hunter2"))
    assert mistakes(None) == [f"TOKEN_DOCTOR_DATABASE__URL: database.url: {sentence}"]


def test_the_database_s_password_comes_from_the_environment_or_a_file_and_never_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_DOCTOR_DATABASE__URL", "postgresql+asyncpg://bot@db:5433/doctor")
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    settings = load(None)
    assert settings.database.url == "postgresql+asyncpg://bot@db:5433/doctor"
    assert settings.credentials.revealed_password() == "hunter2"
    assert "hunter2" not in f"{settings!r} {settings.credentials} {settings.credentials.model_dump_json()}"
    file = tmp_path / "password"
    file.write_text("correct horse\n", "utf-8")
    monkeypatch.setenv("DATABASE_PASSWORD_FILE", str(file))
    (both,) = mistakes(None)
    assert both == "DATABASE_PASSWORD_FILE: DATABASE_PASSWORD is set as well; only one of them can count"
    monkeypatch.delenv("DATABASE_PASSWORD")
    assert load(None).credentials.revealed_password() == "correct horse"


def test_over_http_slack_needs_a_port_and_the_mistake_has_its_line(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = "slack.mode: http needs web.port, where Slack's requests come in"
    assert mistakes(write("checks: {}\nslack:\n  mode: http\n")) == [f"line 3: {sentence}"]
    assert mistakes(write("slack: {mode: http}\nweb: {port: null}\n")) == [f"line 1: {sentence}"]
    assert load(write("slack: {mode: http}\nweb: {port: 8080}\n")).web.drain_seconds == 5
    monkeypatch.setenv("TOKEN_DOCTOR_SLACK__MODE", "http")
    assert mistakes(None) == [f"TOKEN_DOCTOR_SLACK__MODE: {sentence}"]
    monkeypatch.setenv("TOKEN_DOCTOR_WEB__PORT", "8080")
    assert load(None).slack.mode == "http"


def test_the_signing_secret_comes_from_the_environment_or_a_file_and_never_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    file.write_text("8f742231b10e8888abcd99\n", "utf-8")
    monkeypatch.setenv("SLACK_SIGNING_SECRET_FILE", str(file))
    settings = load(None)
    assert settings.credentials.revealed_signing_secret() == "8f742231b10e8888abcd99"
    assert "8f742231" not in repr(settings) + settings.credentials.model_dump_json()
