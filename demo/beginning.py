"""What stands in the channels when somebody opens the demo: an alert, and a colleague who wonders."""

from demo.slack import SlackServer
from demo.slack import people as p

ALERT = {
    "color": "danger",
    "fallback": "[FIRING:1] HttpRequestsRefused shop/checkout",
    "title": "[FIRING:1] HttpRequestsRefused",
    "text": "Requests of *checkout* to the API server are answered with 401 Unauthorized.",
    "fields": [
        {"title": "namespace", "value": "shop", "short": True},
        {"title": "deployment", "value": "checkout", "short": True},
        {"title": "severity", "value": "critical", "short": True},
        {"title": "for", "value": "5m", "short": True},
    ],
    "footer": "Alertmanager",
}


async def begin(slack: SlackServer) -> None:
    await slack.say(p.INCIDENT, p.OTHER_BOT, "", blocks=[], attachments=[ALERT])
    question = (
        f"checkout gets 401 from the API server, and nobody has deployed anything. <@{p.ENGINEER}>, can you look?"
    )
    await slack.say(p.INCIDENT, p.SECOND_APPROVER, question)
    await slack.say(p.SHARED, p.APPROVER, "Welcome, Olga! What concerns both companies is told here.")
