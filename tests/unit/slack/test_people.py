"""Whom Slack knows, and who is in which user group: asked once a minute, and a failure is no answer."""

import asyncio
import time

import pytest
from aiohttp import ClientSession

from bot.slack.client import web_client
from bot.slack.door import Slack
from bot.slack.posts import LaterError, PostRefusedError
from bot.slack.remembered import Remembered
from demo.slack import SlackServer
from demo.slack import people as p


def door(server: SlackServer, session: ClientSession) -> Slack:
    return Slack(web_client(session, server.api_url, server.bot_token), session, time.monotonic)


async def test_a_person_has_a_name_and_an_address() -> None:
    async with SlackServer() as server, ClientSession() as session:
        erin = await door(server, session).user(p.ENGINEER)
    assert erin is not None
    assert (erin.name, erin.email, set(erin.teams)) == ("Erin Engineer", "erin@shop.example", {p.TEAM.id})


async def test_without_the_scope_there_is_no_address() -> None:
    async with SlackServer(bot_scopes=["users:read"]) as server, ClientSession() as session:
        erin = await door(server, session).user(p.ENGINEER)
    assert erin is not None
    assert erin.email == ""


async def test_the_people_of_a_group_are_told_and_of_none_nobody() -> None:
    async with SlackServer() as server, ClientSession() as session:
        slack = door(server, session)
        assert await slack.members(p.APPROVERS) == {p.APPROVER, p.SECOND_APPROVER}
        assert await slack.members("S0NOWHERE0") == frozenset()


async def test_a_group_that_may_not_be_read_is_no_empty_one() -> None:
    async with SlackServer(bot_scopes=["users:read"]) as server, ClientSession() as session:
        with pytest.raises(PostRefusedError, match="missing_scope"):
            await door(server, session).members(p.APPROVERS)


async def test_an_answer_is_kept_for_a_minute_and_a_failure_is_not() -> None:
    now, asked = [0.0], list[str]()

    async def ask(key: str) -> str:
        asked.append(key)
        await asyncio.sleep(0)
        if len(asked) == 1:
            raise LaterError
        return f"{key}{len(asked)}"

    remembered = Remembered(ask, lambda: now[0])
    outcomes = await asyncio.gather(remembered("a"), remembered("a"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [LaterError, LaterError]
    assert asked == ["a"]
    assert list(await asyncio.gather(remembered("a"), remembered("a"))) == ["a2", "a2"]
    now[0] = 59
    assert await remembered("a") == "a2"
    now[0] = 61
    assert await remembered("a") == "a3"
