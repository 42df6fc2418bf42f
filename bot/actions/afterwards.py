"""What is looked at once an action is done, to see whether it helped. Pure."""

from bot.model import ActionKind, Plan, Target
from bot.targets import KINDS


def target(plan: Plan) -> Target | None:
    """Whose pods show whether the refusals have stopped; None where no log could."""
    ref = plan.ref
    match plan.kind:
        case ActionKind.RESTART_WORKLOAD:
            kind, name = ref.kind, ref.name
        case ActionKind.DELETE_POD:
            # Its successor has another name: it is found by what makes it.
            kind, _, name = plan.parameters.get("controller", "").partition("/")
        case _:
            return None
    if KINDS.get(kind.lower()) is None or not name:
        return None
    return Target(cluster=ref.cluster, namespace=ref.namespace, kind=kind.lower(), name=name)
