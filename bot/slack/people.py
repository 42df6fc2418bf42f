"""Whom the bot answers: people of its own workspace. Pure."""

from bot.slack.door import User

OUTSIDER = "token-doctor answers only people of its own workspace."
BOT = "token-doctor does not answer bots."
DEACTIVATED = "This account is deactivated, so token-doctor does not answer it."
NOBODY = "Slack does not know who asks, so token-doctor does not answer."
UNSURE = "Slack could not say who asks, so token-doctor does not answer. Ask again in a minute."


def refusal(user: User | None, team_id: str) -> str:
    """Why this person gets no answer, "" when they do."""
    if user is None:
        return NOBODY
    if user.deleted:
        return DEACTIVATED
    if user.is_bot:
        return BOT
    if user.is_stranger or team_id not in user.teams:
        return OUTSIDER
    return ""
