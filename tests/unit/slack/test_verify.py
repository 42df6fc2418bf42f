"""Every wrong token, scope and address has its sentence, and none of them quotes a token."""

import datetime as dt
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.errors import SlackRefusedError
from bot.slack.verify import SCOPES, verify
from demo.slack import SlackServer
from demo.slack import people as p


async def refusal(session: ClientSession, url: str, bot: str = p.BOT_TOKEN, app: str = p.APP_TOKEN) -> str:
    """The sentence and the next step."""
    with pytest.raises(SlackRefusedError) as raised:
        await verify(session, url, bot, app)
    told = f"{raised.value} {raised.value.next_step}"
    assert "demoOnlyNotASecret" not in told
    assert raised.value.next_step
    assert raised.value.exit_code == 2
    return told


async def test_good_tokens_tell_who_the_bot_is(server: SlackServer, session: ClientSession) -> None:
    identity = await verify(session, server.api_url, server.bot_token, server.app_token)
    assert (identity.team_id, identity.user_id, identity.user) == (p.TEAM.id, p.BOT_USER, "token-doctor")


@pytest.mark.parametrize(
    ("bot", "app", "sentence"),
    [
        ("", p.APP_TOKEN, "SLACK_BOT_TOKEN is not set."),
        (p.BOT_TOKEN, "", "SLACK_APP_TOKEN is not set."),
        ("", "", "SLACK_BOT_TOKEN is not set. SLACK_APP_TOKEN is not set."),
        (p.APP_TOKEN, p.BOT_TOKEN, "SLACK_BOT_TOKEN holds an app-level token (xapp-…)"),
        (p.APP_TOKEN, p.BOT_TOKEN, "SLACK_APP_TOKEN holds a bot token (xoxb-…)"),
        ("xoxp-1-demoOnlyNotASecret", p.APP_TOKEN, "SLACK_BOT_TOKEN holds a user token (xoxp-…)"),
        ("demoOnlyNotASecret", p.APP_TOKEN, "SLACK_BOT_TOKEN holds no Slack token, and it must begin with xoxb-."),
        ("xoxb-1-demoOnlyNotASecret", p.APP_TOKEN, "Slack does not know the token in SLACK_BOT_TOKEN."),
        (p.BOT_TOKEN, "xapp-1-demoOnlyNotASecret", "Slack does not know the token in SLACK_APP_TOKEN."),
    ],
)
async def test_a_wrong_token_is_told(
    server: SlackServer, session: ClientSession, bot: str, app: str, sentence: str
) -> None:
    assert sentence in await refusal(session, server.api_url, bot, app)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("token_revoked", "The token in SLACK_BOT_TOKEN was revoked."),
        ("account_inactive", "The token in SLACK_BOT_TOKEN belongs to a deactivated bot or a deleted workspace."),
        ("ekm_access_denied", "Slack refused the token in SLACK_BOT_TOKEN: ekm_access_denied."),
    ],
)
async def test_a_token_that_was_good_once_is_told(
    server: SlackServer, session: ClientSession, error: str, sentence: str
) -> None:
    server.fail("auth.test", error=error)
    assert sentence in await refusal(session, server.api_url)


@pytest.mark.parametrize("scope", sorted(SCOPES))
async def test_a_missing_scope_is_named_with_what_it_is_for(session: ClientSession, scope: str) -> None:
    async with SlackServer(bot_scopes=[name for name in SCOPES if name != scope]) as server:
        told = await refusal(session, server.api_url)
    assert f"lacks a scope: {scope} ({SCOPES[scope]})." in told


async def test_an_app_token_without_socket_mode_is_told(server: SlackServer, session: ClientSession) -> None:
    server.fail("apps.connections.open", error="missing_scope")
    assert "lacks the scope connections:write" in await refusal(session, server.api_url)


async def test_over_http_the_signing_secret_takes_the_place_of_the_app_token(
    server: SlackServer, session: ClientSession
) -> None:
    found = await verify(session, server.api_url, server.bot_token, "", signing_secret="8f742231b10e")
    assert found.team == "Shop"
    assert server.traffic.at("/api/apps.connections.open") == []


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        ("", "SLACK_SIGNING_SECRET is not set. SLACK_BOT_TOKEN is not set."),
        ("xoxb-1-secret", "SLACK_SIGNING_SECRET holds a bot token (xoxb-…), which is no signing secret."),
    ],
)
async def test_a_signing_secret_that_can_be_none_is_told_with_the_rest(
    server: SlackServer, session: ClientSession, secret: str, sentence: str
) -> None:
    with pytest.raises(SlackRefusedError) as refused:
        await verify(session, server.api_url, "", "", signing_secret=secret)
    assert sentence in str(refused.value)
    assert "Copy the Signing Secret" in refused.value.next_step
    assert "secret-" not in str(refused.value)


@pytest.fixture
async def elsewhere() -> AsyncIterator[TestServer]:
    """A web server that is not Slack."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>Welcome</html>", content_type="text/html")

    async def plain(_: web.Request) -> web.Response:
        return web.Response(text="Welcome")

    async def array(_: web.Request) -> web.Response:
        return web.json_response(["Welcome"])

    application = web.Application()
    application.router.add_post("/html/{method}", page)
    application.router.add_post("/text/{method}", plain)
    application.router.add_post("/array/{method}", array)
    found = TestServer(application)
    await found.start_server()
    yield found
    await found.close()


@pytest.mark.parametrize(("path", "status"), [("html", 200), ("text", 200), ("array", 200), ("nowhere", 404)])
async def test_an_address_that_is_not_slack_is_told(
    elsewhere: TestServer, session: ClientSession, path: str, status: int
) -> None:
    told = await refusal(session, str(elsewhere.make_url(f"/{path}/")))
    assert f"answers, but not as Slack does (HTTP {status})." in told
    assert "slack.api_url" in told


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://127.0.0.1:1/api/", "127.0.0.1 cannot be reached: the connection is refused or breaks."),
        ("http://slack.invalid/api/", "slack.invalid cannot be found: its name has no address."),
    ],
)
async def test_an_address_that_cannot_be_reached_is_told_once(session: ClientSession, url: str, sentence: str) -> None:
    told = await refusal(session, url)
    assert told.count(sentence) == 1
    assert "NO_PROXY" in told


async def test_a_certificate_that_is_not_trusted_is_told(session: ClientSession, tmp_path: Path) -> None:
    server = TestServer(web.Application(), scheme="https")
    await server.start_server(ssl=self_signed(tmp_path))
    try:
        told = await refusal(session, str(server.make_url("/api/")))
    finally:
        await server.close()
    assert "127.0.0.1 answers with a certificate that is not trusted." in told
    assert "SSL_CERT_FILE" in told


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context
