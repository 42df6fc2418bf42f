"""The token Secrets themselves: their type, their account, whether they are filled, and what the cleaner will do."""

from collections.abc import Iterator
from datetime import timedelta

from bot.diagnosis import cleaner
from bot.diagnosis.case import Case
from bot.diagnosis.checks.points import Point, told
from bot.diagnosis.evidence import quote
from bot.durations import relative, utc
from bot.messages import meanings
from bot.model import Certainty, Evidence, Finding, Gap, Remedy, Route, SecretAccount, SecretSummary, Severity
from bot.mounts import SERVICE_ACCOUNT_FOLDER, token_mounts, token_variables
from bot.versions import CLEANER, holds

_TIME_TO_FILL = timedelta(seconds=60)
"""The controller fills a Secret within a second of its creation."""

_ITS_TRIES = (
    Remedy(
        text="The controller manager runs; its log says why it cannot write the token, for instance for an admission "
        "policy. Mend that first: a new Secret is refused in the same way."
    ),
    Remedy(
        text="It gives up after ten tries. Then any change of the Secret wakes it: kubectl -n NAMESPACE annotate "
        "secret NAME token-doctor/again=1 --overwrite."
    ),
    Remedy(text="Pods that took the empty Secret into their environment must be restarted after that."),
)
_SOON = timedelta(days=14)
_MOST_NAMED = 3


def secret_unfilled(case: Case) -> Iterator[Finding]:
    points = []
    for held, account in _with_accounts(case):
        born = held.metadata.creation_timestamp
        is_lasting = born is not None and born + _TIME_TO_FILL < case.now and not held.metadata.deletion_timestamp
        if account.account is None or _is_of_another(held, account) or account.account.metadata.deletion_timestamp:
            continue
        if is_lasting and held.holds("token") is False and born:
            since = f"since it was created, {relative(born, case.now)}" if held.keys == 0 else "any more"
            failed = _could_not_fill(case, held)
            why = "the token controller cannot write one into it" if failed else "nobody puts one into it"
            text = f"Secret {_name(held)} does not hold a token {since}, and {why}."
            evidence = [_quoted(held, f"type {held.type}, {_keys(held)}, created {utc(born)}"), *failed]
            points.append(Point(text, evidence, Severity.CRITICAL, remedies=_ITS_TRIES if failed else ()))
    yield from told("secret-unfilled", points)


def _could_not_fill(case: Case, held: SecretSummary) -> list[Evidence]:
    """Where the token controller says why it could not write this Secret's token: its last word of each log.

    It adds the reason only: without a log the Secret is as empty. The names are as klog writes them, as text and JSON.
    """
    namespace, name, born = held.metadata.namespace, held.metadata.name, held.metadata.creation_timestamp
    names = (f' secret="{namespace}/{name}"', f'"secret":{{"name":"{name}","namespace":"{namespace}"}}')
    found = []
    for manager in case.snapshot.controllers.value or ():
        of_it = (each for each in manager.lines if any(words in each.text for words in names))
        said = [each for each in of_it if any(one.cause == "secret-unfilled" for one in meanings(each.text))]
        since = [each for each in said if not (each.at and born) or each.at >= born]
        found += [
            quote(Route.LOG, f"controller manager log ({manager.pod})", each.text, each.at) for each in since[-1:]
        ]
    return found


def secret_uid_mismatch(case: Case) -> Iterator[Finding]:
    points = []
    for held, account in _with_accounts(case):
        if account.account is None or not _is_of_another(held, account):
            continue
        theirs, own = held.metadata.annotations.service_account_uid, account.account.metadata.uid
        born = account.account.metadata.creation_timestamp
        evidence = [
            _quoted(held, f"annotation kubernetes.io/service-account.uid: {theirs}"),
            quote(Route.OBJECT, f"service account {held.metadata.namespace}/{account.name}", f"uid {own}", born),
        ]
        when = f", created {relative(born, case.now)}" if born else ""
        text = f"Secret {_name(held)} is of another service account {account.name} than the present one{when}."
        points.append(Point(text, evidence, Severity.CRITICAL))
    yield from told("secret-uid-mismatch", points)


def secret_service_account_missing(case: Case) -> Iterator[Finding]:
    points = []
    for held, account in _with_accounts(case):
        if account.account is None:
            evidence = [
                _quoted(held, f"annotation kubernetes.io/service-account.name: {account.name}"),
                quote(Route.OBJECT, "API server", f"GET serviceaccounts/{account.name}: 404, not found"),
            ]
            text = f"Secret {_name(held)} is for service account {account.name}, which does not exist."
            points.append(Point(text, evidence, Severity.CRITICAL))
    yield from told("secret-service-account-missing", points)


def secret_terminating(case: Case) -> Iterator[Finding]:
    points = []
    for held in _tokens(case):
        leaving = held.metadata.deletion_timestamp
        if leaving:
            text = f"Secret {_name(held)} is being deleted since {utc(leaving)}: a finalizer holds it."
            evidence = [_quoted(held, f"deletionTimestamp {utc(leaving)}")]
            points.append(Point(text, evidence, Severity.CRITICAL))
    yield from told("secret-terminating", points)


# --- of a type that nobody fills ----------------------------------------------------------------------------


def secret_wrong_type(case: Case) -> Iterator[Finding]:
    opaque = [held for held in case.snapshot.secrets.read() if held.type == "Opaque"]
    points = [
        _annotated(held) if held.metadata.annotations.service_account_name else _used_as_token(case, held)
        for held in opaque
    ]
    yield from told("secret-wrong-type", [point for point in points if point])


def _annotated(held: SecretSummary) -> Point | None:
    account = held.metadata.annotations.service_account_name
    evidence = [_quoted(held, f"type {held.type}, annotation kubernetes.io/service-account.name: {account}")]
    evidence.append(_quoted(held, _keys(held)))
    text = f"Secret {_name(held)} is annotated for service account {account}, but its type is {held.type}"
    if held.holds("token") is False:
        return Point(f"{text}: no token will ever be put into it.", evidence, Severity.CRITICAL)
    return Point(f"{text}: what it holds was put there by hand, and nobody keeps it.", evidence, Severity.WARNING)


def _used_as_token(case: Case, held: SecretSummary) -> Point | None:
    """Without an annotation only its use says that a token was meant, and only an empty one is wrong for certain."""
    if case.snapshot.pod.gap or held.holds("token") is not False:
        return None
    name = held.metadata.name
    mounts = [mount for mount in token_mounts(case.pod) if mount.secret == name and not mount.optional]
    variables = [one for one in token_variables(case.pod) if (one.secret, one.key) == (name, "token")]
    places = [f"{mount.container}: {mount.path}" for mount in mounts]
    places += [f"{one.container}: variable {one.variable}" for one in variables if not one.optional]
    expected = [mount for mount in mounts if mount.path.startswith(SERVICE_ACCOUNT_FOLDER)]
    keyed = bool(variables) and any(not one.optional for one in variables)
    if not expected and not (keyed and held.keys == 0):
        return None
    evidence = [
        _quoted(held, f"type {held.type}, {_keys(held)}"),
        quote(Route.OBJECT, "pod spec", f"its key token is used at {', '.join(places)}"),
    ]
    text = f"Secret {_name(held)} is used as a token, but it is {held.type} and has no key token."
    if expected:
        return Point(text, evidence, Severity.CRITICAL)
    return Point(text, evidence, Severity.WARNING, Certainty.POSSIBLE)


# --- what the cleaner will do -------------------------------------------------------------------------------


def secret_listed_on_service_account(case: Case) -> Iterator[Finding]:
    points = []
    for held, account in _with_accounts(case):
        listed = account.account is not None and any(ref.name == held.metadata.name for ref in account.account.secrets)
        if listed and not _is_of_another(held, account):
            points.append(_listed(case, held, account.name))
    yield from told("secret-listed-on-service-account", points)


def _listed(case: Case, held: SecretSummary, account: str) -> Point:
    severity, text = _outlook(case, held)
    labels = held.metadata.labels
    evidence = [
        quote(Route.OBJECT, f"service account {held.metadata.namespace}/{account}", f"secrets: {held.metadata.name}"),
        _quoted(
            held,
            f"legacy-token-last-used: {labels.legacy_token_last_used or 'not set'}, "
            f"legacy-token-invalid-since: {labels.legacy_token_invalid_since or 'not set'}",
        ),
    ]
    tracking = case.snapshot.token_tracking.value
    if tracking:
        evidence.append(quote(Route.OBJECT, "token tracking", f"uses are recorded since {tracking.since}"))
    return Point(f"Service account {account} lists Secret {_name(held)}. {text}", evidence, severity)


def _outlook(case: Case, held: SecretSummary) -> tuple[Severity, str]:
    """What will become of it, and how grave that is."""
    if not holds(case.version, CLEANER, None):
        return Severity.INFO, f"This version has no cleaner yet: it comes with {CLEANER}."
    users = _users(case, held)
    if users:
        return Severity.INFO, f"The cleaner leaves it alone as long as a pod uses it: {users}."
    unread = _unread(case)
    if unread:
        return Severity.INFO, f"What the cleaner will do cannot be told: {unread.reason}."
    tracking = case.snapshot.token_tracking.read()
    if tracking is None:
        return Severity.INFO, "Its use is not recorded, and so the cleaner leaves it alone."
    ahead = cleaner.forecast(held, tracking, case.now)
    if ahead is None:
        return Severity.INFO, "Its last-used label is no date, and so the cleaner leaves it alone."
    return _soon(case, ahead), _told(ahead, tracking.since.isoformat())


def _told(ahead: cleaner.Forecast, since: str) -> str:
    if ahead.is_marked:
        used = " Somebody has sent it since, and was refused (a review counts too)." if ahead.used_since_marked else ""
        return f"The cleaner marked it invalid on {ahead.marked_on} and deletes it from {ahead.deleted_on} on.{used}"
    days = f"{ahead.marked_on} and deletes it from {ahead.deleted_on} on"
    if ahead.last_used:
        return f"Last used on {ahead.last_used}. Unless it is used again, the cleaner marks it invalid from {days}."
    if ahead.is_use_known:
        return f"It was never used since {since}. Unless it is, the cleaner marks it invalid from {days}."
    return (
        f"Whether anybody uses it is unknown: uses are recorded only since {since}. Unless one comes, the cleaner "
        f"marks it invalid from {days}."
    )


def _soon(case: Case, ahead: cleaner.Forecast) -> Severity:
    if ahead.used_since_marked:
        return Severity.WARNING
    day = ahead.deleted_on if ahead.is_marked else ahead.marked_on
    return Severity.WARNING if day <= (case.now + _SOON).date() else Severity.INFO


def _users(case: Case, held: SecretSummary) -> str:
    if case.snapshot.pod.gap is None:
        return case.snapshot.target.name
    users = {one.secret: one for one in case.snapshot.secret_users.value or ()}
    one = users.get(held.metadata.name)
    if one is None:
        return ""
    more = f" and {one.count - _MOST_NAMED} more" if one.count > _MOST_NAMED else ""
    return f"{', '.join(one.pods[:_MOST_NAMED])}{more}"


def _unread(case: Case) -> Gap | None:
    """What of the cleaner's own grounds is hidden from here."""
    found_ = case.snapshot
    users = found_.secret_users.gap if found_.pod.gap else None
    return users or found_.token_tracking.gap


# --- all of them --------------------------------------------------------------------------------------------


def _with_accounts(case: Case) -> list[tuple[SecretSummary, SecretAccount]]:
    """The token Secrets, each with the service account that it is annotated with."""
    accounts = {account.name: account for account in case.snapshot.secret_accounts.read()}
    pairs = ((held, accounts.get(held.metadata.annotations.service_account_name)) for held in _tokens(case))
    return [(held, account) for held, account in pairs if account]


def _tokens(case: Case) -> Iterator[SecretSummary]:
    return (held for held in case.snapshot.secrets.read() if held.is_token)


def _is_of_another(held: SecretSummary, account: SecretAccount) -> bool:
    uid = held.metadata.annotations.service_account_uid
    return bool(uid and account.account and uid != account.account.metadata.uid)


def _name(held: SecretSummary) -> str:
    return f"{held.metadata.namespace}/{held.metadata.name}"


def _keys(held: SecretSummary) -> str:
    if held.keys is None:
        return "keys not known"
    names = f" ({', '.join(held.key_names)})" if held.key_names else ""
    return f"{held.keys} key{'' if held.keys == 1 else 's'}{names}"


def _quoted(held: SecretSummary, text: str) -> Evidence:
    return quote(Route.OBJECT, f"Secret {_name(held)}", text)
