"""The image, without an engine: the Dockerfile's own commands are run in a clean root, and what they leave is used."""

import asyncio
import hashlib
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from demo.slack import SlackServer
from demo.slack import people as p
from tests.cluster.api import JsonObject
from tests.cluster.installed import DEPLOY
from tests.cluster.ports import free_ports
from tests.image import dockerfile
from tests.image.building import IGNORE, ROOT, TEXT, Image, build
from tests.image.room import PATH
from tests.unit.jwts import token

PACKAGES = ("bot", "handlers", "config")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
FINAL = dockerfile.read(TEXT, PATH)[-1]
DATA = "/var/lib/token-doctor"
CONFIG = "/etc/token-doctor/token-doctor.yaml"
KUBECONFIG = """
{apiVersion: v1, kind: Config, current-context: away, contexts: [{name: away, context: {cluster: away, user: bot}}],
 clusters: [{name: away, cluster: {server: "http://127.0.0.1:9"}}], users: [{name: bot, user: {token: none}}]}
"""


# --- what is written ----------------------------------------------------------------------------------------


def test_hadolint_has_nothing_to_say() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_context_is_what_the_package_is_made_of() -> None:
    files = set(dockerfile.context(ROOT, IGNORE))
    assert {file.parts[0] for file in files} == {*PACKAGES, "pyproject.toml", "uv.lock", "README.md", "LICENSE"}
    assert {file for file in files if file.parts[0] in PACKAGES} == set(_sources(ROOT))


def test_it_is_named_as_the_project_is() -> None:
    labels = {name.rpartition(".")[2]: value for name, value in FINAL.labels.items()}
    assert labels["title"] == PROJECT["name"]
    assert labels["version"] == PROJECT["version"]
    assert labels["description"] == PROJECT["description"]
    assert labels["licenses"] == PROJECT["license"]
    assert f"docker build -t token-doctor:{PROJECT['version']} ." in TEXT


def _deployed() -> JsonObject:
    """The pod's spec, as it is without an overlay."""
    deployment = yaml.safe_load((DEPLOY / "bot" / "deployment.yaml").read_text("utf-8"))
    spec: JsonObject = deployment["spec"]["template"]["spec"]
    return spec


def test_the_manifests_and_the_image_are_of_one_mind() -> None:
    spec = _deployed()
    (bot,) = spec["containers"]
    assert FINAL.user == "{runAsUser}:{runAsGroup}".format(**spec["securityContext"])
    assert FINAL.command == tuple(bot["args"])
    assert FINAL.port == bot["ports"][0]["containerPort"]
    assert FINAL.health[-1] == FINAL.command[-1] == CONFIG
    volume = yaml.safe_load((DEPLOY / "overlays" / "sqlite" / "deployment.yaml").read_text("utf-8"))
    (mount,) = volume["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    owned = [step.to for step in FINAL.steps if isinstance(step, dockerfile.Copy) and step.owner == FINAL.user]
    assert owned == [mount["mountPath"]] == [FINAL.folder]


# --- what is installed --------------------------------------------------------------------------------------


def _sources(root: Path) -> Iterator[Path]:
    for package in PACKAGES:
        for file in (root / package).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(root)


def _installed(image: Image) -> Path:
    (found,) = (image.room.root / "opt" / "token-doctor").glob("lib/python*/site-packages")
    return found


def test_every_file_of_the_packages_is_in_it(image: Image) -> None:
    """Migrations, runbooks and the examples too; and nothing for development."""
    found = _installed(image)
    assert sorted(_sources(found)) == sorted(_sources(ROOT))
    assert not (found / "pytest").exists()
    assert not (found / "hatchling").exists()
    assert not list(found.glob("__editable__*"))


def test_it_is_compiled_already(image: Image) -> None:
    """The root is read-only: what is not compiled now is compiled again at every start."""
    found = _installed(image)
    sources = [file for file in _sources(found) if file.suffix == ".py"]
    compiled = {found / file for file in sources if list((found / file.parent).glob(f"__pycache__/{file.stem}.*.pyc"))}
    assert compiled == {found / file for file in sources}


def test_built_twice_it_is_the_same(image: Image, tmp_path: Path) -> None:
    once, twice = _digests(image), _digests(build(tmp_path))
    assert {name for name in once.keys() | twice.keys() if once.get(name) != twice.get(name)} == set()


def _digests(image: Image) -> Mapping[str, str]:
    """Of each file that the last stage has of its own."""
    root = image.room.root / "opt"
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in root.rglob("*")
        if file.is_file() and not file.is_symlink()
    }


# --- what it does -------------------------------------------------------------------------------------------


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Folders that the image's user may write, as a volume and an emptyDir are, and one for the configuration."""
    for name in ("tmp", "data"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o777)
    (tmp_path / "config").mkdir()
    return tmp_path


def _command(image: Image, outside: Path, *words: str) -> list[str]:
    return image.command(
        words,
        writable={"/tmp": outside / "tmp", DATA: outside / "data"},  # noqa: S108  # the image's own
        sealed={str(Path(CONFIG).parent): outside / "config"},
    )


def _write(outside: Path, settings: Mapping[str, object]) -> None:
    (outside / "config" / Path(CONFIG).name).write_text(yaml.safe_dump(dict(settings)), "utf-8")


def _clusters(outside: Path) -> list[Mapping[str, str]]:
    """One that is away: the bot starts all the same."""
    (outside / "config" / "kubeconfig").write_text(KUBECONFIG)
    return [{"name": "prod", "kubeconfig": "/etc/token-doctor/kubeconfig"}]


def _variables(image: Image, extra: Mapping[str, str]) -> dict[str, str]:
    own = {"PATH": PATH, "HOME": "/"} | image.stage.variables
    return {**own, **extra}


def _run(image: Image, outside: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(image, outside, *image.stage.entrypoint, *words),
        env=_variables(image, {}),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


PROBE = """
import os, pathlib
def tried(path):
    try:
        pathlib.Path(path, "x").touch()
    except OSError:
        return False
    return True
print(os.getuid(), *(name for name in ("/", "/opt", "/usr", "/etc/token-doctor", "/tmp", os.getcwd()) if tried(name)))
os.execv("/bin/sh", ["sh", "-c", "echo a shell"])
"""


def test_it_is_run_as_an_engine_would(image: Image, outside: Path) -> None:
    """Else the tests below would show nothing: its own user, a root that cannot be written, no shell."""
    done = subprocess.run(
        _command(image, outside, "python", "-c", PROBE),
        env=_variables(image, {}),
        capture_output=True,
        text=True,
        check=False,
    )
    user = image.stage.user.partition(":")[0] if os.geteuid() == 0 else "0"
    assert done.stdout.split() == [user, "/tmp", DATA]  # noqa: S108  # the image's own
    assert "PermissionError" in done.stderr


@pytest.mark.parametrize(
    ("words", "shows"),
    [
        (("--help",), "Usage: token-doctor"),
        (("--version",), f"token-doctor {PROJECT['version']}"),
        (("explain", "token-expired"), "kubectl"),
        (("errors", "service account token has expired"), "token-expired"),
        (("decode",), "system:serviceaccount:shop:checkout"),
        (("rbac",), "kind: ClusterRole"),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_it_does_what_needs_nothing_else(image: Image, outside: Path, words: tuple[str, ...], shows: str) -> None:
    claims = {"sub": "system:serviceaccount:shop:checkout", "exp": int(time.time()) + 600}
    done = _run(image, outside, *words, stdin=token(claims) if words == ("decode",) else "")
    assert done.returncode == 0, done.stderr
    assert shows in done.stdout


def test_it_makes_its_tables_on_the_volume_alone(image: Image, outside: Path) -> None:
    _write(outside, {"database": {"url": f"sqlite+aiosqlite:///{DATA}/token-doctor.db"}})
    done = _run(image, outside, "migrate", "--config", CONFIG)
    assert done.returncode == 0, done.stderr
    assert "They were made." in done.stdout
    assert (outside / "data" / "token-doctor.db").stat().st_size
    _write(outside, {"database": {"url": "sqlite+aiosqlite:////opt/token-doctor/token-doctor.db"}})
    done = _run(image, outside, "migrate", "--config", CONFIG)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


async def test_a_wrong_installation_says_why(image: Image, outside: Path) -> None:
    """What the Deployment's init step runs, without tokens and then with them."""
    (preflight,) = _deployed()["initContainers"]
    async with SlackServer() as slack:
        _write(outside, {"slack": {"api_url": slack.api_url}, "clusters": _clusters(outside)})
        tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
        code, told = await _ended(image, outside, *image.stage.entrypoint, *preflight["args"], variables={})
        assert code == 1, told
        assert "SLACK_BOT_TOKEN is not set" in told
        code, told = await _ended(image, outside, *image.stage.entrypoint, *preflight["args"], variables=tokens)
        assert code == 0, told


@asynccontextmanager
async def _running(image: Image, outside: Path, slack: SlackServer) -> AsyncIterator[asyncio.subprocess.Process]:
    """The image's own command; killed where a test leaves it."""
    tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
    process = await asyncio.create_subprocess_exec(
        *_command(image, outside, *image.stage.entrypoint, *image.stage.command),
        env=_variables(image, tokens),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _ended(image: Image, outside: Path, *words: str, variables: Mapping[str, str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *_command(image, outside, *words),
        env=_variables(image, variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    return process.returncode or 0, told.decode()


async def _health(image: Image, outside: Path) -> tuple[int, str]:
    return await _ended(image, outside, *image.stage.health, variables={"HTTP_PROXY": "http://127.0.0.1:9"})


async def test_its_command_serves_slack_until_it_is_stopped(image: Image, outside: Path) -> None:
    """As its own user, with a policy, so that it has a database on the volume; its health check goes along."""
    (port,) = free_ports(1)
    rule = {"actions": ["delete-pod"], "namespaces": ["*"], "requesters": [p.ON_CALL], "approvers": [p.APPROVERS]}
    async with SlackServer() as slack:
        _write(
            outside,
            {
                "slack": {"api_url": slack.api_url},
                "clusters": _clusters(outside),
                "database": {"url": f"sqlite+aiosqlite:///{DATA}/token-doctor.db"},
                "policy": [rule],
                "web": {"host": "127.0.0.1", "port": port},
            },
        )
        assert await _health(image, outside) == (1, f"no answer on port {port}: [Errno 111] Connection refused\n")
        async with _running(image, outside, slack) as process, asyncio.timeout(60):
            assert process.stdout is not None
            lines = []
            async for line in process.stdout:
                lines.append(line.decode())
                if line.startswith(b"ready: "):
                    break
            assert process.returncode is None, "".join(lines)
            assert await _health(image, outside) == (0, "")
            process.terminate()
            rest = (await process.stdout.read()).decode()
            assert await process.wait() == 0, rest
    assert "Traceback" not in "".join(lines) + rest
