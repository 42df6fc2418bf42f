"""A token is freed from what people copy along with it, and from nothing else."""

import base64
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.standard_input import read_token, refuse_arguments
from bot.errors import NotATokenError, WrongUsageError
from tests.unit.jwts import BOUND, token

TOKEN = token(BOUND)
ENCODED = base64.b64encode(TOKEN.encode()).decode()
WRAPPED = base64.encodebytes(TOKEN.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"{TOKEN}\n",
        f"  {TOKEN}\r\n\n",
        f'"{TOKEN}"\n',
        f"'{TOKEN}'",
        f"`{TOKEN}`",
        f"“{TOKEN}”",
        f"Bearer {TOKEN}",
        f"bearer   {TOKEN}\n",
        f"Authorization: Bearer {TOKEN}",
        f'"Bearer {TOKEN}"',
        f'"token": "{TOKEN}",'.removeprefix('"token": '),
        f"\ufeff{TOKEN}",
        ENCODED,
        f"{ENCODED}\n",
        f'"{ENCODED}"',
        WRAPPED,
        f"Bearer {ENCODED}",
        base64.b64encode(f"{TOKEN}\n".encode()).decode(),
    ],
)
def test_what_stands_around_a_token_is_taken_off(text: str) -> None:
    assert read_token(io.BytesIO(text.encode())).reveal() == TOKEN


@pytest.mark.parametrize("text", ["hello", "a.b.c", "c2VjcmV0", f"{TOKEN} {TOKEN}", f"{TOKEN[:50]}\n{TOKEN[50:]}"])
def test_other_text_is_left_for_the_decoder_to_refuse(text: str) -> None:
    assert read_token(io.BytesIO(text.encode())).reveal() == text


def test_too_much_text_is_refused_unread() -> None:
    stream = io.BytesIO(b"a" * 10_000_000)
    with pytest.raises(NotATokenError, match="far longer than any token"):
        read_token(stream)
    assert stream.tell() < 100_000


def test_nothing_at_all_gets_a_hint() -> None:
    with pytest.raises(NotATokenError, match="Nothing came from standard input") as refused:
        read_token(io.BytesIO(b" \n"))
    assert "Or did what is piped fail?" in refused.value.next_step


def test_a_terminal_gets_a_hint() -> None:
    class Terminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

    with pytest.raises(WrongUsageError) as refused:
        read_token(Terminal(TOKEN.encode()))
    assert "nothing is piped in" in str(refused.value)
    assert "| token-doctor decode" in refused.value.next_step


def test_a_token_as_an_argument_is_refused_without_quoting_it() -> None:
    refuse_arguments([])
    with pytest.raises(WrongUsageError) as refused:
        refuse_arguments([TOKEN])
    assert TOKEN not in str(refused.value) + refused.value.next_step
    assert "revoke it" in refused.value.next_step


@given(st.binary(max_size=2000))
def test_any_bytes_can_be_read(data: bytes) -> None:
    if data.strip():
        assert isinstance(read_token(io.BytesIO(data)).reveal(), str)
