"""The overlays of deploy/, as a platform team applies them: judged by the API server, and by the program in the pod."""

import copy
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
import yaml

from bot.app import longest_stop
from bot.web import Web
from config import credentials
from config.settings import Settings, load
from tests.cluster.api import ApiError, JsonObject
from tests.cluster.installed import DEPLOY, PROBES, install, kubectl
from tests.cluster.overlays import Overlay, mounted, overlay
from tests.cluster.plane import Plane
from tests.cluster.waiting import eventually

ROOT = DEPLOY.parent
LONGEST_DEADLINE, LONGEST_DRAIN = 30, 60
"""Of checks.deadline_seconds and, over HTTP, web.drain_seconds."""
MARKED = {name: f"marked-{name}" for name in vars(credentials).values() if isinstance(name, str) and name.isupper()}
"""A value for each variable that config/credentials.py knows."""


@pytest.fixture(
    params=[("sqlite", False), ("postgresql", False), ("sqlite", True), ("postgresql", True)],
    ids=lambda each: f"{each[0]}-http" if each[1] else each[0],
)
async def found(request: pytest.FixtureRequest, plane: Plane, tmp_path: Path) -> Overlay:
    name, http = request.param
    return await overlay(plane, tmp_path, name, http=http)


# --- the API server's word ----------------------------------------------------------------------------------


async def test_the_api_server_takes_it(plane: Plane, found: Overlay, tmp_path_factory: pytest.TempPathFactory) -> None:
    await install(plane, tmp_path_factory.mktemp("install"))
    await kubectl(plane, "apply", "--server-side", "--dry-run=server", "--force-conflicts", "-f", "-", stdin=found.text)


@pytest.fixture(params=["plane", "old_plane"])
def either(request: pytest.FixtureRequest) -> Plane:
    """The present Kubernetes, and 1.30."""
    plane: Plane = request.getfixturevalue(request.param)
    return plane


@pytest.fixture
async def place(either: Plane) -> str:
    """A namespace that is about to be replaced by the overlay's own."""
    return await either.create_namespace()


async def test_its_pods_are_let_in(either: Plane, place: str, found: Overlay) -> None:
    """Really applied: the namespace's label is in force while the controllers make the pods."""
    await kubectl(either, "apply", "-f", "-", stdin=yaml.safe_dump_all(found.moved_to(place)))
    wanted = found.deployment["spec"]["replicas"]

    async def pods() -> list[JsonObject]:
        items: list[JsonObject] = (await either.api.get(f"/api/v1/namespaces/{place}/pods"))["items"]
        return items

    await eventually(pods, lambda items: len(items) == wanted, f"{wanted} pods of {found.name}")
    labels = (await either.api.get(f"/api/v1/namespaces/{place}"))["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def _root(spec: JsonObject) -> None:
    del spec["securityContext"]["runAsNonRoot"]


def _seccomp(spec: JsonObject) -> None:
    del spec["securityContext"]["seccompProfile"]


def _host_network(spec: JsonObject) -> None:
    spec["hostNetwork"] = True


def _host_path(spec: JsonObject) -> None:
    spec["volumes"].append({"name": "host", "hostPath": {"path": "/"}})


def _privileged(spec: JsonObject) -> None:
    spec["containers"][0]["securityContext"] = {"privileged": True}


def _escalation(spec: JsonObject) -> None:
    del spec["containers"][0]["securityContext"]["allowPrivilegeEscalation"]


def _capabilities(spec: JsonObject) -> None:
    del spec["initContainers"][0]["securityContext"]["capabilities"]


@pytest.mark.parametrize(
    "change", [_root, _seccomp, _host_network, _host_path, _privileged, _escalation, _capabilities]
)
async def test_a_pod_that_asks_for_more_is_refused(
    plane: Plane, namespace: str, tmp_path: Path, change: Callable[[JsonObject], None]
) -> None:
    """The label bites, and nothing of the delivered securityContext could be left out."""
    found = await overlay(plane, tmp_path, "sqlite", http=False)
    moved = [each for each in found.moved_to(namespace) if each["kind"] in {"Namespace", "ServiceAccount"}]
    await kubectl(plane, "apply", "-f", "-", stdin=yaml.safe_dump_all(moved))
    path = f"/api/v1/namespaces/{namespace}/pods"
    pod = {"metadata": {**found.pod["metadata"], "generateName": "bot-"}, "spec": copy.deepcopy(found.pod["spec"])}
    await plane.api.post(path, pod, {"dryRun": "All"})
    change(pod["spec"])
    with pytest.raises(ApiError, match='violates PodSecurity \\\\"restricted') as refused:
        await plane.api.post(path, pod, {"dryRun": "All"})
    assert refused.value.status == 403


async def test_the_secrets_are_made_by_the_commands_in_its_comment(
    plane: Plane, found: Overlay, namespace: str, tmp_path: Path
) -> None:
    """With the variables that the program reads, and all Secrets that the pod names."""
    named = set(re.findall(r"[A-Z_]+(?==)", found.head))
    made: dict[str, set[str]] = {}
    for command in re.findall(r"^#   kubectl (create secret .+)$", found.head, re.MULTILINE):
        (name,) = re.findall(r"--from-env-file=(\S+)$", command)
        keys = {key for key in named if key.lower().startswith(Path(name).stem)}
        (tmp_path / name).write_text("".join(f"{key}={MARKED[key]}\n" for key in keys))
        words = command.replace("-n token-doctor", f"-n {namespace}").replace(name, str(tmp_path / name)).split()
        secret = yaml.safe_load(await kubectl(plane, *words, "--dry-run=server", "-o", "yaml"))
        made[secret["metadata"]["name"]] = set(secret["data"])
    assert set(made) == {one["secretRef"]["name"] for each in found.containers for one in each["envFrom"]}
    assert all(made.values())
    assert set.union(*made.values()) == named <= set(MARKED)


# --- the program's word -------------------------------------------------------------------------------------


def settings_of(found: Overlay, container: JsonObject, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As the program in this container reads them: its --config, its variables."""
    for variable in container.get("env", []):
        monkeypatch.setenv(variable["name"], variable["value"])
    for name, value in MARKED.items():
        monkeypatch.setenv(name, value)
    files = mounted(found, container, folder)
    return load(Path(files[container["args"][container["args"].index("--config") + 1]]))


async def test_the_program_reads_its_configuration_without_mistakes(
    found: Overlay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = [settings_of(found, each, tmp_path, monkeypatch) for each in found.containers]
    assert {each.database for each in read} == {read[-1].database}
    assert read[-2] == read[-1], "what is tried first is what runs then"
    assert read[-1].slack.mode == ("http" if found.http else "socket")
    assert urlsplit(read[-1].database.url).scheme.startswith(found.name)


async def test_the_commands_and_options_exist(found: Overlay) -> None:
    help_ = _token_doctor("--help")
    for container in found.containers:
        name, *words = container["args"]
        assert re.search(rf"^  {name}  ", help_, re.MULTILINE), f"no command {name}"
        own = _token_doctor(name, "--help")
        assert all(word in own for word in words if word.startswith("--"))


def _token_doctor(*words: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "bot", *words], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout


async def test_what_runs_first_comes_first(found: Overlay) -> None:
    """Tables before anybody looks whether they are there; then what a wrong installation is told; then the bot."""
    names = [each["name"] for each in found.containers]
    assert names == [*(["migrate"] if found.name == "postgresql" else []), "preflight", "token-doctor"]
    assert [each["args"][0] for each in found.containers] == [*names[:-1], "run"]


async def test_the_ports_are_one(found: Overlay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = settings_of(found, found.bot, tmp_path, monkeypatch).web.port
    (listens,) = found.bot["ports"]
    (served,) = found.one("Service")["spec"]["ports"]
    assert (listens["containerPort"], served["port"], served["targetPort"]) == (port, port, listens["name"])
    opened = [
        one["port"]
        for policy in found.all("NetworkPolicy")
        for rule in policy["spec"].get("ingress", [])
        for one in rule["ports"]
    ]
    assert opened == [port] * (2 if found.http else 1)


async def test_slack_reaches_its_one_path_and_no_other(plane: Plane, tmp_path: Path) -> None:
    """At the address that the Slack app's manifest has; and the component's comment names the program's variables."""
    found = await overlay(plane, tmp_path, "postgresql", http=True)
    (rule,) = found.one("Ingress")["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    manifest = _token_doctor("manifest", "--url", f"https://{rule['host']}")
    assert set(re.findall(r"url: (\S+)", manifest)) == {f"https://{rule['host']}{path['path']}"}
    assert path["pathType"] == "Exact"
    service = found.one("Service")
    port = {"name": service["spec"]["ports"][0]["name"]}
    assert path["backend"]["service"] == {"name": service["metadata"]["name"], "port": port}
    comment = (DEPLOY / "components" / "http" / "kustomization.yaml").read_text("utf-8")
    assert set(re.findall(r"SLACK_[A-Z_]+", comment)) == {"SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"} <= set(MARKED)


async def test_the_probes_ask_for_what_the_bot_answers(found: Overlay) -> None:
    async def nothing() -> str:
        return ""

    web = Web("127.0.0.1", 0, metrics=nothing, not_ready=nothing)
    port = await web.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                probe = found.bot[kind]["httpGet"]
                assert probe["port"] == found.bot["ports"][0]["name"]
                async with session.get(probe["path"]) as response:
                    assert response.status == 200, kind
    finally:
        await web.stop()


async def test_a_pod_has_the_time_that_the_bot_takes_to_stop(found: Overlay) -> None:
    assert found.pod["spec"]["terminationGracePeriodSeconds"] > longest_stop(LONGEST_DEADLINE, LONGEST_DRAIN)


async def test_what_the_bot_writes_lies_where_it_may(
    found: Overlay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = found.pod["spec"]
    volumes = {each["name"]: each for each in spec["volumes"]}
    for container in found.containers:
        writable = {
            each["mountPath"]: volumes[each["name"]] for each in container["volumeMounts"] if not each.get("readOnly")
        }
        assert "emptyDir" in writable.pop("/tmp")  # noqa: S108  # a path in the container
        database = urlsplit(settings_of(found, container, tmp_path, monkeypatch).database.url)
        if not database.scheme.startswith("sqlite"):
            assert writable == {}
            continue
        claim = writable.pop(str(Path(database.path.removeprefix("/")).parent))["persistentVolumeClaim"]["claimName"]
        assert claim == found.one("PersistentVolumeClaim")["metadata"]["name"]
        assert writable == {}
        assert spec["securityContext"]["fsGroup"]


# --- of one piece -------------------------------------------------------------------------------------------


async def test_there_are_as_many_as_its_database_is_for(found: Overlay) -> None:
    spec = found.deployment["spec"]
    if found.name == "sqlite":
        assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
        assert found.all("PodDisruptionBudget") == []
        return
    assert found.one("PodDisruptionBudget")["spec"]["minAvailable"] < spec["replicas"]
    assert spec.get("strategy", {}).get("type", "RollingUpdate") == "RollingUpdate"


async def test_everything_that_selects_selects_the_bots_pod(found: Overlay) -> None:
    labels = found.pod["metadata"]["labels"]
    selectors = [
        found.deployment["spec"]["selector"]["matchLabels"],
        found.one("Service")["spec"]["selector"],
        *(each["spec"]["podSelector"]["matchLabels"] for each in found.all("NetworkPolicy")),
        *(each["spec"]["selector"]["matchLabels"] for each in found.all("PodDisruptionBudget")),
        *(each["labelSelector"]["matchLabels"] for each in found.pod["spec"].get("topologySpreadConstraints", [])),
    ]
    assert all(each == labels for each in selectors)


async def test_the_network_lets_out_what_the_bot_asks(
    found: Overlay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = {
        one["port"]
        for policy in found.all("NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
        for one in rule["ports"]
    }
    database = urlsplit(settings_of(found, found.bot, tmp_path, monkeypatch).database.url)
    own = {database.port or 5432} if database.scheme.startswith("postgresql") else set()
    assert out == {53, 443, 6443} | own


async def test_the_account_is_the_one_that_has_the_rights(found: Overlay) -> None:
    (account,) = found.all("ServiceAccount")
    assert found.pod["spec"]["serviceAccountName"] == account["metadata"]["name"]
    assert found.pod["spec"]["automountServiceAccountToken"] is True
    subjects = {
        (each["name"], each["namespace"]) for document in found.documents for each in document.get("subjects", [])
    }
    assert subjects == {(account["metadata"]["name"], account["metadata"]["namespace"])}
    namespaces = {each["metadata"].get("namespace") for each in found.documents if "rbac" not in each["apiVersion"]}
    assert namespaces - {None} == {account["metadata"]["namespace"]}
    assert PROBES not in namespaces


async def test_the_image_is_this_version_s_and_named_once(found: Overlay) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert {each["image"] for each in found.containers} == {f"token-doctor:{version}"}
