"""What the page's server lets in: this machine's own page, for the people of the demo."""

from typing import Any

import aiohttp
import pytest

from demo.slack import SlackServer
from demo.slack import people as p

ERIN = f"as={p.ENGINEER}"
SAID = {"channel": p.INCIDENT, "text": "hello"}


async def asked(method: str, url: str, **how: Any) -> tuple[int, str]:  # noqa: ANN401  # whatever a request is made of
    async with aiohttp.ClientSession() as session, session.request(method, url, **how) as answer:
        return answer.status, await answer.text()


async def test_the_page_loads_nothing_from_elsewhere(slack: SlackServer) -> None:
    async with aiohttp.ClientSession() as session, session.get(slack.url) as answer:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert "://" not in await answer.text()


@pytest.mark.parametrize("header", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
@pytest.mark.parametrize("path", ["/", f"/page/live?{ERIN}"])
async def test_another_sites_request_is_refused(slack: SlackServer, header: dict[str, str], path: str) -> None:
    assert (await asked("GET", slack.url + path, headers=header))[0] == 403
    status, _ = await asked("POST", f"{slack.url}/page/do/say?{ERIN}", json=SAID, headers=header)
    assert status == 403
    assert slack.messages(p.INCIDENT) == []


async def test_a_form_cannot_act(slack: SlackServer) -> None:
    assert (await asked("POST", f"{slack.url}/page/do/say?{ERIN}", data=SAID))[0] == 415
    assert (await asked("POST", f"{slack.url}/page/do/say?{ERIN}", json=["no object"]))[0] == 400
    assert slack.messages(p.INCIDENT) == []


@pytest.mark.parametrize("user", [p.BOT_USER, p.SECOND_APPROVER, "", "U0NOBODY001"])
async def test_only_the_three_people_have_a_page(slack: SlackServer, user: str) -> None:
    assert (await asked("GET", f"{slack.url}/page/live?as={user}"))[0] == 403
    assert (await asked("POST", f"{slack.url}/page/do/say?as={user}", json=SAID))[0] == 403


@pytest.mark.parametrize("path", ["../routes.py", "%2e%2e/routes.py", "..%2froutes.py", "style", "nothing.js"])
async def test_only_the_pages_own_files_are_served(slack: SlackServer, path: str) -> None:
    assert (await asked("GET", f"{slack.url}/page/{path}"))[0] == 404


@pytest.mark.parametrize(
    ("what", "given", "error"),
    [
        ("say", {"channel": p.APPROVALS, "text": "hello"}, "not_in_channel"),
        ("say", {"channel": p.ARCHIVED, "text": "hello"}, "is_archived"),
        ("say", {"channel": "C0NOWHERE01", "text": "hello"}, "channel_not_found"),
        ("join", {"channel": p.PRIVATE}, "method_not_supported_for_channel_type"),
        ("submit", {"view": "V0NONE", "values": {}}, "view_not_found"),
        ("pull", {"lever": "break-everything"}, "There is no lever break-everything."),
    ],
)
async def test_what_may_not_be_done_is_answered(
    slack: SlackServer, what: str, given: dict[str, object], error: str
) -> None:
    status, body = await asked("POST", f"{slack.url}/page/do/{what}?{ERIN}", json=given)
    assert status == 200
    assert f'"error": "{error}"' in body


async def test_an_outsider_sees_the_shared_channel_only(slack: SlackServer) -> None:
    await slack.say(p.INCIDENT, p.ENGINEER, "among ourselves")
    await slack.say(p.SHARED, p.ENGINEER, "for everybody")
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{slack.url}/page/live?as={p.OUTSIDER}") as socket,
    ):
        sent = (await socket.receive_json())["entries"]
    assert [entry["name"] for key, entry in sent.items() if key.startswith("channel/")] == ["shared"]
    assert "for everybody" in str(sent)
    assert "among ourselves" not in str(sent)
    assert slack.bot_token not in str(sent)
