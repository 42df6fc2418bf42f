"""What the configuration names in Slack, looked up: channels and user groups. Nothing is posted, nobody is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.answers import editing
from bot.slack.posts import GoneError, PostRefusedError

_NO_MESSAGE = "1000000000.000000"  # of 2001: no message of any channel


@dataclass(frozen=True, slots=True)
class Channel:
    """`is_member` and `is_archived` are None where the bot's scopes do not let it see them."""

    id: str
    name: str = ""
    is_member: bool | None = None
    is_archived: bool | None = None


@dataclass(frozen=True, slots=True)
class UserGroup:
    id: str
    handle: str
    users: frozenset[str]
    is_disabled: bool


class Lookups:
    """Each question is one call, or two, of a client."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def channel(self, id_: str, scopes: frozenset[str]) -> Channel | None:
        """The channel, None where the bot sees none of this id: there is none, or it is private and the bot not in it.

        Raises PostRefusedError and LaterError: nothing can be said.
        """
        if {"channels:read", "groups:read"} & scopes:
            try:
                answer = await editing(self._client.conversations_info(channel=id_))
                return _channel(id_, answer.get("channel"))
            except PostRefusedError as refused:
                if refused.code not in {"missing_scope", "channel_not_found"}:
                    raise
        return Channel(id_) if await self._exists(id_) else None

    async def user_groups(self) -> Mapping[str, UserGroup]:
        """All of the workspace by id, disabled ones too. Raises PostRefusedError and LaterError."""
        answer = await editing(self._client.usergroups_list(include_disabled=True, include_users=True))
        found = (_group(group) for group in answer.get("usergroups") or () if isinstance(group, dict))
        return {group.id: group for group in found}

    async def _exists(self, id_: str) -> bool:
        """By the address of a message that cannot be there: chat.getPermalink takes no scope, and changes nothing."""
        try:
            await editing(self._client.chat_getPermalink(channel=id_, message_ts=_NO_MESSAGE))
        except PostRefusedError as refused:
            if refused.code == "channel_not_found":
                return False
            raise
        except GoneError:
            return True
        return True


def _group(found: Mapping[str, object]) -> UserGroup:
    users = found.get("users")
    return UserGroup(
        id=str(found.get("id", "")),
        handle=str(found.get("handle") or found.get("name") or ""),
        users=frozenset(map(str, users if isinstance(users, list) else ())),
        is_disabled=bool(found.get("date_delete")),
    )


def _channel(id_: str, found: object) -> Channel:
    if not isinstance(found, dict):
        return Channel(id_)
    return Channel(
        id_,
        name=str(found.get("name") or ""),
        is_member=bool(found.get("is_member")) or bool(found.get("is_im")),
        is_archived=bool(found.get("is_archived")),
    )
