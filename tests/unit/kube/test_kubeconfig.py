"""Which cluster is meant, as kubectl decides it, and every mistake in words."""

import base64
import json
import os
from pathlib import Path

import pytest

from bot.errors import WrongUsageError
from bot.kube.client import connect
from bot.kube.kubeconfig import choose, paths, text_of

SECRET = "s3cr3t-s3cr3t-s3cr3t"


def write(path: Path, *, context: str | None, server: str = "https://a.test", name: str = "a") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    config = {
        "clusters": [{"name": name, "cluster": {"server": server}}],
        "users": [{"name": name, "user": {"token": SECRET}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": f"of-{name}"}}],
        **({"current-context": context} if context else {}),
    }
    path.write_text(json.dumps(config))
    return path


async def connected(**arguments: object) -> tuple[str, str, str]:
    cluster = await connect("", **arguments)  # type: ignore[arg-type]  # checked by the callers' tests
    await cluster.close()
    return cluster.name, cluster.server, cluster.namespace


async def test_the_current_context_is_the_default(tmp_path: Path) -> None:
    path = write(tmp_path / "config", context="a")
    assert await connected(kubeconfig=path, environ={}) == ("a", "https://a.test", "of-a")


async def test_kubeconfig_may_list_several_files_and_the_first_one_to_say_wins(tmp_path: Path) -> None:
    first = write(tmp_path / "1", context=None, name="a", server="https://first.test")
    second = write(tmp_path / "2", context="b", name="b", server="https://b.test")
    third = write(tmp_path / "3", context="a", name="a", server="https://third.test")
    environ = {"KUBECONFIG": os.pathsep.join(map(str, [first, tmp_path / "missing", second, third]))}

    assert (await connected(environ=environ))[1] == "https://b.test"
    assert (await connected(environ=environ, context="a"))[1] == "https://first.test"


async def test_no_kubeconfig_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(WrongUsageError, match="No kubeconfig was found") as refused:
        await connected(environ={"KUBECONFIG": str(tmp_path / "missing")})
    assert "--kubeconfig" in refused.value.next_step
    assert refused.value.exit_code == 2


async def test_an_unknown_context_gets_the_nearest_and_the_known(tmp_path: Path) -> None:
    path = write(tmp_path / "config", context="prod-eu", name="prod-eu")
    with pytest.raises(WrongUsageError, match="Did you mean “prod-eu”") as refused:
        await connected(kubeconfig=path, context="prod-us")
    assert "prod-eu" in refused.value.next_step


async def test_no_current_context(tmp_path: Path) -> None:
    path = write(tmp_path / "config", context=None)
    with pytest.raises(WrongUsageError, match="no current context"):
        await connected(kubeconfig=path)


async def test_a_named_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(WrongUsageError, match="cannot be read: No such file"):
        await connected(kubeconfig=tmp_path / "missing")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"users: [{{token: {SECRET}}}\ncontexts: }}", r"is not YAML \(line 2\)"),
        (f"users: {SECRET}", "has a mistake"),
        (f"- {SECRET}", "has a mistake"),
        ("", "has no current context"),
    ],
)
async def test_a_broken_file_is_explained_without_quoting_it(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(WrongUsageError, match=said) as refused:
        await connected(kubeconfig=path)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"clusters": []}, "names cluster “a”, which is not in"),
        ({"users": []}, "names user “a”, which is not in"),
        ({"clusters": [{"name": "a", "cluster": {}}]}, "has no server address"),
        ({"clusters": [{"name": "a", "cluster": {"server": "a.test"}}]}, "no http or https URL"),
        (
            {"clusters": [{"name": "a", "cluster": {"server": "https://a", "proxy-url": "socks5://p"}}]},
            "only HTTP proxies",
        ),
        ({"users": [{"name": "a", "user": {"auth-provider": {"name": "oidc"}}}]}, "auth-provider “oidc”"),
        ({"users": [{"name": "a", "user": {"tokenFile": "missing"}}]}, "tokenFile.*cannot be read"),
        ({"users": [{"name": "a", "user": {"client-certificate-data": "%%"}}]}, "is not base64"),
    ],
)
async def test_a_context_that_cannot_work(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = write(tmp_path / "config", context="a")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(WrongUsageError, match=said):
        await connected(kubeconfig=path)


def test_of_two_contexts_with_one_name_the_first_is_meant(tmp_path: Path) -> None:
    first = write(tmp_path / "1", context="a")
    second = write(tmp_path / "2", context="a")
    second.write_text(second.read_text().replace("of-a", "of-another"))
    assert choose([first, second], None).namespace == "of-a"


def test_paths_start_from_the_file_that_names_them(tmp_path: Path) -> None:
    first = write(tmp_path / "one" / "config", context="a")
    second = write(tmp_path / "two" / "config", context="b", name="b")
    assert choose([first, second], "b").user_folder == tmp_path / "two"
    assert choose([first, second], "a").cluster_folder == tmp_path / "one"


def test_data_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("from the file")
    data = base64.b64encode(b"from the data").decode()
    assert text_of(data, "ca.crt", tmp_path, "certificate-authority") == "from the data"
    assert text_of("", "ca.crt", tmp_path, "certificate-authority") == "from the file"


def test_home_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = write(tmp_path / ".kube" / "config", context="a")
    assert paths(None, {}) == (path,)


def test_credentials_are_never_shown(tmp_path: Path) -> None:
    chosen = choose([write(tmp_path / "config", context="a")], None)
    assert chosen.user.token == SECRET
    assert SECRET not in repr(chosen)
