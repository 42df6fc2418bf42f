"""The nouns. All are frozen; all times are aware and in UTC."""

from bot.model.asked import ObjectRef, Routes, Target
from bot.model.catalogue import Cause, Certainty, Remedy, Route, Scope, Severity
from bot.model.facets import NOT_READ, Facet, Gap, GapKind, Rule, UnreadError
from bot.model.noun import Noun
from bot.model.read import Access, ClusterIssuer, ContainerLog, Discovery, LogLine, ReferencedSecret
from bot.model.report import BlastRadius, CheckResult, CheckStatus, Evidence, Finding, Moment, Report, Verdict
from bot.model.snapshot import Snapshot
from bot.model.tokens import Binding, Claims, ClaimsKind, Review, SeenToken, TokenSource

__all__ = [
    "NOT_READ",
    "Access",
    "Binding",
    "BlastRadius",
    "Cause",
    "Certainty",
    "CheckResult",
    "CheckStatus",
    "Claims",
    "ClaimsKind",
    "ClusterIssuer",
    "ContainerLog",
    "Discovery",
    "Evidence",
    "Facet",
    "Finding",
    "Gap",
    "GapKind",
    "LogLine",
    "Moment",
    "Noun",
    "ObjectRef",
    "ReferencedSecret",
    "Remedy",
    "Report",
    "Review",
    "Route",
    "Routes",
    "Rule",
    "Scope",
    "SeenToken",
    "Severity",
    "Snapshot",
    "Target",
    "TokenSource",
    "UnreadError",
    "Verdict",
]
