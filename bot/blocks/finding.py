"""One finding: how certain, why, the proof, what helps."""

from collections.abc import Sequence

from bot.blocks import elements as kit
from bot.blocks.limits import Block
from bot.durations import utc
from bot.model import Evidence, Finding

_QUOTE = 700
_CAPTION = 160
_TEXT = 900
_REMEDY = 320


def root(finding: Finding, *, symptoms: Sequence[str], titled: bool, quotes: int, remedies: int) -> Block:
    """The first finding. `symptoms` are the titles it explains; `titled` where the header says something else."""
    certainty = kit.bold(f"{finding.certainty.value.capitalize()}.")
    groups = [
        *([kit.line(kit.bold(finding.cause.title))] if titled else []),
        kit.line(certainty, kit.words(" "), *kit.prose(finding.explanation, _TEXT)),
        *_proof(finding.evidence, quotes),
        *_help(finding, remedies),
    ]
    if symptoms:
        groups.append(kit.line(kit.words(f"It explains too: {'; '.join(symptoms)}.", _REMEDY)))
    return kit.rich(*groups, _more(finding))


def other(finding: Finding, *, explained_by: str) -> Block:
    """One of several in the thread, with a quote and two remedies. `explained_by` is the title of its root, or ""."""
    certainty = f" · {finding.severity.value}, {finding.certainty.value}"
    groups = [kit.line(kit.bold(finding.cause.title), kit.words(certainty))]
    if explained_by:
        groups.append(kit.line(kit.italic(f"↳ explained by: {explained_by}")))
    groups += [kit.line(*kit.prose(finding.explanation, _TEXT)), *_proof(finding.evidence, 1)]
    if not explained_by:
        groups += _help(finding, 2)
    return kit.rich(*groups, _more(finding))


def _proof(evidence: tuple[Evidence, ...], most: int) -> list[kit.Group]:
    groups: list[kit.Group] = []
    for quote in evidence[:most]:
        at = f", {utc(quote.at)}" if quote.at else ""
        groups.append(kit.line(kit.italic(f"{quote.source}{at}", _CAPTION)))
        groups.append(kit.quoted(quote.text, _QUOTE))
    if len(evidence) > most:
        groups.append(kit.line(kit.italic(f"… and {len(evidence) - most} more like it")))
    return groups


def quoted_in(blocks: object) -> str:
    """What the root finding of an answer quoted, read back from the answer's blocks; "" where there is no quote."""
    for block in blocks if isinstance(blocks, list) else ():
        groups = block.get("elements") if isinstance(block, dict) and block.get("type") == "rich_text" else None
        said = ""
        for group in groups if isinstance(groups, list) else ():
            words = _words(group)
            if isinstance(group, dict) and group.get("type") == "rich_text_preformatted" and words:
                return f"{said}:\n{words}" if said else words
            said = words
    return ""


def _words(group: object) -> str:
    leaves = group.get("elements") if isinstance(group, dict) else None
    texts = (leaf.get("text") for leaf in leaves if isinstance(leaf, dict)) if isinstance(leaves, list) else ()
    return "".join(text for text in texts if isinstance(text, str))


def _help(finding: Finding, most: int) -> list[kit.Group]:
    remedies = finding.remedies or finding.cause.remedies
    if not remedies:
        return []
    items = [kit.line(*kit.prose(remedy.text, _REMEDY)) for remedy in remedies[:most]]
    return [kit.line(kit.bold("What helps")), kit.bullets(items)]


def _more(finding: Finding) -> kit.Group:
    return kit.line(kit.words("More: "), kit.code(f"/token explain {finding.code}"))
