"""The nouns. All are frozen; all times are aware and in UTC."""

from bot.model.asked import ObjectRef, Routes, Target
from bot.model.authentication import ApiServer, AuthenticationFile, JwtIssuer, TokenCounts
from bot.model.catalogue import Cause, Certainty, Remedy, Route, Scope, Severity
from bot.model.clocks import Offset, Renewal, Renewals, ServedDate
from bot.model.control_plane import (
    ControllerManager,
    ControllerProbe,
    EndpointDiscovery,
    IssuerPublication,
    LeaderLease,
    NamespaceDefaults,
)
from bot.model.facets import NOT_READ, Facet, Gap, GapKind, Rule, UnreadError
from bot.model.noun import Noun
from bot.model.read import Access, ClusterIssuer, ContainerLog, Discovery, LogLine
from bot.model.report import BlastRadius, CheckResult, CheckStatus, Evidence, Finding, Member, Moment, Report, Verdict
from bot.model.rights import Grant, PolicyRule, Subject
from bot.model.secrets import (
    TOKEN_TYPE,
    ClientCertificate,
    EmbeddedCredential,
    Layout,
    ReferencedSecret,
    SecretAccount,
    SecretSummary,
    SecretUsers,
    TokenTracking,
)
from bot.model.snapshot import Snapshot
from bot.model.survey import Survey
from bot.model.tokens import Binding, Claims, ClaimsKind, Review, SeenToken, TokenSource
from bot.model.workload import Workload

__all__ = [
    "NOT_READ",
    "TOKEN_TYPE",
    "Access",
    "ApiServer",
    "AuthenticationFile",
    "Binding",
    "BlastRadius",
    "Cause",
    "Certainty",
    "CheckResult",
    "CheckStatus",
    "Claims",
    "ClaimsKind",
    "ClientCertificate",
    "ClusterIssuer",
    "ContainerLog",
    "ControllerManager",
    "ControllerProbe",
    "Discovery",
    "EmbeddedCredential",
    "EndpointDiscovery",
    "Evidence",
    "Facet",
    "Finding",
    "Gap",
    "GapKind",
    "Grant",
    "IssuerPublication",
    "JwtIssuer",
    "Layout",
    "LeaderLease",
    "LogLine",
    "Member",
    "Moment",
    "NamespaceDefaults",
    "Noun",
    "ObjectRef",
    "Offset",
    "PolicyRule",
    "ReferencedSecret",
    "Remedy",
    "Renewal",
    "Renewals",
    "Report",
    "Review",
    "Route",
    "Routes",
    "Rule",
    "Scope",
    "SecretAccount",
    "SecretSummary",
    "SecretUsers",
    "SeenToken",
    "ServedDate",
    "Severity",
    "Snapshot",
    "Subject",
    "Survey",
    "Target",
    "TokenCounts",
    "TokenSource",
    "TokenTracking",
    "UnreadError",
    "Verdict",
    "Workload",
]
