"""What is said of a token Secret, and which actions are offered on it: only those that would be planned. Pure."""

from collections.abc import Mapping

from bot.census.standing import Looked, Stand
from bot.census.tally import Words
from bot.census.users import NO_POD, PODS_UNREAD, used_by
from bot.durations import relative, utc
from bot.model import ActionKind, ObjectRef, Offer
from bot.versions import CLEANER, holds

_NEVER_EXPIRES = "Its token never expires: a copy works until the Secret or its service account is deleted."
_AUDITED = "the audit log names its client (annotation authentication.k8s.io/legacy-token)"
_WITHOUT_TOKEN = {Stand.DELETED, Stand.ORPHANED, Stand.UNFILLED}
_MAY_BE = "may be in use: "
_LABELS: Mapping[ActionKind, str] = {
    ActionKind.REACTIVATE_LEGACY_TOKEN: "Make Secret {} valid again",
    ActionKind.DELETE_LEGACY_SECRET: "Delete unused Secret {}",
    ActionKind.ROTATE_TOKEN_SECRET: "Make a successor of Secret {}",
}


def of(looked: Looked, stand: Stand) -> Words:
    """Why it matters, and what to do next."""
    match stand:
        case Stand.DELETED:
            return _deleted(looked)
        case Stand.ORPHANED:
            return _orphaned(looked)
        case Stand.UNFILLED:
            return _unfilled(looked)
        case Stand.MISSED | Stand.MARKED:
            return _marked(looked, stand)
        case _:
            return _good(looked, stand)


def used(looked: Looked, stand: Stand) -> str:
    """By whom and when last, as far as anybody knows; of one without a good token, by whom."""
    nobody = NO_POD if looked.read.pods else PODS_UNREAD
    who = f"used by {used_by(looked.users)}" if looked.users else nobody
    return who if stand in _WITHOUT_TOKEN else f"{who}; {_last_use(looked)}"


def _last_use(looked: Looked) -> str:
    held, facts = looked.held, looked.facts
    if held.last_used:
        return f"last used on {held.last_used}"
    if looked.outlook.in_use:
        return f"last use unknown: {_reason(looked.outlook.in_use)}"
    if facts.tracking is None:
        return "last use unknown: this cluster does not record it"
    return f"no use since {facts.tracking.since}, when recording began"


def offers(looked: Looked, stand: Stand, cause: str) -> tuple[Offer, ...]:
    held = looked.held
    ref = ObjectRef(
        cluster=looked.facts.cluster,
        api_version="v1",
        kind="Secret",
        namespace=looked.room.name,
        name=held.name,
        uid=held.uid,
    )
    return tuple(
        Offer(kind=kind, ref=ref, label=_LABELS[kind].format(held.name), cause=cause) for kind in _kinds(looked, stand)
    )


def _kinds(looked: Looked, stand: Stand) -> tuple[ActionKind, ...]:
    deletion = (ActionKind.DELETE_LEGACY_SECRET,) if looked.is_unused else ()
    match stand:
        case Stand.MISSED | Stand.MARKED if looked.is_sound:
            return (ActionKind.REACTIVATE_LEGACY_TOKEN, *deletion)
        case Stand.MOUNTED | Stand.USED if looked.is_sound:
            return (ActionKind.ROTATE_TOKEN_SECRET,)
        case Stand.DELETED:
            return ()
        case _:
            return deletion


# --- what gives no good token -------------------------------------------------------------------------------


def _deleted(looked: Looked) -> Words:
    since = utc(looked.held.deleted) if looked.held.deleted else "a while"
    return Words(
        f"It is being deleted since {since}, and a finalizer holds it: its token is refused already.",
        "See what its finalizers wait for (metadata.finalizers), and let the deletion end.",
        "secret-terminating",
    )


def _orphaned(looked: Looked) -> Words:
    account = looked.held.account
    step = (
        "The token controller deletes such a Secret at once: see whether the kube-controller-manager runs, or whether "
        "a finalizer holds the Secret."
    )
    if looked.account is None:
        why = f"Its service account {account} does not exist, so its token is refused."
        return Words(why, step, "secret-service-account-missing")
    why = f"It is of an earlier service account {account}: the present one was created anew, so its token is refused."
    return Words(why, step, "secret-uid-mismatch")


def _unfilled(looked: Looked) -> Words:
    born = looked.held.born
    since = f"was created {relative(born, looked.facts.now)} and " if born else ""
    return Words(
        f"It {since}holds no token: where the token controller works, it puts one in within a second.",
        "See whether the kube-controller-manager runs and has its signing key: it fills the Secret by itself then.",
        "secret-unfilled",
    )


# --- what never expires -------------------------------------------------------------------------------------


def _marked(looked: Looked, stand: Stand) -> Words:
    ahead = looked.outlook.ahead
    why = f"The legacy token cleaner marked it invalid on {looked.held.invalid_since}: its token is refused."
    if looked.is_cleaned and ahead:
        why += f" It deletes the Secret from {ahead.deleted_on} on, unless somebody sends the token until then."
    if stand is Stand.MISSED:
        who = used_by(looked.users)
        needed = f" It is needed: {who} uses it." if who else " Somebody has sent it since, and was refused."
        step = "Make it valid again (reactivate-legacy-token), then move its client to a token that is refreshed."
        return Words(why + needed, step, "legacy-token-invalidated")
    step = "Needed by nobody: delete it, or let the cleaner do so. Needed: make it valid again."
    return Words(why, step, "secret-listed-on-service-account" if looked.is_listed else "legacy-token-invalidated")


def _good(looked: Looked, stand: Stand) -> Words:
    why = " ".join(filter(None, (_NEVER_EXPIRES, _cleaning(looked))))
    cause = "secret-listed-on-service-account" if looked.is_listed else ""
    match stand:
        case Stand.MOUNTED:
            step = "Mount a projected token there instead, which is refreshed by itself; delete the Secret after that."
            return Words(why, step, "legacy-secret-mounted")
        case Stand.USED:
            step = f"Find who sends it: {_AUDITED}. Give them a token that expires, and delete the Secret after that."
        case Stand.UNUSED:
            step = "Nobody is known to use it: delete it."
        case _:
            step = f"Whether anybody uses it is not known. Before it is deleted, look for them: {_AUDITED}."
    return Words(why, step, cause)


def _cleaning(looked: Looked) -> str:
    """What the cleaner will do to one that is not marked."""
    if not holds(looked.facts.version, CLEANER, None):
        return f"This version has no cleaner yet: it comes with Kubernetes {CLEANER}."
    if not looked.read.accounts:
        return "What the cleaner will do cannot be told: its service account was not read."
    if not looked.is_listed:
        return "The cleaner leaves it alone, for its service account does not list it."
    if looked.users:
        return "The cleaner leaves it alone as long as a pod uses it."
    ahead = looked.outlook.ahead
    if ahead is None or not looked.read.pods:
        return _why_no_forecast(looked)
    when = f"{ahead.marked_on} and deletes it from {ahead.deleted_on} on"
    return f"Unless somebody uses it, the cleaner marks it invalid from {when}."


def _why_no_forecast(looked: Looked) -> str:
    if not looked.read.pods:
        return "What the cleaner will do cannot be told: the pods were not read."
    if not looked.facts.tracked:
        return "What the cleaner will do cannot be told: since when uses are recorded was not read."
    if looked.facts.tracking is None:
        return "The cleaner leaves it alone, for its use is not recorded."
    return "The cleaner leaves it alone, for its last-used label is no date."


def _reason(in_use: str) -> str:
    """Of `in_use`, what stands after its first words."""
    reason = in_use.removeprefix(_MAY_BE)
    return reason if reason != in_use else f"it {in_use}"
