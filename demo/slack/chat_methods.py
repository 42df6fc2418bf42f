"""chat.* and reactions.add."""

from demo.slack import arguments as args
from demo.slack.calls import Call, Method
from demo.slack.errors import JsonObject, SlackError
from demo.slack.posting import UPDATE_BYTES, escaped, read_blocks, read_content
from demo.slack.rate_limits import POST_MESSAGE, SPECIAL, TIER_3, TIER_4
from demo.slack.shapes import message_json
from demo.slack.workspace import Channel, Ephemeral, Message


def _writable(call: Call) -> Channel:
    """The channel to post in; a person's id means the direct message with them."""
    workspace = call.workspace
    wanted = args.required(call.arguments, "channel")
    if wanted in workspace.users:
        if workspace.users[wanted].deleted:
            raise SlackError("channel_not_found")
        return workspace.direct_channel(wanted)
    channel = workspace.visible_channel(wanted)
    if channel.is_archived:
        raise SlackError("is_archived")
    public = not channel.is_private and call.has_scope("chat:write.public")
    if workspace.app.bot_user not in channel.members and not public:
        raise SlackError("not_in_channel")
    return channel


def _thread(call: Call, channel: Channel) -> str:
    """Slack takes any well-formed thread_ts; a reply's own ts stands for its parent's."""
    thread_ts = args.text(call.arguments, "thread_ts")
    if not thread_ts:
        return ""
    for message in call.workspace.live_messages(channel.id):
        if message.ts == thread_ts:
            return message.thread_ts or message.ts
    if thread_ts.replace(".", "", 1).isdigit():
        return thread_ts
    raise SlackError("invalid_thread_ts")


def post_message(call: Call) -> JsonObject:
    workspace = call.workspace
    channel = _writable(call)
    text, blocks = read_content(call.arguments)
    message = workspace.add_message(
        Message(
            channel=channel.id,
            ts=workspace.new_ts(channel.id),
            user=workspace.app.bot_user,
            text=text,
            blocks=blocks,
            bot_id=workspace.app.bot_id,
            thread_ts=_thread(call, channel),
            broadcast=args.flag(call.arguments, "reply_broadcast"),
            metadata=args.decoded(call.arguments, "metadata", "invalid_metadata_format"),
        )
    )
    shown = message_json(workspace, message)
    return {"ok": True, "channel": channel.id, "ts": message.ts, "message": shown}


def post_ephemeral(call: Call) -> JsonObject:
    workspace = call.workspace
    channel = _writable(call)
    user = args.required(call.arguments, "user")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    text, blocks = read_content(call.arguments)
    ts = workspace.new_ts(channel.id)
    thread_ts = args.text(call.arguments, "thread_ts")
    workspace.tell(Ephemeral(channel.id, user, ts, text, blocks, "chat.postEphemeral", thread_ts))
    return {"ok": True, "message_ts": ts}


def _own_message(call: Call, refusal: str) -> Message:
    workspace = call.workspace
    channel = workspace.visible_channel(args.required(call.arguments, "channel"))
    message = workspace.message(channel.id, args.required(call.arguments, "ts"))
    if message.bot_id != workspace.app.bot_id:
        raise SlackError(refusal)
    if channel.is_archived:
        raise SlackError("is_archived")
    return message


def update(call: Call) -> JsonObject:
    """Text alone removes the blocks; blocks alone keep no text."""
    message = _own_message(call, "cant_update_message")
    text = escaped(args.text(call.arguments, "text"))
    blocks = read_blocks(call.arguments)
    if not text and blocks is None:
        raise SlackError("no_text")
    if len(text.encode()) > UPDATE_BYTES:
        raise SlackError("msg_too_long")
    call.workspace.edit(message, text, blocks or [])
    shown = message_json(call.workspace, message)
    for key in ("ts", "reactions"):  # neither is in this answer's message
        shown.pop(key, None)
    return {"ok": True, "channel": message.channel, "ts": message.ts, "text": text, "message": shown}


def delete(call: Call) -> JsonObject:
    message = _own_message(call, "cant_delete_message")
    message.deleted = True
    return {"ok": True, "channel": message.channel, "ts": message.ts}


def permalink(call: Call) -> JsonObject:
    channel = call.workspace.visible_channel(args.required(call.arguments, "channel"))
    message = call.workspace.message(channel.id, args.required(call.arguments, "message_ts"))
    domain = call.workspace.team.domain
    link = f"https://{domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"ok": True, "permalink": link, "channel": channel.id}


def add_reaction(call: Call) -> JsonObject:
    workspace = call.workspace
    channel = workspace.visible_channel(args.required(call.arguments, "channel"))
    name = args.required(call.arguments, "name").strip(":")
    message = workspace.message(channel.id, args.required(call.arguments, "timestamp"))
    users = message.reactions.setdefault(name, [])
    if workspace.app.bot_user in users:
        raise SlackError("already_reacted")
    users.append(workspace.app.bot_user)
    return {"ok": True}


WRITE = ("chat:write",)
METHODS: dict[str, Method] = {
    "chat.postMessage": Method(post_message, POST_MESSAGE, WRITE),
    "chat.postEphemeral": Method(post_ephemeral, TIER_4, WRITE),
    "chat.update": Method(update, TIER_3, WRITE),
    "chat.delete": Method(delete, TIER_3, WRITE),
    "chat.getPermalink": Method(permalink, SPECIAL),
    "reactions.add": Method(add_reaction, TIER_3, ("reactions:write",)),
}
