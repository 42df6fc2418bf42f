"""users.*, usergroups.*, bots.info and team.info."""

from demo.slack import arguments as args
from demo.slack.calls import Call, Method
from demo.slack.errors import JsonObject, SlackError
from demo.slack.paging import page
from demo.slack.rate_limits import TIER_2, TIER_3, TIER_4
from demo.slack.shapes import ICONS, bot_profile, user_group_json, user_json
from demo.slack.workspace import User

EMAIL = "users:read.email"


def _shown(call: Call, user: User) -> JsonObject:
    return user_json(call.workspace, user, email=call.has_scope(EMAIL))


def users_info(call: Call) -> JsonObject:
    user = call.workspace.user(args.required(call.arguments, "user"))
    return {"ok": True, "user": _shown(call, user)}


def users_list(call: Call) -> JsonObject:
    users, cursor = page(call.arguments, list(call.workspace.users.values()), 1_000)
    return {
        "ok": True,
        "members": [_shown(call, user) for user in users],
        "cache_ts": int(call.workspace.now()),
        "response_metadata": {"next_cursor": cursor},
    }


def lookup_by_email(call: Call) -> JsonObject:
    user = call.workspace.user_by_email(args.required(call.arguments, "email"))
    return {"ok": True, "user": _shown(call, user)}


def user_groups_list(call: Call) -> JsonObject:
    disabled = args.flag(call.arguments, "include_disabled")
    users = args.flag(call.arguments, "include_users")
    count = args.flag(call.arguments, "include_count")
    groups = [group for group in call.workspace.user_groups.values() if disabled or not group.deleted]
    shown = [user_group_json(call.workspace, group, users=users, count=count) for group in groups]
    return {"ok": True, "usergroups": shown}


def user_group_users(call: Call) -> JsonObject:
    group = call.workspace.user_groups.get(args.required(call.arguments, "usergroup"))
    if group is None or (group.deleted and not args.flag(call.arguments, "include_disabled")):
        raise SlackError("no_such_subteam")
    return {"ok": True, "users": group.users}


def bots_info(call: Call) -> JsonObject:
    """Only this app's bot: another id is `bot_not_found`."""
    app = call.workspace.app
    if args.text(call.arguments, "bot", app.bot_id) != app.bot_id:
        raise SlackError("bot_not_found")
    bot = bot_profile(call.workspace) | {"user_id": app.bot_user}
    del bot["team_id"]
    return {"ok": True, "bot": bot}


def team_info(call: Call) -> JsonObject:
    team = call.workspace.team
    wanted = args.text(call.arguments, "team", team.id)
    if wanted not in call.workspace.teams:
        raise SlackError("team_not_found")
    team = call.workspace.teams[wanted]
    icon: JsonObject = {f"image_{size}": f"{ICONS}/team_{size}.png" for size in (34, 44, 68, 88, 102, 132)}
    shown = {
        "id": team.id,
        "name": team.name,
        "url": f"https://{team.domain}.slack.com/",
        "domain": team.domain,
        "email_domain": f"{team.domain}.example",
        "icon": icon | {"image_default": True},
        "avatar_base_url": "https://ca.slack-edge.com/",
        "is_verified": False,
    }
    return {"ok": True, "team": shown}


METHODS: dict[str, Method] = {
    "users.info": Method(users_info, TIER_4, ("users:read",)),
    "users.list": Method(users_list, TIER_2, ("users:read",)),
    "users.lookupByEmail": Method(lookup_by_email, TIER_3, (EMAIL,)),
    "usergroups.list": Method(user_groups_list, TIER_2, ("usergroups:read",)),
    "usergroups.users.list": Method(user_group_users, TIER_2, ("usergroups:read",)),
    "bots.info": Method(bots_info, TIER_3, ("users:read",)),
    "team.info": Method(team_info, TIER_3, ("team:read",)),
}
