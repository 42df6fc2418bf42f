"""Looking only where a secret can begin finds what looking everywhere finds."""

from hypothesis import given
from hypothesis import strategies as st

from bot import redact as module
from bot.redact import MARK, redact

PIECES = [
    *(
        "token",
        "Token",
        "TOKEN",
        "password",
        "passwd",
        "client-key-data",
        "client_secret",
        "api_key",
        "apikey",
        "API-KEY",
    ),
    *(
        "bearer",
        "Bearer",
        "basic",
        "BASIC",
        " ",
        "\n",
        "=",
        ": ",
        '"',
        "'",
        "%20",
        "+",
        ".",
        "-",
        "x",
        "[token removed]",
    ),
    *("abcdefghijklmnopqrstuvwxyz", "0123456789AB", "==", "İ", "é", "a" * 19),
]


def everywhere(text: str) -> str:
    text = module._BEARER.sub(rf"\1\2{MARK}", text)  # noqa: SLF001  # the definition that the fast way must meet
    return module._ASSIGNED.sub(rf"\1{MARK}", text)  # noqa: SLF001  # the same


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_both_ways_find_the_same(text: str) -> None:
    assert redact(text) == everywhere(text)


def test_two_secrets_in_a_row_and_one_inside_another_s_word() -> None:
    text = "mytoken=abcdefghijklmnopqrstuvwx password: ABCDEFGHIJKLMNOPQRSTUVWX; Bearer abcdef0hijkl.token=zzz"
    assert redact(text) == f"mytoken={MARK} password: {MARK}; Bearer {MARK}zzz"
