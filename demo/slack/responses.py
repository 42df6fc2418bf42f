"""What an app answers to a command or a click: over response_url or inside the ack."""

from demo.slack import arguments as args
from demo.slack.errors import JsonObject, SlackError
from demo.slack.grants import ResponseUrl
from demo.slack.posting import read_content
from demo.slack.workspace import Blocks, Ephemeral, EphemeralSource, Message, Workspace


def respond(workspace: Workspace, url: ResponseUrl, body: JsonObject, source: EphemeralSource) -> None:
    """Raises SlackError `no_text`, `invalid_blocks` …; nothing is shown then."""
    if args.flag(body, "delete_original"):
        _delete_original(workspace, url)
        return
    text, blocks = read_content(body)
    thread_ts = args.text(body, "thread_ts") or url.thread_ts
    original = _original(workspace, url) if args.flag(body, "replace_original") else None
    if isinstance(original, Message):
        workspace.edit(original, text, blocks)
    elif isinstance(original, Ephemeral):
        original.text, original.blocks = text, blocks
    elif args.text(body, "response_type", "ephemeral") == "in_channel":
        _in_channel(workspace, url, text, blocks, thread_ts)
    else:
        ts = workspace.new_ts(url.channel)
        workspace.tell(Ephemeral(url.channel, url.user, ts, text, blocks, source, thread_ts))


def _in_channel(workspace: Workspace, url: ResponseUrl, text: str, blocks: Blocks, thread_ts: str) -> None:
    """Works where the bot is no member, which chat.postMessage does not."""
    workspace.add_message(
        Message(
            channel=url.channel,
            ts=workspace.new_ts(url.channel),
            user=workspace.app.bot_user,
            text=text,
            blocks=blocks,
            bot_id=workspace.app.bot_id,
            thread_ts=thread_ts,
            by_response_url=True,
        )
    )


def _original(workspace: Workspace, url: ResponseUrl) -> Message | Ephemeral | None:
    """None for a slash command, which has no original: the answer is then a new message."""
    if url.message_ts:
        message = workspace.message(url.channel, url.message_ts)
        return message if message.bot_id == workspace.app.bot_id else None
    for ephemeral in workspace.ephemerals:
        if url.ephemeral_ts and ephemeral.ts == url.ephemeral_ts and ephemeral.channel == url.channel:
            return ephemeral
    return None


def _delete_original(workspace: Workspace, url: ResponseUrl) -> None:
    original = _original(workspace, url)
    if original is None:
        raise SlackError("message_not_found")
    original.deleted = True
