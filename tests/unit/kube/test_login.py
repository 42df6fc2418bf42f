"""The bot's own credentials: read again when they age or are refused, and what is said when they fail."""

import base64
import datetime as dt
import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot import objects
from bot.errors import ClusterUnreachableError, WrongUsageError
from bot.kube import read
from bot.kube.client import Cluster, connect
from bot.kube.connection import Connection, Server
from bot.kube.login import Login, in_cluster
from bot.kube.permissions import GET_VERSION
from tests.unit import jwts
from tests.unit.kube.fake_api import FakeApi, Json

START = dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC)


class Clock:
    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> dt.datetime:
        return self.time

    def pass_by(self, **much: float) -> None:
        self.time += dt.timedelta(**much)


async def ask(connection: Connection) -> None:
    await read.get(connection, GET_VERSION, objects.Version)


def shown(api: FakeApi) -> list[str | None]:
    return [request.headers.get("Authorization") for request in api.requests]


async def as_user(api: FakeApi, folder: Path, user: Json, clock: Callable[[], dt.datetime]) -> Cluster:
    return await connect("here", kubeconfig=api.kubeconfig(folder, user), now=clock)


# --- in a pod -----------------------------------------------------------------------------------------------


async def test_the_pod_s_token_file_is_read_again_after_a_minute(api: FakeApi, tmp_path: Path) -> None:
    file, clock = tmp_path / "token", Clock()
    file.write_text("first\n")
    connection = Connection(Server(url=api.url), Login(in_cluster(file, clock), clock), cluster="here", now=clock)
    await ask(connection)
    file.write_text("second")
    clock.pass_by(seconds=59)
    await ask(connection)
    clock.pass_by(seconds=2)
    await ask(connection)
    await connection.close()

    assert shown(api) == ["Bearer first", "Bearer first", "Bearer second"]


async def test_a_refused_token_is_read_again_at_once_and_the_request_repeated(api: FakeApi, tmp_path: Path) -> None:
    file, clock = tmp_path / "token", Clock()
    file.write_text("first")
    api.accepted = {"Bearer second"}
    connection = Connection(Server(url=api.url), Login(in_cluster(file, clock), clock), cluster="here", now=clock)
    await connection._login.identity()  # noqa: SLF001  # as connect() does: read before the file changes
    file.write_text("second")
    await ask(connection)
    await connection.close()

    assert shown(api) == ["Bearer first", "Bearer second"]


async def test_a_token_that_stays_refused_is_said_once(api: FakeApi, tmp_path: Path) -> None:
    file, clock = tmp_path / "token", Clock()
    file.write_text("first")
    api.accepted = set()
    connection = Connection(Server(url=api.url), Login(in_cluster(file, clock), clock), cluster="here", now=clock)
    with pytest.raises(ClusterUnreachableError, match="cluster here refuses token-doctor's own credentials"):
        await ask(connection)
    await connection.close()

    assert len(api.requests) == 1


async def test_in_a_pod_the_cluster_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("mine")
    (tmp_path / "ca.crt").write_text("PEM")
    (tmp_path / "namespace").write_text("bots\n")
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    cluster = await connect("", environ=environ, service_account=tmp_path)

    assert (cluster.name, cluster.server, cluster.namespace) == ("in-cluster", "https://[fd00::1]:6443", "bots")


async def test_even_in_a_pod_a_named_kubeconfig_is_used(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("mine")
    path = api.kubeconfig(tmp_path)
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBECONFIG": str(path)}

    assert (await connect("", environ=environ, service_account=tmp_path)).server == api.url


# --- by kubeconfig ------------------------------------------------------------------------------------------


async def test_a_token_file_is_read_again(api: FakeApi, tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "token").write_text("first")
    cluster = await as_user(api, tmp_path, {"tokenFile": "token", "token": "unused"}, clock)
    await ask(cluster.main)
    (tmp_path / "token").write_text("second")
    clock.pass_by(minutes=1)
    await ask(cluster.main)
    await cluster.close()

    assert shown(api) == ["Bearer first", "Bearer second"]


async def test_after_a_401_the_kubeconfig_itself_is_read_again(api: FakeApi, tmp_path: Path) -> None:
    cluster = await as_user(api, tmp_path, {"token": "old"}, Clock())
    api.accepted = {"Bearer new"}
    api.kubeconfig(tmp_path, {"token": "new"})
    await ask(cluster.main)
    await cluster.close()

    assert shown(api) == ["Bearer old", "Bearer new"]


async def test_a_password_and_impersonation_are_sent(api: FakeApi, tmp_path: Path) -> None:
    user = {"username": "ann", "password": "pw", "as": "bob", "as-groups": ["dev", "ops"]}
    cluster = await as_user(api, tmp_path, user, Clock())
    await ask(cluster.main)
    await cluster.close()

    (request,) = api.requests
    assert request.headers["Authorization"] == f"Basic {base64.b64encode(b'ann:pw').decode()}"
    assert request.headers["Impersonate-User"] == "bob"
    assert request.headers.getall("Impersonate-Group") == ["dev", "ops"]


def plugin(folder: Path, body: str) -> Path:
    """A credential plugin that counts its runs; `n` is the run's number."""
    script = folder / "plugin"
    script.write_text(
        f"#!{sys.executable}\n"
        "import json, os, pathlib, sys\n"
        "runs = pathlib.Path(__file__).with_name('runs')\n"
        "n = int(runs.read_text()) + 1 if runs.exists() else 1\n"
        "runs.write_text(str(n))\n"
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "def answer(**status):\n"
        "    print(json.dumps({'kind': 'ExecCredential', 'apiVersion': info['apiVersion'], 'status': status}))\n"
        f"{body}\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def runs(folder: Path) -> int:
    return int((folder / "runs").read_text())


def by_plugin(**more: object) -> Json:
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", **more}}


async def test_a_plugin_is_run_again_when_its_token_has_expired(api: FakeApi, tmp_path: Path) -> None:
    clock = Clock()
    plugin(tmp_path, "answer(token=f'run-{n}', expirationTimestamp=f'2026-11-22T1{2 + n}:30:00Z')")
    cluster = await as_user(api, tmp_path, by_plugin(), clock)
    await ask(cluster.main)
    clock.pass_by(minutes=29)
    await ask(cluster.main)
    clock.pass_by(minutes=2)
    await ask(cluster.main)
    await cluster.close()

    assert shown(api) == ["Bearer run-1", "Bearer run-1", "Bearer run-2"]
    assert runs(tmp_path) == 2


async def test_a_plugin_is_run_again_after_a_401(api: FakeApi, tmp_path: Path) -> None:
    plugin(tmp_path, "answer(token=f'run-{n}')")
    cluster = await as_user(api, tmp_path, by_plugin(), Clock())
    api.accepted = {"Bearer run-2"}
    await ask(cluster.main)
    await cluster.close()

    assert shown(api) == ["Bearer run-1", "Bearer run-2"]


async def test_a_plugin_gets_its_arguments_and_the_cluster(api: FakeApi, tmp_path: Path) -> None:
    plugin(tmp_path, "answer(token='-'.join([sys.argv[1], os.environ['EXTRA'], info['spec']['cluster']['server']]))")
    user = by_plugin(args=["login"], env=[{"name": "EXTRA", "value": "more"}], provideClusterInfo=True)
    cluster = await as_user(api, tmp_path, user, Clock())
    await ask(cluster.main)
    await cluster.close()

    assert shown(api) == [f"Bearer login-more-{api.url}"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.exit('session over, token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln: log in')", "ended with status 1: "),
        ("print('hello')", "no ExecCredential"),
        ("answer()", "neither a token nor a certificate"),
        ("info['apiVersion'] = 'client.authentication.k8s.io/v1beta1'; answer(token='t')", "not ExecCredential"),
    ],
)
async def test_a_plugin_that_fails_is_quoted(api: FakeApi, tmp_path: Path, body: str, said: str) -> None:
    plugin(tmp_path, body)
    with pytest.raises(ClusterUnreachableError, match=said) as failed:
        await as_user(api, tmp_path, by_plugin(), Clock())
    assert "eyJ" not in str(failed.value)
    assert "log in again" in failed.value.next_step


@pytest.mark.parametrize("command", ["./missing", "no-such-plugin-anywhere"])
async def test_a_plugin_that_is_not_installed(api: FakeApi, tmp_path: Path, command: str) -> None:
    user = by_plugin(command=command, installHint="brew install it")
    with pytest.raises(ClusterUnreachableError, match="is not installed") as failed:
        await as_user(api, tmp_path, user, Clock())
    assert "brew install it" in failed.value.next_step


async def test_a_plugin_that_needs_a_person_is_refused(api: FakeApi, tmp_path: Path) -> None:
    with pytest.raises(WrongUsageError, match="asks questions"):
        await as_user(api, tmp_path, by_plugin(interactiveMode="Always"), Clock())


# --- client certificates ------------------------------------------------------------------------------------


def certificate(*, until: dt.datetime) -> tuple[str, str]:
    """A certificate and its key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "token-doctor")])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, until - dt.timedelta(days=1), until)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signed.decode(), private.decode()


def with_certificate(pair: tuple[str, str]) -> Json:
    certificate_data, key_data = (base64.b64encode(pem.encode()).decode() for pem in pair)
    return {"client-certificate-data": certificate_data, "client-key-data": key_data}


async def test_an_expired_client_certificate_is_named(api: FakeApi, tmp_path: Path) -> None:
    api.accepted = set()
    user = with_certificate(certificate(until=START - dt.timedelta(days=2)))
    cluster = await as_user(api, tmp_path, user, Clock())
    with pytest.raises(ClusterUnreachableError, match="client certificate for cluster here expired on 2026-11-20"):
        await ask(cluster.main)
    await cluster.close()


async def test_a_certificate_that_is_none(api: FakeApi, tmp_path: Path) -> None:
    cluster = await as_user(api, tmp_path, with_certificate(("no", "pem")), Clock())
    with pytest.raises(WrongUsageError, match="cannot be used"):
        await ask(cluster.main)
    await cluster.close()


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


async def test_no_key_is_left_on_the_disk(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    user = with_certificate(certificate(until=START + dt.timedelta(days=2)))
    cluster = await as_user(api, tmp_path, user, Clock())
    await ask(cluster.main)
    await cluster.close()

    assert files_in(tmp_path) == {"kubeconfig"}


async def test_identities_are_never_shown(api: FakeApi, tmp_path: Path) -> None:
    token = jwts.token(jwts.BOUND)
    cluster = await as_user(api, tmp_path, {"token": token}, Clock())
    identity = await cluster.main._login.identity()  # noqa: SLF001  # what a debugger would print

    assert json.dumps(token)[1:-1] in str(identity.headers)
    assert token not in repr(identity)
