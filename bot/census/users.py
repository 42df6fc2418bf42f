"""Who uses a Secret, in words. Pure."""

from bot.census.room import Users

_MOST_NAMED = 3

NO_POD = "no pod uses it"
PODS_UNREAD = "which pods use it was not read"


def used_by(users: Users) -> str:
    """`deployment checkout (3 pods), job report (1 pod) and 2 more`; "" where nobody does. The most pods first."""
    ordered = sorted(users.items(), key=lambda user: (-user[1], user[0]))
    named = ", ".join(
        f"{maker} ({_pods(count)})" if count > 1 else str(maker) for maker, count in ordered[:_MOST_NAMED]
    )
    return f"{named} and {len(ordered) - _MOST_NAMED} more" if len(ordered) > _MOST_NAMED else named


def _pods(count: int) -> str:
    return f"{count} pod{'' if count == 1 else 's'}"
