"""Only what Slack signed is taken, byte for byte. Slack's own SDK and an example of its documentation judge."""

from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier

from bot.slack.signature import WINDOW_SECONDS, Refusal, is_signed, refused_head
from demo.slack.http_delivery import signature

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_531_420_618
GOOD = f"v0={'0' * 64}"

# docs.slack.dev/authentication/verifying-requests-from-slack
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14"
    b"d10d2c447fce8b6703c"
)
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"

bodies = st.binary(max_size=200)
instants = st.integers(0, 10**11).map(str)


def test_slacks_own_example_is_taken() -> None:
    assert refused_head(str(NOW), SIGNATURE, NOW) is None
    assert is_signed(SECRET, str(NOW), SIGNATURE, BODY)


@given(st.text(max_size=200), instants)
def test_what_the_sdk_signs_is_taken_and_the_stand_in_signs_alike(text: str, timestamp: str) -> None:
    body = text.encode("utf-8", "replace")
    signed = SignatureVerifier(SECRET).generate_signature(timestamp=timestamp, body=body)
    assert signed == signature(SECRET, timestamp, body)
    assert signed
    assert is_signed(SECRET, timestamp, signed, body)


@given(bodies.filter(bool), instants, st.data())
def test_any_changed_byte_of_the_body_is_refused(body: bytes, timestamp: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(body) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != body[place]))
    changed = body[:place] + bytes([other]) + body[place + 1 :]
    assert not is_signed(SECRET, timestamp, signature(SECRET, timestamp, body), changed)


@given(bodies, instants, st.data())
def test_any_changed_character_of_the_signature_is_refused(body: bytes, timestamp: str, data: st.DataObject) -> None:
    good = signature(SECRET, timestamp, body)
    place = data.draw(st.integers(0, len(good) - 1))
    others = st.one_of(st.sampled_from("0123456789abcdef"), st.characters())
    other = data.draw(others.filter(lambda character: character != good[place]))
    changed = good[:place] + other + good[place + 1 :]
    refused = refused_head(timestamp, changed, int(timestamp))
    assert refused is Refusal.SIGNATURE or not is_signed(SECRET, timestamp, changed, body)


def test_each_digit_of_the_signature_counts() -> None:
    for place, digit in enumerate(SIGNATURE[3:], start=3):
        changed = SIGNATURE[:place] + ("0" if digit != "0" else "1") + SIGNATURE[place + 1 :]
        assert not is_signed(SECRET, str(NOW), changed, BODY)


@given(bodies, bodies, instants, instants)
def test_a_signature_holds_for_its_own_body_and_timestamp_only(
    body: bytes, other: bytes, timestamp: str, later: str
) -> None:
    good = signature(SECRET, timestamp, body)
    assert is_signed(SECRET, later, good, other) == ((later, other) == (timestamp, body))
    assert not is_signed(SECRET + "x", timestamp, good, body)


@given(st.integers(-100_000, 100_000))
def test_only_five_minutes_either_way_are_taken(apart: int) -> None:
    found = refused_head(str(NOW), GOOD, NOW + apart)
    assert found is (None if abs(apart) <= WINDOW_SECONDS else Refusal.STALE)


@given(st.text(max_size=30), st.text(max_size=80))
def test_headers_of_any_kind_are_answered(timestamp: str, signed: str) -> None:
    """A number in other digits, or one that Python alone takes for one, would break what comes after."""
    refused = refused_head(timestamp, signed, NOW)
    assert refused is not None
    if timestamp and signed:
        digits = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
        assert (refused is Refusal.TIMESTAMP) == (not digits)


def test_numbers_that_python_takes_and_slack_never_sends_are_refused() -> None:
    for timestamp in (
        f" {NOW}",
        f"+{NOW}",
        f"{NOW}\n",
        "1_531_420_618",
        "١٥٣١٤٢٠٦١٨",
        f"{NOW}.0",
        "9" * 5000,
        "-1",
        "nan",
    ):
        assert refused_head(timestamp, GOOD, NOW) is Refusal.TIMESTAMP, timestamp
    for signed in (GOOD.upper(), GOOD[3:], f"{GOOD}0", f"{GOOD}\n", f"v1={'0' * 64}", "v0=é"):
        assert refused_head(str(NOW), signed, NOW) is Refusal.SIGNATURE, signed
    assert refused_head("", GOOD, NOW) is refused_head(str(NOW), "", NOW) is Refusal.UNSIGNED
