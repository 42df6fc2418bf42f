"""The claims of a token are read with their types; anything else is refused without a word of it."""

import copy
import json
import logging
import pickle
import string
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import NotATokenError
from bot.model import Binding, Claims, ClaimsKind
from bot.tokens import LONGEST, RawToken, inspect
from tests.unit.jwts import BOUND, HEADER, LEGACY, MARK, SIGNATURE, encoded, token, token_of


def refusal(text: str) -> str:
    with pytest.raises(NotATokenError) as refused:
        inspect(RawToken(text))
    return str(refused.value)


def test_a_bound_token_is_read_claim_by_claim() -> None:
    assert inspect(RawToken(token(BOUND))) == Claims(
        kind=ClaimsKind.BOUND,
        algorithm="RS256",
        key_id="Zk3-kid",
        issuer="https://kubernetes.default.svc.cluster.local",
        subject="system:serviceaccount:shop:checkout",
        audiences=("https://kubernetes.default.svc.cluster.local",),
        issued_at=datetime(2025, 11, 22, 12, tzinfo=UTC),
        not_before=datetime(2025, 11, 22, 12, tzinfo=UTC),
        expires_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        warn_after=datetime(2025, 11, 22, 13, 0, 7, tzinfo=UTC),
        token_id="1f0a5c1e-0000-4000-8000-000000000001",
        namespace="shop",
        service_account="checkout",
        service_account_uid="sa-uid-1",
        pod=Binding(kind="Pod", name="checkout-7d9f8-abcde", uid="pod-uid-1"),
        node=Binding(kind="Node", name="worker-1", uid="node-uid-1"),
    )


def test_a_legacy_token_is_read_claim_by_claim() -> None:
    assert inspect(RawToken(token(LEGACY))) == Claims(
        kind=ClaimsKind.LEGACY,
        algorithm="RS256",
        key_id="Zk3-kid",
        issuer="kubernetes/serviceaccount",
        subject="system:serviceaccount:shop:ci",
        namespace="shop",
        service_account="ci",
        service_account_uid="sa-uid-2",
        secret="ci-token",
    )


def test_a_bound_token_keeps_its_kind_under_the_legacy_issuer() -> None:
    """Clusters exist whose --service-account-issuer is `kubernetes/serviceaccount`."""
    assert inspect(RawToken(token({**BOUND, "iss": "kubernetes/serviceaccount"}))).kind is ClaimsKind.BOUND


def test_a_secret_binding_is_read() -> None:
    claims = {**BOUND, "kubernetes.io": {"namespace": "shop", "secret": {"name": "s", "uid": "u"}}}
    assert inspect(RawToken(token(claims))).bound_secret == Binding(kind="Secret", name="s", uid="u")


def test_a_token_of_another_kind_is_foreign() -> None:
    claims = inspect(RawToken(token({"iss": "https://login.example", "sub": "ann", "aud": "app"})))
    assert (claims.kind, claims.audiences) == (ClaimsKind.FOREIGN, ("app",))


def test_null_counts_as_absent_as_in_go() -> None:
    claims = inspect(RawToken(token({"iss": None, "aud": None, "exp": None, "kubernetes.io": {"pod": None}})))
    assert (claims.issuer, claims.audiences, claims.expires_at, claims.pod) == ("", (), None, None)


def test_a_fraction_of_a_second_is_cut_off() -> None:
    assert inspect(RawToken(token({"exp": 1.9}))).expires_at == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)


def test_the_last_second_a_time_can_hold_is_read() -> None:
    assert inspect(RawToken(token({"exp": 253_402_300_799}))).expires_at == datetime(
        9999, 12, 31, 23, 59, 59, tzinfo=UTC
    )


def test_an_unsigned_token_is_decoded_and_says_so() -> None:
    assert inspect(RawToken(token(BOUND, {"alg": "none"}, ""))).algorithm == "none"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The token is empty."),
        ("a" * (LONGEST + 1), "The text has 16385 characters, and no token has more than 16384."),
        (f"{token(BOUND)}\n", "The text has a space or a line break in it, and a token has none."),
        ("hello", "A token has three parts with a dot between them, and the text has 1 part."),
        (f"{token(BOUND)}.x", "A token has three parts with a dot between them, and the text has 4 parts."),
        (
            token(BOUND) + "." + token(BOUND),
            "A token has three parts with a dot between them, and the text has 6 parts.",
        ),
        ("a.b.c.d.e", "The text is an encrypted token (JWE, five parts): Kubernetes never uses them."),
        (f"é.{token(BOUND).split('.', 1)[1]}", "The token's header holds characters that are not base64url."),
        (f"{token(BOUND)}=", "The token's signature holds characters that are not base64url."),
        (token(BOUND, signature="abcde"), "The token's signature is cut off: its length is impossible in base64url."),
        (token(BOUND, signature=""), "The token's signature is missing: it was cut off after the last dot."),
        (f".abcd.{SIGNATURE}", "The token's header is empty."),
        (f"abcd..{SIGNATURE}", "The token's payload is empty."),
        (f"abcd.abcd.{SIGNATURE}", "The token's first part is not the header of a JSON Web Token."),
        (token(BOUND, {"alg": "RS256", "kid": 7}), "The token's first part is not the header of a JSON Web Token."),
        (token(BOUND, {"kid": "x"}), 'The token\'s header names no algorithm ("alg").'),
        (token(BOUND, {"alg": ["RS256"]}), 'The token\'s "header alg" is a list and should be text.'),
    ],
)
def test_what_is_no_token_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    assert refusal(text) == sentence


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (b"\xff\xfe{}", "The token's payload is not UTF-8 text."),
        (b"not json", "The token's payload is not JSON."),
        (b"[]", "The token's payload is a list and not an object with claims."),
        (b"null", "The token's payload is null and not an object with claims."),
        (b'{"exp": NaN}', "The token's payload holds NaN or Infinity, which JSON does not have."),
        (b'{"exp": 1e400}', 'The token\'s "exp" is too large for a time.'),
        (b'{"exp": 1' + b"0" * 400 + b"}", 'The token\'s "exp" is a time after the year 9999.'),
        (b'{"exp": 1' + b"0" * 9000 + b"}", "The token's payload is not JSON."),
        (b'{"exp": 253402300800}', 'The token\'s "exp" is a time after the year 9999.'),
        (b'{"nbf": -1}', 'The token\'s "nbf" is a time before 1970.'),
        (b'{"iat": true}', 'The token\'s "iat" is true or false and should be a number of seconds since 1970.'),
        (b'{"exp": "soon"}', 'The token\'s "exp" is text and should be a number of seconds since 1970.'),
        (b'{"aud": {}}', 'The token\'s "aud" is an object and should be text or a list of texts.'),
        (b'{"aud": ["a", 1]}', 'The token\'s "aud" is a list with a number and should be a list of texts.'),
        (b'{"sub": 1}', 'The token\'s "sub" is a number and should be text.'),
        (b'{"sub": "\\ud800"}', "A claim of the token holds half a character (a lone surrogate)."),
        (b'{"sub": "a", "sub": "b"}', "A claim stands twice in the token's payload."),
        (b'{"kubernetes.io": "x"}', 'The token\'s "kubernetes.io" is text and should be an object.'),
        (b'{"kubernetes.io": {"pod": []}}', 'The token\'s "kubernetes.io.pod" is a list and should be an object.'),
        (
            b'{"kubernetes.io": {"pod": {"uid": 1}}}',
            'The token\'s "kubernetes.io.pod.uid" is a number and should be text.',
        ),
        (
            b'{"kubernetes.io": {"warnafter": "x"}}',
            'The token\'s "kubernetes.io.warnafter" is text and should be a number of seconds since 1970.',
        ),
        (b"[" * 9000, "The token's payload is nested too deeply."),
    ],
)
def test_claims_of_the_wrong_type_are_refused_in_one_sentence(payload: bytes, sentence: str) -> None:
    assert refusal(token_of(payload)) == sentence


# --- whatever comes -----------------------------------------------------------------------------------------

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from([*BOUND, *LEGACY])
_CLAIMS = st.dictionaries(_NAMES | st.text(max_size=10), _JSON, max_size=8)
_PRIVATE = st.dictionaries(
    st.sampled_from(["namespace", "serviceaccount", "pod", "node", "secret", "warnafter"]),
    st.dictionaries(st.sampled_from(["name", "uid"]), _JSON) | _JSON,
)
_HEADERS = st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), _JSON)


def claims_or_refusal(text: str) -> Claims | NotATokenError:
    try:
        return inspect(RawToken(text))
    except NotATokenError as refused:
        return refused


@given(st.text(max_size=400) | st.binary(max_size=400).map(lambda data: data.decode("utf-8", "surrogateescape")))
@example("...")
@example("\x00")
def test_any_text_gives_claims_or_a_refusal(text: str) -> None:
    assert isinstance(claims_or_refusal(text), Claims | NotATokenError)


@given(st.binary(max_size=400), st.binary(max_size=200), st.binary(max_size=20))
def test_any_bytes_in_its_parts_give_claims_or_a_refusal(header: bytes, payload: bytes, signature: bytes) -> None:
    assert isinstance(claims_or_refusal(token_of(payload)), Claims | NotATokenError)
    text = ".".join(map(encoded, (header, payload, signature)))
    assert isinstance(claims_or_refusal(text), Claims | NotATokenError)


@given(_CLAIMS, _PRIVATE, _HEADERS)
def test_any_json_gives_claims_that_can_be_written_or_a_refusal(
    claims: dict[str, object], private: dict[str, object], header: dict[str, object]
) -> None:
    for payload in (claims, {**claims, "kubernetes.io": private}):
        for head in (HEADER, header):
            outcome = claims_or_refusal(token(payload, head))
            if isinstance(outcome, Claims):
                assert msgspec.json.decode(msgspec.json.encode(outcome), type=Claims) == outcome


# --- nothing of the token gets out --------------------------------------------------------------------------


def everything_said(error: BaseException) -> str:
    """The error as the most talkative of reporters would write it: with chains and every frame's locals."""
    frames = error.__traceback__.tb_next if error.__traceback__ else None  # this test's own frame holds the text
    told = traceback.TracebackException(type(error), error, frames, capture_locals=True)
    return "".join([*told.format(chain=True), repr(error), str(error), repr(error.args), repr(error.__context__)])


_MARKED = [
    lambda: MARK,
    lambda: f"{MARK} {MARK}",
    lambda: f"{MARK}.{MARK}.{MARK}",
    lambda: token(BOUND, {"alg": "RS256", "kid": 1, MARK: MARK}),
    lambda: token(BOUND, {"alg": MARK, "crit": [MARK]}),
    lambda: token({MARK: MARK, "exp": MARK}),
    lambda: token({"sub": [MARK]}),
    lambda: token({"aud": [MARK, 1]}),
    lambda: token({"kubernetes.io": {"pod": {"name": {MARK: MARK}}}}),
    lambda: token_of(f'{{"{MARK}": 1, "{MARK}": 2}}'.encode()),
    lambda: token_of(f'{{"{MARK}": NaN}}'.encode()),
    lambda: token_of(f'{{"{MARK}"'.encode()),
    lambda: token_of(MARK.encode() + b"\xff"),
    lambda: token_of(f'{{"sub": "{MARK}\\ud800"}}'.encode()),
    lambda: token(BOUND, signature="") + MARK[:1],
]


@pytest.mark.parametrize("make", _MARKED)
def test_no_refusal_quotes_the_token(make: Callable[[], str]) -> None:
    text = make()
    with pytest.raises(NotATokenError) as refused:
        inspect(RawToken(text))
    said = everything_said(refused.value)
    assert "NotATokenError" in said
    assert MARK not in said
    for part in text.split("."):
        assert len(part) < 8 or part not in said


_SECRETS = st.text(alphabet=string.ascii_letters + string.digits, min_size=24, max_size=40)


@given(_SECRETS)
def test_a_raw_token_has_no_text_form(secret: str) -> None:
    raw = RawToken(secret)
    said = [repr(raw), str(raw), f"{raw!r}", f"{[raw]}", repr({"token": raw}), json.dumps(raw, default=str)]
    assert not any(secret in text for text in said)


@given(_SECRETS)
def test_a_raw_token_cannot_be_carried_off(secret: str) -> None:
    raw = RawToken(secret)
    ways: list[Callable[[], object]] = [
        lambda: f"{raw}",
        lambda: format(raw, "s"),
        lambda: "{}".format(raw),  # noqa: UP032
        *(partial(pickle.dumps, raw, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)),
        lambda: copy.copy(raw),
        lambda: copy.deepcopy(raw),
        lambda: json.dumps(raw),
        lambda: msgspec.json.encode(raw),
        lambda: msgspec.to_builtins(raw),
        lambda: vars(raw),
        raw.__getstate__,
        lambda: raw + "",  # type: ignore[operator]  # the point is that it cannot be done
    ]
    for way in ways:
        with pytest.raises(TypeError) as refused:
            way()
        assert secret not in str(refused.value)


def test_a_raw_token_stays_hidden_in_logs_and_comparisons(caplog: pytest.LogCaptureFixture) -> None:
    raw = RawToken(MARK)
    logging.getLogger("test").warning("token %s %r", raw, raw)
    assert "RawToken(hidden)" in caplog.text
    assert MARK not in caplog.text
    assert raw != RawToken(MARK)


def test_a_raw_token_stays_hidden_among_the_locals_of_a_traceback() -> None:
    def fail(raw: RawToken) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no") as raised:
        fail(RawToken(MARK))
    said = everything_said(raised.value)
    assert "RawToken(hidden)" in said
    assert MARK not in said


def test_reveal_is_the_way_out() -> None:
    assert RawToken(MARK).reveal() == MARK
