"""What follows an answer in its thread: other findings, timeline, blast radius, gaps, checks."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.blocks import elements as kit
from bot.blocks.finding import other
from bot.blocks.limits import BUDGET, Block, Message, fallback, pack, size
from bot.diagnosis.gaps import by_mend
from bot.durations import relative, utc
from bot.model import BlastRadius, CheckStatus, Finding, Gap, GapKind, Moment, Report

MESSAGES = 5
"""A thread longer than this is read by nobody; the terminal shows everything."""

_FINDINGS = 12
_MOMENTS = 25
_GAPS = 18
_CHECKS = 20
_PODS = 20
_PART = BUDGET // 2


def thread(report: Report) -> tuple[Message, ...]:
    packed = pack(list(_parts(report)))
    if len(packed) > MESSAGES:
        packed = [*packed[: MESSAGES - 1], [_in_the_terminal(report)]]
    title = fallback(f"More about {report.target}")
    return tuple(Message(title, tuple(blocks)) for blocks in packed)


def _in_the_terminal(report: Report) -> Block:
    target = report.target
    command = f"token-doctor check {target.namespace}/{target.kind.lower()}/{target.name}"
    return kit.rich(kit.line(kit.words("… and more than fits here. In a terminal: "), kit.code(command)))


def _parts(report: Report) -> Iterator[list[Block]]:
    yield from _others(report.faults)
    yield from _advice(report.advice)
    yield from _timeline(report.timeline, report.taken_at)
    if report.blast_radius:
        yield [_blast_radius(report.blast_radius)]
    yield from _unread(report.gaps)
    yield from _checks(report)


def _others(findings: Sequence[Finding]) -> Iterator[list[Block]]:
    """All but the first, a symptom with the cause that explains it."""
    roots = {code: finding.cause.title for finding in reversed(findings) for code in finding.symptoms}
    for finding in findings[1 : _FINDINGS + 1]:
        yield [other(finding, explained_by=roots.get(finding.code, ""))]
    rest = findings[_FINDINGS + 1 :]
    if rest:
        titles = ", ".join(finding.cause.title for finding in rest)
        yield [kit.rich(kit.line(kit.words(f"… and {len(rest)} more findings: {titles}", 900)))]


def _advice(advice: Sequence[Finding]) -> Iterator[list[Block]]:
    if advice:
        items = [
            kit.line(
                kit.bold(finding.cause.title),
                *kit.prose(f": {finding.explanation} {finding.remedies[0].text if finding.remedies else ''}", 600),
                kit.words(" More: "),
                kit.code(f"/token explain {finding.code}"),
            )
            for finding in advice
        ]
        yield from _listed(kit.line(kit.bold("Also worth mending")), items)


def _timeline(moments: Sequence[Moment], now: datetime) -> Iterator[list[Block]]:
    if not moments:
        return
    last = sorted(moments, key=lambda moment: moment.at)[-_MOMENTS:]
    items = [
        kit.line(
            kit.code(utc(moment.at).removesuffix(" UTC")), kit.words(f" {relative(moment.at, now)}: {moment.what}", 250)
        )
        for moment in last
    ]
    note = f", the last {len(last)} of {len(moments)} entries" if len(moments) > len(last) else ""
    yield from _listed(kit.line(kit.bold(f"Timeline (UTC){note}")), items)


def _blast_radius(radius: BlastRadius) -> Block:
    groups = [kit.line(kit.bold("Who else is affected")), kit.line(kit.words(radius.sentence))]
    if radius.pods:
        groups.append(kit.quoted("\n".join(radius.pods[:_PODS]), 1_500))
    return kit.rich(*groups)


def _unread(gaps: Sequence[Gap]) -> Iterator[list[Block]]:
    kinds = {
        "Could not be read": [gap for gap in gaps if gap.kind.spoils],
        "Switched off": [gap for gap in gaps if gap.kind is GapKind.SWITCHED_OFF],
        "Nobody could see": [gap for gap in gaps if gap.kind is GapKind.UNOBSERVABLE],
    }
    for heading, some in kinds.items():
        yield from gap_list(heading, some, most=_GAPS)


def gap_list(heading: str, gaps: Sequence[Gap], *, most: int) -> Iterator[list[Block]]:
    """What was not read and why, with what opens it; nothing where there is no gap."""
    if not gaps:
        return
    alike = by_mend(gaps)
    items = [_gap(some) for some in alike[:most]]
    if len(alike) > most:
        items.append(kit.line(kit.words(f"… and {len(alike) - most} more")))
    yield from _listed(kit.line(kit.bold(heading)), items)


def _gap(alike: Sequence[Gap]) -> kit.Group:
    first = alike[0]
    facets = ", ".join(gap.facet.replace("_", " ") for gap in alike)
    kind = f" ({first.kind.value})" if first.kind.spoils and not first.reason.startswith(first.kind.value) else ""
    mend = f" → {first.mend}" if first.mend else ""
    return kit.line(kit.bold(facets, 200), *kit.prose(f"{kind}: {first.reason.rstrip('.')}.{mend}", 450))


def _checks(report: Report) -> Iterator[list[Block]]:
    """Counts first; then what failed or was skipped, those together that were skipped for the same reason."""
    counted = [(sum(check.status is status for check in report.checks), status.value) for status in CheckStatus]
    counts = ", ".join(f"{number} {name}" for number, name in counted if number)
    ends: dict[str, list[str]] = {}
    for check in report.checks:
        if check.status is not CheckStatus.PASSED:
            reason = f": {check.reason}" if check.reason else ""
            ends.setdefault(f"{check.status.value}{reason}", []).append(check.name)
    items = [
        kit.line(kit.code(", ".join(names), 300), kit.words(f" {end}", 150)) for end, names in [*ends.items()][:_CHECKS]
    ]
    if len(ends) > _CHECKS:
        items.append(kit.line(kit.words(f"… and {len(ends) - _CHECKS} more")))
    if report.endpoints:
        items.append(kit.line(kit.words(f"API servers asked: {', '.join(report.endpoints)}", 600)))
    if counts:
        yield from _listed(kit.line(kit.bold("Checks"), kit.words(f" · {counts}")), items)


def _listed(heading: kit.Group, items: Sequence[kit.Group]) -> Iterator[list[Block]]:
    """A heading and its list, in parts of which each fits a message by itself."""
    part = [heading]
    entries: list[kit.Group] = []
    for item in items:
        if entries and size([kit.rich(*part, kit.bullets([*entries, item]))]) > _PART:
            yield [kit.rich(*part, kit.bullets(entries))]
            part, entries = [], []
        entries.append(item)
    yield [kit.rich(*part, kit.bullets(entries)) if entries else kit.rich(*part)]
