"""A Slack stand-in at wire level. It shares no code with the bot and imports no Slack library."""

from demo.slack.clock import Clock
from demo.slack.delivery import Delivery
from demo.slack.server import SlackServer
from demo.slack.socket_mode import SocketTimes
from demo.slack.workspace import Ephemeral, Message, View, Workspace

__all__ = ["Clock", "Delivery", "Ephemeral", "Message", "SlackServer", "SocketTimes", "View", "Workspace"]
