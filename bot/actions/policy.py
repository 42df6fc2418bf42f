"""Who may ask, and who may agree. Pure, and closed: what is not known is not allowed.

The rules are `policy` in the configuration. As in PostgreSQL's pg_hba.conf, the first whose actions, clusters,
namespaces, channels and requesters all fit decides, whatever stands below it: a rule that fits and wants what is not
there is never made up for by a laxer one. Where none fits the answer is no.
"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from bot.model import ActionKind, Person, Plan
from config.policy import PROTECTED, Rule

NO_POLICY = "no policy is configured, so nothing may be done"


class Standing(Struct, frozen=True, kw_only=True):
    """A person as far as policy is concerned, asked for just now.

    `groups` are their Slack user groups. `refusal` says why they may do nothing here: an outsider, a bot, a
    deactivated account, or somebody about whom Slack could not be asked. `denied` is what Kubernetes says against
    them: the answer of a SubjectAccessReview that was no, or that could not be had; "" where it allows the action or
    is not to be asked. `passing` where it is only that nobody could be asked just now.
    """

    person: Person
    groups: frozenset[str] = frozenset()
    refusal: str = ""
    denied: str = ""
    passing: bool = False

    @property
    def name(self) -> str:
        return self.person.name or self.person.id

    def is_one_of(self, subjects: Sequence[str]) -> bool:
        return self.person.id in subjects or not self.groups.isdisjoint(subjects)


class Matter(Struct, frozen=True, kw_only=True):
    """What is to be done, and where it was asked for."""

    action: ActionKind
    cluster: str
    namespace: str
    channel: str

    @classmethod
    def of(cls, plan: Plan, channel: str) -> "Matter":
        return cls(action=plan.kind, cluster=plan.ref.cluster, namespace=plan.ref.namespace, channel=channel)

    def __str__(self) -> str:
        cluster = f" of cluster {self.cluster}" if self.cluster else ""
        return f"{self.action} in namespace {self.namespace}{cluster}"


class Ruling(Struct, frozen=True, kw_only=True):
    """The policy's answer, in words. `number` is the rule's place in the configuration, from 1; 0: none decided.

    `passing` where the no is only for want of somebody's answer, and may be a yes in a minute.
    """

    allowed: bool
    reason: str
    rule: Rule | None = None
    number: int = 0
    passing: bool = False


def may_ask(rules: Sequence[Rule], matter: Matter, requester: Standing) -> Ruling:
    """Whether the person may have this asked of the approvers."""
    if requester.refusal:
        return Ruling(allowed=False, reason=requester.refusal, passing=requester.passing)
    number, rule = _deciding(rules, matter, requester)
    if rule is None:
        return Ruling(allowed=False, reason=_why_none(rules, matter, requester))
    if requester.denied:
        return Ruling(
            allowed=False,
            reason=f"policy rule {number} would let {requester.name} ask for it, but {requester.denied}",
            rule=rule,
            number=number,
            passing=requester.passing,
        )
    return Ruling(allowed=True, reason=f"policy rule {number} allows it", rule=rule, number=number)


def may_decide(
    rules: Sequence[Rule], matter: Matter, requester: Standing, approver: Standing, *, approves: bool
) -> Ruling:
    """Whether the person's yes or no to the request counts.

    For a yes the requester must still be allowed to ask. A no is heard from every approver of the rule that decides,
    or, where none does any more, of any rule that covers the matter: it is the safe side.
    """
    if approver.refusal:
        return Ruling(allowed=False, reason=approver.refusal, passing=approver.passing)
    return (
        _may_approve(rules, matter, requester, approver) if approves else _may_deny(rules, matter, requester, approver)
    )


def may_run(rules: Sequence[Rule], matter: Matter, requester: Standing, approvers: Sequence[Standing]) -> Ruling:
    """Whether it may be done now: the requester and enough of those who agreed are asked about once more."""
    asked = may_ask(rules, matter, requester)
    if not asked.allowed or asked.rule is None:
        return asked
    votes = {each.person.id: may_decide(rules, matter, requester, each, approves=True) for each in approvers}
    good = sum(vote.allowed for vote in votes.values())
    needed = asked.rule.approvals
    if good >= needed:
        return asked
    against = [vote for vote in votes.values() if not vote.allowed]
    passing = good + sum(vote.passing for vote in against) >= needed
    reason = f"policy rule {asked.number} wants {needed} approval{'s' if needed > 1 else ''}, and {good} still count"
    reason = "; ".join([reason, *(vote.reason for vote in against)])
    return Ruling(allowed=False, reason=reason, rule=asked.rule, number=asked.number, passing=passing)


def subjects(rules: Sequence[Rule], matter: Matter) -> frozenset[str]:
    """Everybody and every group whom a rule that covers the matter names: who is in these has to be known."""
    named = (part for rule in rules if covers(rule, matter) for part in (rule.requesters, rule.approvers))
    return frozenset(subject for part in named for subject in part)


def covers(rule: Rule, matter: Matter) -> bool:
    return _covers_elsewhere(rule, matter) and (not rule.channels or matter.channel in rule.channels)


def _may_approve(rules: Sequence[Rule], matter: Matter, requester: Standing, approver: Standing) -> Ruling:
    asked = may_ask(rules, matter, requester)
    if asked.rule is None or not asked.allowed:
        reason = f"{requester.name} may no longer ask for it: {asked.reason}"
        return Ruling(allowed=False, reason=reason, rule=asked.rule, number=asked.number, passing=asked.passing)
    number, refusal, passing = asked.number, "", False
    if not approver.is_one_of(asked.rule.approvers):
        refusal = f"{approver.name} is none of the approvers of policy rule {number}"
    elif approver.person.id == requester.person.id and not asked.rule.self_approval:
        refusal = f"nobody approves their own request under policy rule {number}: it takes a second person"
    elif approver.denied:
        refusal = f"policy rule {number} would let {approver.name} approve it, but {approver.denied}"
        passing = approver.passing
    reason = refusal or f"policy rule {number} makes {approver.name} an approver"
    return Ruling(allowed=not refusal, reason=reason, rule=asked.rule, number=number, passing=passing)


def _may_deny(rules: Sequence[Rule], matter: Matter, requester: Standing, approver: Standing) -> Ruling:
    number, rule = _deciding(rules, matter, requester)
    heard = [(number, rule)] if rule else [(at, each) for at, each in _numbered(rules) if covers(each, matter)]
    for at, each in heard:
        if approver.is_one_of(each.approvers):
            reason = f"policy rule {at} makes {approver.name} an approver"
            return Ruling(allowed=True, reason=reason, rule=each, number=at)
    if not heard:
        return Ruling(allowed=False, reason=_why_none(rules, matter, approver))
    reason = f"{approver.name} is none of the approvers of policy rule {_numbers(heard)}"
    return Ruling(allowed=False, reason=reason, rule=rule, number=number)


def _deciding(rules: Sequence[Rule], matter: Matter, requester: Standing) -> tuple[int, Rule | None]:
    """The first rule that fits, and its number; (0, None) where none does."""
    fitting = (
        (number, rule)
        for number, rule in _numbered(rules)
        if covers(rule, matter) and requester.is_one_of(rule.requesters)
    )
    return next(fitting, (0, None))


def _covers_elsewhere(rule: Rule, matter: Matter) -> bool:
    """Whether it covers the matter, whichever channel it is asked for in."""
    return (
        matter.action.value in rule.actions
        and _fits(matter.cluster, rule.clusters)
        and _namespace_fits(matter.namespace, rule.namespaces)
    )


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _namespace_fits(namespace: str, patterns: Sequence[str]) -> bool:
    # A cluster-wide action has no namespace, and an empty name would fit "*".
    if not namespace or namespace in PROTECTED:
        return bool(namespace) and namespace in patterns
    return _fits(namespace, patterns)


def _why_none(rules: Sequence[Rule], matter: Matter, person: Standing) -> str:
    """Why no rule lets this person ask for it."""
    if not rules:
        return NO_POLICY
    covering = [(number, rule) for number, rule in _numbered(rules) if covers(rule, matter)]
    if covering:
        several = "rules" if len(covering) > 1 else "rule"
        verb = "cover" if len(covering) > 1 else "covers"
        none = f"{person.name} is none of {'their' if len(covering) > 1 else 'its'} requesters"
        return f"policy {several} {_numbers(covering)} {verb} {matter}, and {none}"
    elsewhere = [(number, rule) for number, rule in _numbered(rules) if _covers_elsewhere(rule, matter)]
    if elsewhere:
        return f"policy rule {_numbers(elsewhere)} covers {matter}, but not when it is asked for in this channel"
    if matter.namespace in PROTECTED:
        return f"no policy rule names {matter.namespace} in full for {matter.action}, and no pattern covers it"
    return f"no policy rule covers {matter}"


def _numbered(rules: Sequence[Rule]) -> Sequence[tuple[int, Rule]]:
    return tuple(enumerate(rules, 1))


def _numbers(rules: Sequence[tuple[int, Rule]]) -> str:
    return ", ".join(str(number) for number, _ in rules)
