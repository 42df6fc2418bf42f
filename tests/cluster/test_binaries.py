"""The programs' cache, and what a machine without Go is told."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster import binaries
from tests.cluster.launch import ROOT


def test_the_cache_belongs_to_the_module_s_sums(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = binaries.PRESENT.module
    module = (folder / "go.mod").read_bytes() + (folder / "go.sum").read_bytes()

    expected = tmp_path / "token-doctor" / "control-plane" / hashlib.sha256(module).hexdigest()[:16] / "bin"

    assert binaries.folder() == expected


def test_what_is_borrowed_belongs_to_the_cache_s_name_too(tmp_path: Path) -> None:
    """With new programs to borrow, the older control plane is put together again."""
    for name in ("go.mod", "go.sum"):
        (tmp_path / name).write_text("another one")
    other = replace(binaries.OLD, borrows=binaries.Build(tmp_path, binaries.PRESENT.programs))

    assert other.digest() != binaries.OLD.digest()
    assert len({build.digest() for build in (binaries.PRESENT, binaries.OLD)}) == 2


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing cached, no Go, no network."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    for name in ("UV_OFFLINE", "UV_NO_CACHE", "PIP_NO_INDEX"):
        monkeypatch.setenv(name, "1")


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("build", [binaries.PRESENT, binaries.OLD], ids=["present", "old"])
def test_without_go_and_network_it_says_what_to_install(build: binaries.Build) -> None:
    with pytest.raises(binaries.CannotBuildError, match=r"Install Go 1\.\d+ \(https://go\.dev/dl\)"):
        binaries.ensure(build)

    assert not binaries.folder(build).exists()


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize(("ci", "outcome", "status"), [("", "1 skipped", 0), ("true", "1 error", 1)])
def test_a_machine_that_cannot_build_skips_or_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: str, status: int
) -> None:
    monkeypatch.setenv("CI", ci)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/cluster/test_plane.py"]

    ran = subprocess.run(
        [*command, "-k", "shared_control_plane_is_not_stopped"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ran.returncode == status
    assert outcome in ran.stdout
    assert "Install Go 1." in ran.stdout


@pytest.mark.parametrize(("build", "modules"), [(binaries.PRESENT, 33), (binaries.OLD, 30)], ids=["present", "old"])
def test_replaced_modules_have_the_version_that_kubernetes_has(build: binaries.Build, modules: int) -> None:
    lines = (build.module / "go.mod").read_text().splitlines()
    replaced = [line.split() for line in lines if " => " in line]

    staging = binaries.kubernetes_version(build).replace("v1.", "v0.", 1)
    assert len(replaced) == modules
    assert all(line[0] == line[2] and line[3] == staging for line in replaced)
