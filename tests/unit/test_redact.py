"""No token gets through, whatever stands around it; and the words of an error do."""

import base64
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.redact import MARK, holds_token, redact, redact_each, redact_line
from tests.unit.jwts import BOUND, LEGACY, encoded, token

JWT = token(BOUND)
# Written in pieces, so that no scanner takes this file for a leak.
SLACK_BOT = "xox" + "b-2500000000-2500000000-AbCdEfGhIjKlMnOp"
SLACK_APP = "xapp" + "-1-A0123456789-250000000-0123456789abcdef"
OPAQUE = "c0ffee" * 8
PRIVATE_KEY = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\nIBAAKCAQEA\n-----END RSA " + "PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (JWT, MARK),
        (f"Authorization: Bearer {JWT}", f"Authorization: Bearer {MARK}"),
        (f'curl -H "authorization: bearer {JWT}" https://x', f'curl -H "authorization: bearer {MARK}" https://x'),
        (f'{{"token":"{JWT}"}}', f'{{"token":"{MARK}"}}'),
        (f"token {JWT[:60]}", f"token {MARK}"),
        (f"wss://x/?access_token={JWT}&x=1", f"wss://x/?access_token={MARK}&x=1"),
        (token(LEGACY, {"alg": "none"}, ""), MARK),
        (f"token: {base64.b64encode(JWT.encode()).decode()}", f"token: {MARK}"),
        (base64.b64encode(JWT.encode()).decode(), MARK),
        (base64.b64encode(b"x" + JWT.encode()).decode()[2:], MARK),
        (base64.b64encode(b"xx" + JWT.encode()).decode()[3:], MARK),
        (f"Bearer {OPAQUE}", f"Bearer {MARK}"),
        ("Bearer token-x5lgm:hqzmv7kc2rnb4dts", f"Bearer {MARK}"),
        (f"Authorization: Basic {base64.b64encode(b'ann:hunter2hunter2').decode()}", f"Authorization: Basic {MARK}"),
        (f"Bearer%20{OPAQUE}", f"Bearer%20{MARK}"),
        (SLACK_BOT, MARK),
        (f"SLACK_APP_TOKEN={SLACK_APP}", f"SLACK_APP_TOKEN={MARK}"),
        (f"password = '{OPAQUE}'", f"password = '{MARK}'"),
        (f"client-key-data: {base64.b64encode(PRIVATE_KEY.encode()).decode()}", f"client-key-data: {MARK}"),
        (f"key:\n{PRIVATE_KEY}\nnext", "key:\n[private key removed]\nnext"),
        (PRIVATE_KEY[:50], "[private key removed]"),
        (f"{JWT}\n{JWT}", f"{MARK}\n{MARK}"),
    ],
)
def test_a_token_is_taken_out_and_the_rest_stays(text: str, clean: str) -> None:
    assert redact(text) == clean
    assert holds_token(text)
    assert not holds_token(clean)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"Unable to authenticate the request" err="[invalid bearer token, service account token has expired]"',
        'token audiences ["vault"] is invalid for the target audiences ["https://kubernetes.default.svc"]',
        'serviceaccounts "gone" not found',
        "the server has asked for the client to provide credentials",
        "service account UID (1805f0a5-1c1e-4000-8000-000000000001) does not match claim (0000)",
        'WWW-Authenticate: Bearer realm="kubernetes"',
        "open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory",
        "token expired",
        "basic authentication is disabled",
        "token: /var/run/secrets/kubernetes.io/serviceaccount/token",
        "invalid bearer token, secretName claim is missing",
        "system:serviceaccount:shop:checkout",
        "GET /api/v1/namespaces/shop/pods?token=short 401",
        "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
    ],
)
def test_the_words_of_an_error_stay(text: str) -> None:
    assert redact(text) == text


_WORDS = st.text(alphabet=string.ascii_letters + string.digits, min_size=8, max_size=60)
_TOKENS = st.builds(
    lambda claims, signature: token(claims, signature=encoded(signature.encode())),
    st.dictionaries(st.sampled_from(list(BOUND)), _WORDS, min_size=1),
    _WORDS,
)
_PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "Bearer ",
            "basic ",
            "token: ",
            "password=",
            "eyJ",
            "ZXlK",
            ".",
            "xox" + "b-",
            "xapp" + "-",
            '"',
            "\n",
            PRIVATE_KEY,
            MARK,
        ]
    ),
    _WORDS,
    _TOKENS,
)
_BEFORE = st.text(alphabet=string.printable, max_size=40)


@given(_BEFORE, _TOKENS, _BEFORE)
def test_no_segment_of_a_token_gets_through(before: str, raw: str, after: str) -> None:
    clean = redact(f"{before} {raw}\n{after}")
    for segment in raw.split("."):
        assert segment not in clean


@given(_TOKENS, st.integers(min_value=12))
def test_no_beginning_of_a_token_gets_through(raw: str, cut: int) -> None:
    beginning = raw[: max(12, cut % len(raw))]
    assert beginning not in redact(f"401 with {beginning}")
    assert beginning not in redact(json.dumps({"log": f"Bearer {beginning}"}))


@given(st.lists(_PIECES, max_size=8).map("".join))
def test_what_was_cleaned_once_stays_as_it_is(text: str) -> None:
    """The doors out refuse a text that holds a token, so cleaning must be final."""
    clean = redact(text)
    assert redact(clean) == clean
    assert not holds_token(clean)


@pytest.mark.parametrize(
    "piece", ["eyJ", "Bearer ", "bearer bearer ", "token=", "-----BEGIN PRIVATE KEY-----", "a" * 50]
)
def test_a_hostile_line_takes_linear_time(piece: str) -> None:
    """A megabyte; a quadratic expression would run for minutes here and be stopped by the suite's own limit."""
    text = piece * (1_000_000 // len(piece))
    assert not holds_token(redact(text))


def test_of_plain_data_each_text_is_redacted_by_itself() -> None:
    """By itself: what the JSON text of a value and its neighbours looks like does not matter."""
    data = {"a": [JWT, (7, None, f"x {JWT}")], "token": OPAQUE, JWT: {"b": True}}
    inside = {"a": [MARK, [7, None, f"x {MARK}"]], "token": OPAQUE}
    assert redact_each(data, keys=False) == {**inside, JWT: {"b": True}}
    assert redact_each(data, keys=True) == {**inside, MARK: {"b": True}}
    assert redact_each({"A": ["B"]}, keys=True, text=str.lower) == {"a": ["b"]}


def test_somebody_elses_words_are_one_short_line() -> None:
    assert redact_line(f" why\n\tnot {JWT} ", 40) == f"why not {MARK}"
    assert redact_line("abcdef", 6) == "abcdef"
    assert redact_line("abcdefg", 6) == "abcde…"
    assert redact_line(f"abc {JWT}", 8) == "abc [to…", "redacted before it is cut"
