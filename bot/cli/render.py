"""A report as text: the verdict first, then its root cause with the proof, then everything else."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from bot.cli.meaning import SEVERITY
from bot.cli.page import Page, Piece, sentence, took
from bot.diagnosis.gaps import by_mend
from bot.durations import relative, utc
from bot.model import CheckStatus, Finding, Gap, Report, Verdict

_VERDICT = {
    Verdict.CRITICAL: "bold red",
    Verdict.WARNING: "bold yellow",
    Verdict.HEALTHY: "bold green",
    Verdict.UNKNOWN: "bold magenta",
}


def report_page(page: Page, report: Report, *, program: str) -> None:
    """The whole report; `program` is how the reader calls this program."""
    _verdict(page, report)
    _members(page, report)
    by_code = {finding.code: finding for finding in report.findings}
    shown: set[str] = set()
    for finding in report.faults:
        if finding.code not in shown:
            symptoms = tuple(by_code[code] for code in finding.symptoms if code in by_code and code not in shown)
            shown |= {finding.code, *(symptom.code for symptom in symptoms)}
            _finding(page, finding, symptoms, report.taken_at, program)
    _advice(page, report, program)
    _timeline(page, report)
    _blast_radius(page, report)
    _gaps(page, report.gaps)
    _footer(page, report)


def _verdict(page: Page, report: Report) -> None:
    style = _VERDICT[report.verdict]
    page.put((f"{report.verdict.upper()}  {report.headline}", style))
    cluster = f" · cluster {report.target.cluster}" if report.target.cluster else ""
    page.put((f"{report.target}{cluster} · {utc(report.taken_at)}", "dim"))

    for note in report.notes:
        page.put((note, "dim"))


def _members(page: Page, report: Report) -> None:
    """Those in trouble one by one, the others in a line; nothing where one line says it all."""
    if len(report.members) == 1 or not (report.unwell or report.target.kind == "Namespace"):
        return
    page.gap()
    rows: list[tuple[Piece, tuple[Piece, ...]]] = [
        ((member.verdict, _VERDICT[member.verdict]), ((member.name, "bold"), f"  {member.headline}"))
        for member in report.unwell
    ]
    if report.well:
        names = ", ".join(member.name for member in report.well)
        rows.append(((Verdict.HEALTHY, _VERDICT[Verdict.HEALTHY]), (f"{len(report.well)}: {names}",)))
    page.rows(rows, indent=2)


def _finding(page: Page, finding: Finding, symptoms: Iterable[Finding], now: datetime, program: str) -> None:
    colour = SEVERITY[finding.severity]
    page.gap()
    page.put(
        (finding.cause.title, "bold"),
        ("  ", ""),
        (f"{finding.severity}, {finding.certainty}", colour),
        marker=f"{page.bullet} ",
        style=colour,
    )
    page.put(finding.explanation, indent=2)
    page.gap()
    _evidence(page, finding, now, indent=2)
    if finding.remedies:
        page.gap()
        for remedy in finding.remedies:
            page.put(remedy.text, indent=2, marker=page.arrow, style="green")
    page.put((f"More: {program} explain {finding.code}", "dim"), indent=2)
    for symptom in symptoms:
        _symptom(page, symptom, now)


def _advice(page: Page, report: Report, program: str) -> None:
    if not report.advice:
        return
    _heading(page, "Also worth mending")
    for finding in report.advice:
        page.put((finding.cause.title, "bold"), ": ", finding.explanation, indent=2, marker=f"{page.bullet} ")
        _evidence(page, finding, report.taken_at, indent=4)
        for remedy in finding.remedies[:1]:
            page.put(remedy.text, indent=4, marker=page.arrow, style="green")
        page.put((f"More: {program} explain {finding.code}", "dim"), indent=4)


def _symptom(page: Page, symptom: Finding, now: datetime) -> None:
    page.gap()
    page.put(
        "which explains: ",
        (symptom.cause.title, "bold"),
        (f"  {symptom.certainty}", "dim"),
        indent=2,
        marker=page.hook,
        style="dim",
    )
    _evidence(page, symptom, now, indent=2 + len(page.hook))


def _evidence(page: Page, finding: Finding, now: datetime, *, indent: int) -> None:
    for evidence in finding.evidence:
        when = f", {relative(evidence.at, now)}" if evidence.at else ""
        page.put((f"{evidence.source}{when}:", "dim"), indent=indent)
        page.cite((evidence.text, "cyan"), indent=indent)


def _heading(page: Page, title: str) -> None:
    page.gap()
    page.put((title, "bold"))


def _timeline(page: Page, report: Report) -> None:
    if not report.timeline:
        return
    _heading(page, "Timeline (UTC)")
    rows: list[tuple[Piece, tuple[Piece, ...]]] = [
        ((f"{utc(moment.at).removesuffix(' UTC')}  {relative(moment.at, report.taken_at)}", "dim"), (moment.what,))
        for moment in report.timeline
    ]
    page.rows(rows, indent=2)


def _blast_radius(page: Page, report: Report) -> None:
    if report.blast_radius is None:
        return
    _heading(page, "Who else")
    page.put(report.blast_radius.sentence, indent=2)
    if report.blast_radius.pods:
        page.put((", ".join(report.blast_radius.pods), "dim"), indent=2)


def _gaps(page: Page, gaps: tuple[Gap, ...]) -> None:
    """What spoils a healthy verdict comes first; what nobody could see, or chose not to, after it."""
    if not gaps:
        return
    _heading(page, "Not checked")
    for kind in sorted({gap.kind for gap in gaps}, key=lambda kind: (not kind.spoils, kind)):
        words = "" if kind.spoils else "dim"
        for alike in by_mend(gap for gap in gaps if gap.kind is kind):
            facets = ", ".join(gap.facet.replace("_", " ") for gap in alike)
            page.put(
                (facets, "yellow" if kind.spoils else "dim"),
                (": " if alike[0].reason.startswith(kind) else f" ({kind}): ", "dim"),
                (sentence(alike[0].reason), words),
                indent=2,
            )
            if alike[0].mend:
                page.put((alike[0].mend, words), indent=4, marker=page.arrow, style="green")


def _footer(page: Page, report: Report) -> None:
    count = Counter(check.status for check in report.checks)
    parts = ", ".join(f"{count[status]} {status}" for status in CheckStatus if count[status])
    page.gap()
    page.put((f"{len(report.checks)} checks: {parts}", "dim"))
    asked = ", ".join(report.endpoints) or "no API server"
    version = f" ({report.version})" if report.version else ""
    page.put((f"Asked {asked}{version} in {took(report.took_ms)}", "dim"))
