"""Versions as API servers write them, and what holds for which."""

import pytest

from bot.diagnosis import CAUSES
from bot.versions import NO_GENERATED_SECRETS, Minor, dated, holds, minor_of


@pytest.mark.parametrize(
    ("git_version", "expected"),
    [
        ("v1.36.3", Minor(1, 36)),
        ("v1.30.14-eks-3025e55", Minor(1, 30)),
        ("v1.33.5-gke.1080000", Minor(1, 33)),
        ("v1.29.4+k3s1", Minor(1, 29)),
        ("v1.37.0-alpha.1.12+0e2f4a9c1f2d3e", Minor(1, 37)),
        ("v1.20.15", Minor(1, 20)),
        ("1.24", Minor(1, 24)),
        ("", None),
        ("unknown", None),
        ("v1", None),
    ],
)
def test_a_version_is_read_off_what_the_api_server_says(git_version: str, expected: Minor | None) -> None:
    assert minor_of(git_version) == expected


def test_versions_compare_by_number_not_by_text() -> None:
    assert Minor(1, 9) < Minor(1, 24) < Minor(1, 100)


@pytest.mark.parametrize(
    ("version", "since", "until", "expected"),
    [
        (Minor(1, 23), Minor(1, 24), None, False),
        (Minor(1, 24), Minor(1, 24), None, True),
        (Minor(1, 23), None, Minor(1, 23), True),
        (Minor(1, 24), None, Minor(1, 23), False),
        (Minor(1, 30), None, None, True),
        (None, Minor(1, 24), Minor(1, 23), True),
    ],
)
def test_what_holds(version: Minor | None, since: Minor | None, until: Minor | None, *, expected: bool) -> None:
    assert holds(version, since, until) is expected


def test_versions_are_told_in_words() -> None:
    assert dated(NO_GENERATED_SECRETS, None) == "since 1.24"
    assert dated(None, NO_GENERATED_SECRETS.before) == "up to 1.23"
    assert dated(Minor(1, 21), Minor(1, 23)) == "1.21 to 1.23"
    assert not dated(None, None)


def test_every_cause_has_a_remedy_on_every_version() -> None:
    without = [
        f"{code} on 1.{minor}"
        for code, cause in CAUSES.items()
        for minor in range(20, 38)
        if cause.remedies and not any(remedy.holds_for(Minor(1, minor)) for remedy in cause.remedies)
    ]
    assert not without
