"""The program around its commands: help, errors, exit codes, and what is loaded for what."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot import cli
from bot.cli import failures
from bot.errors import ClusterUnreachableError
from tests.unit.cli.conftest import Run
from tests.unit.jwts import BOUND, LEGACY, token

TOKEN = token(BOUND)
COMMANDS = (
    "run",
    "check",
    "digest",
    "review",
    "decode",
    "errors",
    "explain",
    "requests",
    "audit",
    "preflight",
    "migrate",
    "manifest",
    "rbac",
)
HEAVY = {"kubernetes", "slack_bolt", "slack_sdk", "aiohttp", "jwt", "sqlalchemy", "alembic", "structlog"}


def loaded(*words: str, stdin: str = "") -> set[str]:
    """The top-level modules that a fresh process has loaded once the command has ended."""
    script = (
        "import json, sys\nfrom bot.cli import main\ncode = main(json.loads(sys.argv[1]))\n"
        "names = sorted({name.partition('.')[0] for name in sys.modules})\n"
        "sys.stderr.write(json.dumps([code, names]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(words)], input=stdin, capture_output=True, text=True, check=True
    )
    code, names = json.loads(done.stderr)
    assert code == 0, done.stdout
    return set(names)


@pytest.mark.parametrize("words", [("--help",), *((command, "--help") for command in COMMANDS), ("--version",)])
def test_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    """What keeps it under 0.3 s of CPU; the time itself depends on the machine."""
    assert not loaded(*words) & {*HEAVY, "rich", "msgspec", "pydantic"}


def test_decode_loads_neither_kubernetes_nor_slack() -> None:
    names = loaded("decode", stdin=TOKEN)
    assert "jwt" in names
    assert not names & HEAVY - {"jwt"}


def test_the_catalogue_loads_neither_kubernetes_nor_slack() -> None:
    assert not loaded("errors", "service account token has expired") & HEAVY


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(command: str, run: Run) -> None:
    ended = run(command, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert "Example:" in ended.out
    assert f"token-doctor {command} " in ended.out or f"| token-doctor {command}" in ended.out


def test_the_help_names_each_command_and_no_other(run: Run) -> None:
    ended = run("--help")
    listed = ended.out.split("Commands:\n")[1].split("\n\n")[0]
    assert [line.split()[0] for line in listed.splitlines() if not line.startswith("   ")] == list(COMMANDS)
    assert "..." not in listed, "no sentence is cut off"


def test_wrong_usage_of_a_command_names_the_help_of_that_command(run: Run) -> None:
    assert run("check").err.splitlines()[1].strip() == "See token-doctor check --help."
    assert run("chek").err.splitlines()[1].strip() == "See token-doctor --help."
    assert "': 'yaml' is not one of" in run("check", "a/b", "-o", "yaml").err, "in our words, not a library's"


def test_review_says_beforehand_what_a_review_does(run: Run) -> None:
    words = " ".join(run("review", "--help").out.split())
    assert "moves the last-used label" in words
    assert "the audit log may hold the request with the token in it" in words


def test_without_a_command_the_help_is_shown_as_wrong_usage(run: Run) -> None:
    ended = run()
    assert ended.code == 2
    assert ended.out.startswith("Usage: token-doctor [OPTIONS] COMMAND")


def test_the_version_is_the_package_s(run: Run) -> None:
    ended = run("--version")
    assert ended.code == 0
    assert ended.out.startswith("token-doctor 0.")


def test_as_a_kubectl_plugin_it_is_called_by_that_name(run: Run) -> None:
    assert run("--help", called_as="/usr/bin/kubectl-token_doctor").out.startswith("Usage: kubectl token-doctor ")
    assert "kubectl token-doctor explain" in run("explain", called_as="kubectl-token_doctor.exe").out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("chek",), "Error: No such command 'chek'. Did you mean 'check'?"),
        (("check",), "Error: Missing argument 'TARGET'."),
        (("check", "a", "b"), "Error: Got unexpected extra argument"),
        (("decode", "--fast"), "Error: No such option: --fast"),
        (("check", "a/b", "-o", "yaml"), "Error: Invalid value for '-o' / '--output'"),
        (("check", "Shop/x"), "Error: “Shop” is not a namespace's name"),
        (("check", "shop/checkout"), "Error: No kubeconfig was found"),
        (("explain", "audience-mismatsch"), "Error: There is no cause “audience-mismatsch”."),
        (("decode", "x"), "Error: A token is never given as an argument"),
        (("review", "x"), "Error: A token is never given as an argument"),
    ],
)
def test_wrong_usage_is_one_sentence_and_the_next_step(words: tuple[str, ...], sentence: str, run: Run) -> None:
    ended = run(*words)
    assert (ended.code, ended.out) == (2, "")
    first, second = ended.err.splitlines()
    assert first.startswith(sentence)
    assert second.startswith("       ")


@pytest.mark.parametrize(
    "words",
    [
        ("decode", TOKEN),
        ("check", TOKEN),
        ("explain", TOKEN),
        (TOKEN,),
        (f"--{TOKEN}",),
        ("check", "x", TOKEN),
        ("errors", TOKEN),
    ],
)
@pytest.mark.parametrize("debug", [(), ("--debug",)])
def test_a_token_on_the_command_line_is_never_echoed(words: tuple[str, ...], debug: tuple[str, ...], run: Run) -> None:
    ended = run(*words, *debug)
    assert ended.code != 0
    assert not any(part in ended.out + ended.err for part in TOKEN.split("."))


def test_decode_explains_a_piped_token(run: Run) -> None:
    ended = run("decode", stdin=f"Bearer {token(LEGACY)}\n")
    assert (ended.code, ended.err) == (0, "")
    assert "never expires" in ended.out
    assert "only the API server can, with token-doctor review" in ended.out


@pytest.mark.parametrize("debug", [(), ("--debug",)])
def test_what_is_no_token_ends_with_2_and_is_not_echoed(debug: tuple[str, ...], run: Run) -> None:
    ended = run("decode", *debug, stdin="hunter2-hunter2")
    assert (ended.code, ended.out) == (2, "")
    assert "Error: A token has three parts with a dot between them, and the text has 1 part." in ended.err
    assert "hunter2" not in ended.err
    assert ("Traceback" in ended.err) is bool(debug)


def failing(error: BaseException) -> int:
    raise error


def test_an_unexpected_error_is_a_sentence_and_3(capsys: pytest.CaptureFixture[str]) -> None:
    error = KeyError(TOKEN)
    assert failures.exit_code(lambda: failing(error), program="token-doctor", debug=False) == 3
    err = capsys.readouterr().err
    assert err.startswith("Error: token-doctor itself failed: KeyError")
    assert "Run it again with --debug" in err
    assert "Traceback" not in err
    assert TOKEN[:40] not in err


def test_debug_shows_the_traceback_without_the_token(capsys: pytest.CaptureFixture[str]) -> None:
    error = ClusterUnreachableError(f"refused {TOKEN}", next_step="Check it.")
    assert failures.exit_code(lambda: failing(error), program="token-doctor", debug=True) == 3
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "def failing" not in err
    assert "Error: refused [token removed]\n       Check it.\n" in err
    assert TOKEN[:40] not in err


def test_an_interrupt_is_130() -> None:
    assert failures.exit_code(lambda: failing(KeyboardInterrupt()), program="token-doctor", debug=False) == 130


def test_ctrl_c_ends_a_waiting_command_with_130_and_nothing_more() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "decode"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        _until_reading(program.pid)
        program.send_signal(signal.SIGINT)
        assert program.stdin is not None
        out, err = program.communicate(timeout=30)
    assert (program.returncode, out, err) == (130, b"", b"")


def _until_reading(pid: int) -> None:
    """Until the process sleeps in a read of standard input: the kernel says which call it is in."""
    reading = {"x86_64": "0 0x0 ", "aarch64": "63 0x0 "}[os.uname().machine]
    while not Path(f"/proc/{pid}/syscall").read_text().startswith(reading):
        os.sched_yield()


def test_debug_after_two_dashes_is_an_argument(run: Run) -> None:
    assert run("errors", "--", "--debug").code == 1


def test_a_stream_that_knows_few_letters_does_not_stop_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "check", "Shop/x"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ?Shop? is not a namespace's name")


def test_the_entry_points_are_the_two_names() -> None:
    assert cli.main(["--version"], called_as="kubectl-token_doctor") == 0
