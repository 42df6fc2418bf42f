"""The demo workspace: the people, channels and groups that the tests and the page start from."""

from collections.abc import Callable, Iterable

from demo.slack.workspace import App, Channel, Command, Shortcut, Team, Token, User, UserGroup, Workspace

TEAM = Team("T0SHOPTEAM1", "Shop", "shop")
OTHER_TEAM = Team("T0PARTNER01", "Partner", "partner")
BOT_TOKEN = "xoxb-0000000001-0000000002-demoOnlyNotASecret"  # noqa: S105 - opens this stand-in only
APP_TOKEN = "xapp-1-A0TOKENDOC1-0000000003-demoOnlyNotASecret"  # noqa: S105 - the same

ENGINEER = "U0ENGINEER1"
APPROVER = "U0APPROVER1"
SECOND_APPROVER = "U0APPROVER2"
OUTSIDER = "U0OUTSIDER1"
FORMER = "U0FORMER001"
OTHER_BOT = "U0OTHERBOT1"
BOT_USER = "U0TOKENBOT1"

INCIDENT = "C0INCIDENT1"
APPROVALS = "C0APPROVALS"
RANDOM = "C0RANDOM001"
PRIVATE = "C0PRIVATE01"
SHARED = "C0SHARED001"
ARCHIVED = "C0ARCHIVED1"

ON_CALL = "S012USERGROUP"
APPROVERS = "S034USERGROUP"

BOT_SCOPES = (
    "app_mentions:read",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:read",
    "usergroups:read",
    "users:read",
    "users:read.email",
)
BOT_EVENTS = frozenset({"app_mention", "app_home_opened"})


def demo_app() -> App:
    return App(
        id="A0TOKENDOC1",
        name="token-doctor",
        bot_id="B0TOKENDOC1",
        bot_user=BOT_USER,
        verification_token="demo-verification-token",  # noqa: S106 - opens this stand-in only
        signing_secret="demo-signing-secret",  # noqa: S106 - the same
        bot_events=BOT_EVENTS,
        commands=(Command("/token", "Why is a workload's token refused?", "check shop/checkout-5d9c7b-x7k2p"),),
        shortcuts=(Shortcut("Check tokens here", "check_here"),),
    )


def demo_workspace(
    now: Callable[[], float], bot_scopes: Iterable[str] = BOT_SCOPES, app: App | None = None
) -> Workspace:
    """An engineer, two approvers, an outsider, a former colleague and another app's bot."""
    workspace = Workspace(TEAM, app or demo_app(), now)
    workspace.teams[OTHER_TEAM.id] = OTHER_TEAM
    workspace.tokens[BOT_TOKEN] = Token(BOT_TOKEN, "bot", tuple(sorted(bot_scopes)))
    workspace.tokens[APP_TOKEN] = Token(APP_TOKEN, "app", ("connections:write",))
    for user in _users(workspace.app):
        workspace.users[user.id] = user
    for channel in _channels(int(now())):
        workspace.channels[channel.id] = channel
    for group in _groups(int(now())):
        workspace.user_groups[group.id] = group
    return workspace


def _users(app: App) -> list[User]:
    home, away = TEAM.id, OTHER_TEAM.id
    return [
        User(ENGINEER, "erin", "Erin Engineer", home, "erin@shop.example"),
        User(APPROVER, "avery", "Avery Approver", home, "avery@shop.example", is_admin=True),
        User(SECOND_APPROVER, "sam", "Sam Second", home, "sam@shop.example"),
        User(OUTSIDER, "olga", "Olga Outsider", away, "olga@partner.example"),
        User(FORMER, "fred", "Fred Former", home, "fred@shop.example", deleted=True),
        User(OTHER_BOT, "alertbot", "Alerts", home, is_bot=True, bot_id="B0ALERTBOT1", app_id="A0ALERTS001"),
        User(app.bot_user, "token-doctor", app.name, home, is_bot=True, bot_id=app.bot_id, app_id=app.id),
    ]


def _channels(created: int) -> list[Channel]:
    team = [ENGINEER, APPROVER, SECOND_APPROVER]
    return [
        Channel(INCIDENT, "incident", APPROVER, created, [*team, OTHER_BOT, BOT_USER]),
        Channel(APPROVALS, "approvals", APPROVER, created, [APPROVER, SECOND_APPROVER, BOT_USER]),
        Channel(RANDOM, "random", APPROVER, created, team.copy()),
        Channel(PRIVATE, "private", APPROVER, created, [APPROVER], is_private=True),
        Channel(SHARED, "shared", APPROVER, created, [*team, OUTSIDER, BOT_USER], is_shared=True),
        Channel(ARCHIVED, "old-incident", APPROVER, created, [*team, BOT_USER], is_archived=True),
    ]


def _groups(created: int) -> list[UserGroup]:
    return [
        UserGroup(ON_CALL, "on-call", "On call", [ENGINEER, APPROVER], APPROVER, created),
        UserGroup(APPROVERS, "approvers", "Approvers", [APPROVER, SECOND_APPROVER], APPROVER, created),
    ]
