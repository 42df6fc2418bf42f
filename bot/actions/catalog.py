"""Everything the bot can do to a cluster: one action of each kind."""

from collections.abc import Mapping

from bot.actions.action import Action
from bot.actions.pods import DELETE_POD
from bot.actions.probe import PROBE_TOKEN
from bot.actions.reactivation import REACTIVATE_LEGACY_TOKEN
from bot.actions.restart import RESTART_WORKLOAD
from bot.actions.token_secrets import CREATE_TOKEN_SECRET, ROTATE_TOKEN_SECRET
from bot.actions.unused_secrets import DELETE_LEGACY_SECRET
from bot.model import ActionKind

ACTIONS: Mapping[ActionKind, Action] = {
    action.kind: action
    for action in (
        RESTART_WORKLOAD,
        DELETE_POD,
        CREATE_TOKEN_SECRET,
        ROTATE_TOKEN_SECRET,
        DELETE_LEGACY_SECRET,
        REACTIVATE_LEGACY_TOKEN,
        PROBE_TOKEN,
    )
}
