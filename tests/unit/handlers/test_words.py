"""What people type, understood or answered with the nearest thing to type; a token in it never comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import ActionKind, Target
from bot.redact import holds_token
from handlers.words import (
    Act,
    Audit,
    Census,
    Check,
    Command,
    Errors,
    Explain,
    Help,
    Pasted,
    Requests,
    TerminalOnly,
    Unclear,
    of_mention,
    of_slash_command,
)

TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6IkFBQSJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl"
ACCOUNT = Target(namespace="shop", kind="serviceaccount", name="ci")
CHECKOUT = Check(Target(namespace="shop", name="checkout-1"))


@pytest.mark.parametrize(
    "text",
    [
        "check shop/checkout-1",
        "  CHECK\t shop/checkout-1  ",
        "Check `shop/checkout-1`",
        "`check shop/checkout-1`",
        '"check shop/checkout-1"',
        "check \u201cshop/checkout-1\u201d",
        "check \u2018shop/checkout-1\u2019.",
        "*check* _shop/checkout-1_",
        "check Shop/Checkout-1?",
        "check: shop/checkout-1",
        "/token check shop/checkout-1",
        "@token-doctor check shop/checkout-1",
    ],
)
def test_a_check_is_understood_however_it_is_dressed(text: str) -> None:
    assert of_slash_command(text) == CHECKOUT


@pytest.mark.parametrize(
    "text",
    [
        "<@U0TOKENBOT1> check shop/checkout-1",
        "<@U0TOKENBOT1|token-doctor>   check shop/checkout-1",
        "hey <@U0TOKENBOT1>: check shop/checkout-1",
        "<@U0TOKENBOT1>, check shop/checkout-1!",
        "check shop/checkout-1 <@U0TOKENBOT1>",
        "<@U0TOKENBOT1> check `shop/checkout-1`",
    ],
)
def test_a_mention_may_stand_before_or_behind(text: str) -> None:
    assert of_mention(text) == CHECKOUT


def test_slacks_own_markup_is_taken_off() -> None:
    assert of_mention("<@U0TOKENBOT1> errors x &amp; &lt;y&gt;") == Errors("x & <y>")
    linked = of_slash_command("check shop/<http://checkout.example|checkout.example>")
    assert linked == Check(Target(namespace="shop", name="checkout.example"))


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", Help()),
        ("help", Help()),
        ("?", Help()),
        ("HELP me", Help()),
        ("errors", Errors("")),
        ("error \u201cservice account token has expired\u201d", Errors("service account token has expired")),
        (
            "errors invalid bearer token, Token has been invalidated",
            Errors("invalid bearer token, Token has been invalidated"),
        ),
        ("explain", Explain("")),
        ("explain `Token-Expired`.", Explain("token-expired")),
        ("decode", TerminalOnly("decode")),
        ("review", TerminalOnly("review")),
        ("restart shop/checkout-1", Act(ActionKind.RESTART_WORKLOAD, CHECKOUT.target)),
        ("Restart `shop/checkout-1`", Act(ActionKind.RESTART_WORKLOAD, CHECKOUT.target)),
        ("create-secret shop/ci", Act(ActionKind.CREATE_TOKEN_SECRET, ACCOUNT)),
        ("create_secret shop/sa/ci", Act(ActionKind.CREATE_TOKEN_SECRET, ACCOUNT)),
        ("digest", Census()),
        ("Digest `shop`.", Census(namespace="shop")),
        ("digest prod:shop", Census(cluster="prod", namespace="shop")),
        ("digest Prod:", Census(cluster="Prod")),
        ("digest prod:ns/shop", Census(cluster="prod", namespace="shop")),
        ("digest -n shop", Census(namespace="shop")),
        ("digest in namespace *shop*", Census(namespace="shop")),
        ("digest shop-*", Census(namespace="shop-*")),
        ("legacy", Census(legacy=True)),
        ("legacy \u2014namespace shop", Census(namespace="shop", legacy=True)),
        ("census", Census()),
        ("requests", Requests()),
        ("audit", Audit(None)),
        ("audit shop/checkout-1", Audit(CHECKOUT.target)),
        (
            "check prod:shop/deploy/checkout",
            Check(Target(cluster="prod", namespace="shop", kind="deployment", name="checkout")),
        ),
    ],
)
def test_every_command_is_understood(text: str, command: Command) -> None:
    assert of_slash_command(text) == command


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("chek shop/checkout-1", "`/token check shop/checkout-1`"),
        ("erors token has expired", "`/token errors token has expired`"),
        ("explian token-expired", "`/token explain token-expired`"),
        ("shop/checkout-1", "`/token check shop/checkout-1`"),
        ("dance shop/checkout-1", "`/token help`"),
        ("restart", "`/token restart shop/checkout`"),
        ("restart shop checkout", "`/token restart shop/checkout`"),
        ("restrat shop/checkout", "`/token restart shop/checkout`"),
        ("restart shop/checkout --force", "`/token restart shop/checkout`"),
        ("create-secret shop/pod/checkout", "`/token create-secret shop/checkout`"),
        ("create-secrets shop/ci", "`/token create-secret shop/ci`"),
        ("audit shop checkout", "`/token audit shop/checkout`"),
        ("digset shop", "`/token digest shop`"),
        ("legcy", "`/token legacy"),
        ("digest shop pay", "`/token digest shop`"),
        ("digest shop/checkout", "`/token digest shop`"),
        ("legacy prod:shop/pod/checkout", "`/token legacy prod:shop`"),
        ("digest SHOP_1", "`/token digest shop`"),
        ("digest --scan-secrets", "checks.read_secret_data: true"),
        ("digest shop --json", "`/token digest shop`"),
        ("check", "`/token check shop/"),
        ("check shop checkout-1", "`/token check shop/checkout-1`"),
        ("check pod shop/checkout-1", "`/token check shop/checkout-1`"),
        ("check checkout-1", "namespace/name"),
        ("check a/b/c/d", "namespace/name"),
        ("check --exec shop/checkout-1", "checks.exec: true"),
        ("check shop/checkout-1 \u2014probe", "checks.probe: true"),
        ("check shop/checkout-1 --secret-data", "checks.read_secret_data: true"),
        ("check shop/checkout-1 -o json", "`/token check shop/"),
    ],
)
def test_what_is_unclear_gets_something_to_type(text: str, hint: str) -> None:
    command = of_slash_command(text)
    assert isinstance(command, Unclear)
    assert hint in command.next_step


def test_in_a_mention_the_hint_is_a_mention() -> None:
    command = of_mention("<@U0TOKENBOT1> chek shop/x")
    assert isinstance(command, Unclear)
    assert command.next_step == "Did you mean `@token-doctor check shop/x`?"


@pytest.mark.parametrize(
    "secret",
    [TOKEN, "xoxb-2718281828-3141592653-Planted", f"Bearer {TOKEN}", "password=Zm9vYmFyYmF6cXV4Zm9vYmFy", f'"{TOKEN}"'],
)
@pytest.mark.parametrize(
    "before", ["", "check ", "check shop/", "digest ", "legacy shop ", "errors ", "explain ", "chek "]
)
def test_of_a_text_with_a_token_nothing_is_kept(before: str, secret: str) -> None:
    assert of_slash_command(before + secret) == Pasted()
    assert of_mention(f"<@U0TOKENBOT1> {before}{secret}") == Pasted()
    assert of_mention(f"{secret} <@U0TOKENBOT1> check shop/checkout-1") == Pasted()


def test_decode_and_review_never_take_the_token_that_comes_with_them() -> None:
    assert of_slash_command(f"decode {TOKEN}") == TerminalOnly("decode", pasted=True)
    assert of_mention(f"<@U0TOKENBOT1> review {TOKEN}") == TerminalOnly("review", pasted=True)


@given(st.text(max_size=200) | st.text(alphabet="check errors/:`<>|@-\u2014", max_size=60))
def test_any_text_gives_a_command(text: str) -> None:
    for command in (of_slash_command(text), of_mention(text)):
        assert not holds_token(repr(command))
