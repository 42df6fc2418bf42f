"""What people do in the workspace, told to the bot over Socket Mode or HTTP."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from demo.slack import inputs, payloads
from demo.slack.delivery import Delivery, Wire
from demo.slack.errors import JsonObject, SlackError
from demo.slack.grants import ResponseUrls, Triggers
from demo.slack.posting import composer_blocks, escaped
from demo.slack.responses import respond
from demo.slack.view_methods import add_view, replace_view, sound_view, stack_of
from demo.slack.workspace import Blocks, Channel, Ephemeral, Message, View, Workspace

FAILURES = {"no_connection": "dispatch_failed", "http_error": "dispatch_failed", "timeout": "operation_timeout"}


@dataclass(frozen=True, slots=True)
class Acts:
    """`public_url` is where response_urls point, `http://127.0.0.1:PORT`."""

    workspace: Workspace
    wire: Wire
    triggers: Triggers
    response_urls: ResponseUrls
    public_url: str

    async def command(self, command: str, text: str, *, user: str, channel: str) -> Delivery:
        """Ends with the ack or its absence; Slack's own complaint is an ephemeral with source `slack`."""
        place = self.workspace.channel(channel)
        who = self.workspace.user(user)
        url = self.response_urls.issue("commands", channel, user)
        payload = payloads.slash_command(self.workspace, command, text, who, place) | {
            "response_url": self.public_url + url.path,
            "trigger_id": self.triggers.issue(user),
        }
        delivery = await self.wire.deliver("slash_commands", payload, accepts_response=True)
        if not delivery.acked:
            self._complain(command, FAILURES[delivery.failure], place, user)
        elif delivery.response is not None:
            try:
                respond(self.workspace, url, delivery.response, "ack")
            except SlackError:
                self._complain(command, "invalid_command_response", place, user)
        return delivery

    def _complain(self, command: str, error: str, channel: Channel, user: str) -> None:
        text = f'{command} failed with the error "{error}"'
        ts = self.workspace.new_ts(channel.id)
        self.workspace.tell(Ephemeral(channel.id, user, ts, text, [], "slack"))

    def say(  # what a message is made of
        self,
        channel: str,
        user: str,
        text: str,
        *,
        thread_ts: str = "",
        blocks: Blocks | None = None,
        attachments: Blocks | None = None,
    ) -> Message:
        """A person or another app writes; nobody is told, for the bot reads no channels.

        Attachments are what other apps still send (Alertmanager does): they come back as they were given.
        """
        who = self.workspace.user(user)
        if user not in self.workspace.channel(channel).members:
            raise SlackError("not_in_channel")
        return self.workspace.add_message(
            Message(
                channel=channel,
                ts=self.workspace.new_ts(channel),
                user=user,
                text=escaped(text),
                blocks=composer_blocks(text) if blocks is None else blocks,
                attachments=attachments or [],
                thread_ts=thread_ts,
                bot_id=who.bot_id,
                client_msg_id="" if who.is_bot else str(uuid.uuid4()),
            )
        )

    async def mention(self, channel: str, user: str, text: str, thread_ts: str = "") -> Delivery | None:
        """Puts the mention before `text`; None when Slack tells the bot nothing of it."""
        _, delivery = await self.write(channel, user, f"<@{self.workspace.app.bot_user}> {text}", thread_ts)
        return delivery

    async def write(self, channel: str, user: str, text: str, thread_ts: str = "") -> tuple[Message, Delivery | None]:
        """A person's message, told to the bot where it names the bot.

        Not told when the bot is not in the channel, has no subscription, or no app_mentions:read.
        """
        message = self.say(channel, user, text, thread_ts=thread_ts)
        if not self._hears(message):
            return message, None
        shared = self.workspace.channel(channel).is_shared
        return message, await self._event(payloads.app_mention(self.workspace, message), shared=shared)

    def _hears(self, message: Message) -> bool:
        app = self.workspace.app
        named = f"<@{app.bot_user}>" in message.text
        there = app.bot_user in self.workspace.channel(message.channel).members
        scoped = any("app_mentions:read" in token.scopes for token in self.workspace.tokens.values())
        return named and there and scoped and "app_mention" in app.bot_events

    async def open_home(self, user: str) -> Delivery | None:
        """None without an app_home_opened subscription."""
        if "app_home_opened" not in self.workspace.app.bot_events:
            return None
        channel = self.workspace.direct_channel(user)
        who = self.workspace.user(user)
        return await self._event(payloads.app_home_opened(self.workspace, who, channel), shared=False)

    async def _event(self, event: JsonObject, *, shared: bool) -> Delivery:
        payload = payloads.event_callback(self.workspace, event, shared=shared)
        return await self.wire.deliver("events_api", payload, accepts_response=False)

    async def click(
        self, target: Message | Ephemeral | View, action_id: str, *, user: str, value: object = None
    ) -> Delivery:
        """A button, or with `value` a choice in a select. Raises LookupError where there is none."""
        who = self.workspace.user(user)
        blocks = target.definition["blocks"] if isinstance(target, View) else target.blocks
        action = inputs.action_of(blocks, action_id, value, f"{self.workspace.now():.6f}")
        payload = payloads.block_actions(self.workspace, who, target, action)
        payload["trigger_id"] = self.triggers.issue(user, target.id if isinstance(target, View) else "")
        if not isinstance(target, View):
            payload["response_url"] = self._response_url("actions", target, user)
        return await self.wire.deliver("interactive", payload, accepts_response=False)

    async def shortcut(self, message: Message, callback_id: str, *, user: str) -> Delivery:
        """A message shortcut, chosen from the message's menu."""
        payload = payloads.message_action(self.workspace, self.workspace.user(user), message, callback_id)
        payload["trigger_id"] = self.triggers.issue(user)
        payload["response_url"] = self._response_url("app", message, user)
        return await self.wire.deliver("interactive", payload, accepts_response=False)

    def _response_url(self, kind: str, target: Message | Ephemeral, user: str) -> str:
        url = self.response_urls.issue(kind, target.channel, user)
        url.thread_ts = target.thread_ts
        if isinstance(target, Message):
            url.message_ts = target.ts
        else:
            url.ephemeral_ts = target.ts
        return self.public_url + url.path

    async def submit(self, view: View, values: Mapping[str, object], *, user: str) -> Delivery:
        """`values` by action_id. The ack's response_action is carried out; none closes this modal."""
        state = inputs.state_values(view.definition["blocks"], values)
        payload = payloads.view_submission(self.workspace, self.workspace.user(user), view, state)
        payload["trigger_id"] = self.triggers.issue(user, view.id)
        delivery = await self.wire.deliver("interactive", payload, accepts_response=True)
        if delivery.acked:
            self._after_submission(view, delivery.response or {})
        return delivery

    def _after_submission(self, view: View, response: JsonObject) -> None:
        """Raises SlackError where the app's answer is no sound view: Slack shows the person a failure."""
        action = response.get("response_action")
        if action == "errors":
            view.errors = dict(response["errors"])
        elif action == "update":
            replace_view(self.workspace, view, sound_view(response.get("view"), "modal"))
        elif action == "push":
            add_view(self.workspace, view.user, sound_view(response.get("view"), "modal"), view)
        elif action == "clear":
            for other in stack_of(self.workspace, view):
                other.open = False
        else:
            view.open = False

    async def close_view(self, view: View, *, user: str) -> Delivery | None:
        """The person closes a modal; the app hears of it only with notify_on_close."""
        view.open = False
        if not view.definition.get("notify_on_close"):
            return None
        payload = payloads.view_closed(self.workspace, self.workspace.user(user), view, cleared=False)
        return await self.wire.deliver("interactive", payload, accepts_response=False)
