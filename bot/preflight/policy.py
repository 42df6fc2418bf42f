"""Whether each rule of the policy can ever be met, by who is in its groups and by what its clusters have. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from bot.preflight.seen import SeenCluster, Subject
from bot.preflight.trial import Section, Trial, failed, not_tried, ok, warning
from config.policy import PROTECTED, Rule

_NAMED = 5
_ADD = "Add people to the group in Slack, or name others in the rule."


def trials(
    rules: Sequence[Rule], subjects: Mapping[str, Subject], names: Mapping[str, str], clusters: Sequence[SeenCluster]
) -> Iterator[Trial]:
    """Each rule's people, then the namespaces that it names. `names` are people's, as far as they are known."""
    for number, rule in enumerate(rules, 1):
        yield _people(number, rule, subjects, names)
        yield from _namespaces(number, rule, clusters)


def _people(number: int, rule: Rule, subjects: Mapping[str, Subject], names: Mapping[str, str]) -> Trial:
    requesters, approvers = _everybody(rule.requesters, subjects), _everybody(rule.approvers, subjects)
    called = f"rule {number} ({', '.join(rule.actions)})"
    if requesters is None or approvers is None:
        unknown = sorted({each for each in (*rule.requesters, *rule.approvers) if _unknown(each, subjects)})
        text = f"{called}: Slack did not tell who {', '.join(unknown)} {'is' if len(unknown) == 1 else 'are'}"
        return not_tried(Section.POLICY, text, "See the lines about Slack above.")
    if not requesters:
        return failed(Section.POLICY, f"{called}: nobody may ask, for its requesters are nobody", _ADD)
    if len(approvers) < rule.approvals:
        text = (
            f"{called}: it takes {_counted(rule.approvals, 'approval')}, and has {_counted(len(approvers), 'approver')}"
        )
        return failed(Section.POLICY, text, _ADD)
    stuck = sorted(each for each in requesters if not _may_have(each, rule, approvers))
    if len(stuck) == len(requesters):
        text = f"{called}: nobody could agree, for nobody approves their own request"
        return failed(Section.POLICY, text, f"{_ADD} Or set self_approval: true.")
    if stuck:
        text = f"{called}: requests of {_listed(stuck, names)} could never be approved, for nobody approves their own"
        return warning(Section.POLICY, text, _ADD)
    people = f"{_counted(len(requesters), 'requester')}, {_counted(len(approvers), 'approver')}"
    protected = sorted(PROTECTED & set(rule.namespaces))
    note = f"; it names {', '.join(protected)} in full, so it holds there too" if protected else ""
    return ok(Section.POLICY, f"{called}: {people}{note}")


def _everybody(named: Iterable[str], subjects: Mapping[str, Subject]) -> frozenset[str] | None:
    """All of them; None where somebody is not known."""
    found: set[str] = set()
    for each in named:
        subject = subjects.get(each)
        if subject is None or subject.people is None:
            return None
        found |= subject.people
    return frozenset(found)


def _unknown(each: str, subjects: Mapping[str, Subject]) -> bool:
    return each not in subjects or subjects[each].people is None


def _may_have(requester: str, rule: Rule, approvers: frozenset[str]) -> bool:
    others = approvers if rule.self_approval else approvers - {requester}
    return len(others) >= rule.approvals


def _namespaces(number: int, rule: Rule, clusters: Sequence[SeenCluster]) -> Iterator[Trial]:
    """Those that no cluster has just now: as a rule a typing error. Nothing where a cluster does not tell."""
    meant = [each for each in clusters if any(fnmatchcase(each.name, pattern) for pattern in rule.clusters)]
    there: set[str] = set()
    for cluster in meant:
        if cluster.namespaces is None:
            return
        there |= cluster.namespaces
    for pattern in rule.namespaces if meant else ():
        if not any(fnmatchcase(name, pattern) for name in there):
            text = f"rule {number}: no namespace {pattern} is in {', '.join(each.name for each in meant)}"
            yield warning(Section.POLICY, text, "Check the name in policy.namespaces, unless it is still to be made.")


def _listed(people: Sequence[str], names: Mapping[str, str]) -> str:
    shown = [names.get(each, each) for each in people[:_NAMED]]
    return ", ".join(shown) + (f" and {len(people) - _NAMED} more" if len(people) > _NAMED else "")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
