"""A component's command line, however it is written."""

import pytest

from bot.kube.facets.components import flags_of


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        (["kube-apiserver", "--a=1", "--a=2", "--b"], {"a": ("1", "2"), "b": ("true",)}),
        (["kube-apiserver", "--a", "1", "--b", "--c=x=y"], {"a": ("1",), "b": ("true",), "c": ("x=y",)}),
        (["sh", "-c", "exec kube-apiserver --a=1 --b='2 3' 2>&1"], {"a": ("1",), "b": ("2 3",)}),
        (["sh", "-c", "exec kube-apiserver --a=1 --b='2"], {"a": ("1",), "b": ("'2",)}),
        (["kube-apiserver", "--service_account_issuer=x"], {"service-account-issuer": ("x",)}),
        (["kube-apiserver", "--a= two words --not-a-flag"], {"a": (" two words --not-a-flag",)}),
        (["/entrypoint"], None),
        ([], None),
    ],
)
def test_flags_are_read_off_a_command_line(command: list[str], flags: dict[str, tuple[str, ...]] | None) -> None:
    assert flags_of(command) == flags
