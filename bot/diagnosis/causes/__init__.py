"""The catalogue: every cause the bot can name. The code is also its runbook's name and its test case's."""

from bot.diagnosis.causes import elsewhere, pod, token
from bot.model import Cause

GROUPS: dict[str, tuple[Cause, ...]] = {
    "the token": token.CAUSES,
    "the pod": pod.CAUSES,
    "not the token after all": elsewhere.CAUSES,
}

CAUSES: dict[str, Cause] = {cause.code: cause for group in GROUPS.values() for cause in group}
