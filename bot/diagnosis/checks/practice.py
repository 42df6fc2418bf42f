"""Advice beside the cause: from the pod for pods, and from RBAC for service accounts."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from bot.diagnosis.case import Case
from bot.diagnosis.evidence import found, quote
from bot.durations import span
from bot.model import Evidence, Finding, Grant, PolicyRule, Route, Subject

_LONG = timedelta(days=1)
_MOST_NAMED = 3


def default_service_account(case: Case) -> Iterator[Finding]:
    if case.pod.spec.service_account_name == "default" and any(mount.projected for mount in case.mounts):
        text = "serviceAccountName: default, with its token mounted"
        yield found("default-service-account", f"{text}.", [quote(Route.OBJECT, "pod spec", text)])


def legacy_secret_mounted(case: Case) -> Iterator[Finding]:
    names = sorted(held.metadata.name for held in case.used_secrets())
    if names:
        text = f"uses token Secret {', '.join(names)}"
        yield found("legacy-secret-mounted", f"The pod {text}.", [quote(Route.OBJECT, "pod spec", text)])


def token_lifetime_long(case: Case) -> Iterator[Finding]:
    long = [mount for mount in case.mounts if timedelta(seconds=mount.expiration_seconds) > _LONG]
    if long:
        texts = dict.fromkeys(
            f"{mount.container}: {mount.path} for {span(timedelta(seconds=mount.expiration_seconds))}" for mount in long
        )
        yield found("token-lifetime-long", f"{'; '.join(texts)}.", [quote(Route.OBJECT, "pod spec", t) for t in texts])


def bindings_too_wide(case: Case) -> Iterator[Finding]:
    target = case.snapshot.target
    wide = [
        grant
        for grant in case.snapshot.grants.read()
        if any(subject.reaches(target.name, target.namespace) for subject in grant.subjects)
        and any(rule.is_everything for rule in grant.rules)
    ]
    if wide:
        everywhere = [grant for grant in wide if not grant.namespace]
        where = "in the whole cluster" if everywhere else f"in namespace {target.namespace}"
        yield found(
            "bindings-too-wide",
            f"{case.account_name} {where}, by {(everywhere or wide)[0]}.",
            [_proof(grant, lambda rule: rule.is_everything) for grant in wide],
        )


def token_minting_granted(case: Case) -> Iterator[Finding]:
    name = case.snapshot.target.name
    yield from _granted(
        case, "token-minting-granted", "mint tokens of {account}", lambda rule: rule.mints_tokens_of(name)
    )


def token_secrets_readable(case: Case) -> Iterator[Finding]:
    secrets = [secret.metadata.name for secret in case.snapshot.token_secrets.read()]
    if secrets:
        what = f"read Secret {', '.join(secrets[:_MOST_NAMED])} with a token of {{account}}"
        yield from _granted(case, "token-secrets-readable", what, lambda rule: rule.reads_secrets)


def _granted(case: Case, code: str, what: str, allows: Callable[[PolicyRule], bool]) -> Iterator[Finding]:
    """Administrators, and the control plane's own, are left out: they may do it anyway."""
    grants = [
        (grant, subjects)
        for grant in case.snapshot.grants.read()
        if any(map(allows, grant.rules)) and not any(rule.is_everything for rule in grant.rules)
        if (subjects := [subject for subject in grant.subjects if not _is_of_the_system(subject)])
    ]
    if grants:
        who = list(dict.fromkeys(str(subject) for _, subjects in grants for subject in subjects))
        more = f" and {len(who) - _MOST_NAMED} more" if len(who) > _MOST_NAMED else ""
        yield found(
            code,
            f"{', '.join(who[:_MOST_NAMED])}{more} may {what.format(account=case.account_name)}.",
            [_proof(grant, allows) for grant, _ in grants],
        )


def _is_of_the_system(subject: Subject) -> bool:
    """A group of everybody is nobody's own, whatever its name begins with."""
    everybody = {"system:authenticated", "system:unauthenticated"}
    if subject.kind == "ServiceAccount":
        return subject.namespace == "kube-system"
    broad = subject.name in everybody or subject.name.startswith("system:serviceaccount")
    return subject.name.startswith("system:") and not broad


def _proof(grant: Grant, allows: Callable[[PolicyRule], bool]) -> Evidence:
    rule = next(rule for rule in grant.rules if allows(rule))
    to: Sequence[str] = [str(subject) for subject in grant.subjects[:_MOST_NAMED]]
    return quote(
        Route.OBJECT, str(grant), f"{', '.join(rule.verbs)} on {', '.join(rule.resources)} for {', '.join(to)}"
    )
