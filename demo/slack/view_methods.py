"""views.*: modals in a stack of at most three, and the home tab."""

import secrets

from demo.slack import arguments as args
from demo.slack.block_limits import check_view
from demo.slack.calls import Call, Method
from demo.slack.errors import JsonObject, SlackError
from demo.slack.posting import with_block_ids
from demo.slack.rate_limits import TIER_4
from demo.slack.shapes import view_json
from demo.slack.workspace import View, Workspace

STACK = 3


def _definition(call: Call, surface: str) -> JsonObject:
    view = args.decoded(call.arguments, "view", "invalid_arguments")
    if view is None:
        raise SlackError(
            "invalid_arguments", {"response_metadata": {"messages": ["[ERROR] missing required field: view"]}}
        )
    return sound_view(view, surface)


def sound_view(view: object, surface: str) -> JsonObject:
    """The view checked, its blocks given ids; also for what an ack's response_action carries."""
    checked = check_view(view, surface)
    return {**checked, "blocks": with_block_ids(checked["blocks"])}


def new_hash(workspace: Workspace) -> str:
    return f"{int(workspace.now())}.{secrets.token_hex(4)}"


def add_view(workspace: Workspace, user: str, definition: JsonObject, below: View | None = None) -> View:
    """A new modal on top of `below`. Raises SlackError `duplicate_external_id`, `push_limit_reached`."""
    _external_id_is_free(workspace, definition)
    if below is not None and len(stack_of(workspace, below)) >= STACK:
        raise SlackError("push_limit_reached")
    view_id = workspace.new_id("V")
    view = View(
        id=view_id,
        user=user,
        definition=definition,
        hash=new_hash(workspace),
        root_id=below.root_id if below else view_id,
        previous_id=below.id if below else "",
    )
    workspace.views[view.id] = view
    return view


def stack_of(workspace: Workspace, view: View) -> list[View]:
    """The open views above the same root, lowest first."""
    return [v for v in workspace.views.values() if v.open and v.root_id == view.root_id]


def replace_view(workspace: Workspace, view: View, definition: JsonObject) -> None:
    view.history.append(view.definition)
    view.definition = definition
    view.hash = new_hash(workspace)
    view.errors = {}


def _external_id_is_free(workspace: Workspace, definition: JsonObject) -> None:
    wanted = definition.get("external_id")
    taken = {v.definition.get("external_id") for v in workspace.views.values() if v.open}
    if wanted and wanted in taken:
        raise SlackError("duplicate_external_id")


def open_view(call: Call) -> JsonObject:
    definition = _definition(call, "modal")
    trigger = call.triggers.exchange(args.required(call.arguments, "trigger_id"))
    view = add_view(call.workspace, trigger.user, definition)
    return {"ok": True, "view": view_json(call.workspace, view)}


def push(call: Call) -> JsonObject:
    definition = _definition(call, "modal")
    trigger = call.triggers.exchange(args.required(call.arguments, "trigger_id"))
    below = call.workspace.views.get(trigger.view_id)
    if below is None or not below.open:
        raise SlackError("not_found")
    view = add_view(call.workspace, trigger.user, definition, below)
    return {"ok": True, "view": view_json(call.workspace, view)}


def update(call: Call) -> JsonObject:
    view_id = args.text(call.arguments, "view_id")
    external = args.text(call.arguments, "external_id")
    found = [
        view
        for view in call.workspace.views.values()
        if view.open and (view.id == view_id or (external and view.definition.get("external_id") == external))
    ]
    if not found:
        raise SlackError("not_found")
    view = found[0]
    _same_hash(call, view)
    replace_view(call.workspace, view, _definition(call, "modal"))
    return {"ok": True, "view": view_json(call.workspace, view)}


def publish(call: Call) -> JsonObject:
    user = call.workspace.user(args.required(call.arguments, "user_id"))
    definition = _definition(call, "home")
    home = call.workspace.homes.get(user.id)
    if home is None:
        view_id = call.workspace.new_id("V")
        home = View(view_id, user.id, definition, new_hash(call.workspace), root_id=view_id)
        call.workspace.homes[user.id] = home
    else:
        _same_hash(call, home)
        replace_view(call.workspace, home, definition)
    return {"ok": True, "view": view_json(call.workspace, home)}


def _same_hash(call: Call, view: View) -> None:
    wanted = args.text(call.arguments, "hash")
    if wanted and wanted != view.hash:
        raise SlackError("hash_conflict")


METHODS: dict[str, Method] = {
    "views.open": Method(open_view, TIER_4),
    "views.push": Method(push, TIER_4),
    "views.update": Method(update, TIER_4),
    "views.publish": Method(publish, TIER_4),
}
