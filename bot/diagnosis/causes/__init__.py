"""The catalogue: every cause the bot can name. The code is also its runbook's name and its test case's."""

from bot.diagnosis.causes import control_plane, elsewhere, pod, practice, secret, token
from bot.model import Cause

GROUPS: dict[str, tuple[Cause, ...]] = {
    "the token": token.CAUSES,
    "the pod": pod.CAUSES,
    "the Secret": secret.CAUSES,
    "the control plane": control_plane.CAUSES,
    "not the token after all": elsewhere.CAUSES,
    "good practice": practice.CAUSES,
}

CAUSES: dict[str, Cause] = {cause.code: cause for group in GROUPS.values() for cause in group}
