"""All that was read at one instant."""

from datetime import datetime

from bot import objects
from bot.model.asked import ObjectRef, Routes
from bot.model.authentication import ApiServer, AuthenticationFile, TokenCounts
from bot.model.clocks import Renewal, Renewals, ServedDate
from bot.model.control_plane import (
    ControllerManager,
    ControllerProbe,
    EndpointDiscovery,
    IssuerPublication,
    LeaderLease,
    NamespaceDefaults,
)
from bot.model.facets import NOT_READ, Facet
from bot.model.noun import Noun
from bot.model.read import Access, ClusterIssuer, ContainerLog, Discovery
from bot.model.rights import Grant
from bot.model.secrets import (
    EmbeddedCredential,
    ReferencedSecret,
    SecretAccount,
    SecretSummary,
    SecretUsers,
    TokenTracking,
)
from bot.model.tokens import SeenToken
from bot.model.workload import Workload


class Snapshot(Noun, frozen=True, kw_only=True):
    """All that was read at one instant. Each facet is documented where it is read, in `bot/kube/facets/`."""

    target: ObjectRef
    taken_at: datetime
    endpoints: tuple[str, ...] = ()
    dates: tuple[ServedDate, ...] = ()
    routes: Routes = Routes()
    version: Facet[objects.Version] = NOT_READ
    workload: Facet[Workload] = NOT_READ
    pod: Facet[objects.Pod] = NOT_READ
    owners: Facet[tuple[objects.Named, ...]] = NOT_READ
    namespace: Facet[objects.Named | None] = NOT_READ
    service_account: Facet[objects.ServiceAccount | None] = NOT_READ
    events: Facet[tuple[objects.Event, ...]] = NOT_READ
    logs: Facet[tuple[ContainerLog, ...]] = NOT_READ
    token_secrets: Facet[tuple[SecretSummary, ...]] = NOT_READ
    referenced_secrets: Facet[tuple[ReferencedSecret, ...]] = NOT_READ
    secrets: Facet[tuple[SecretSummary, ...]] = NOT_READ
    secret_accounts: Facet[tuple[SecretAccount, ...]] = NOT_READ
    secret_users: Facet[tuple[SecretUsers, ...]] = NOT_READ
    token_tracking: Facet[TokenTracking | None] = NOT_READ
    embedded: Facet[tuple[EmbeddedCredential, ...]] = NOT_READ
    peers: Facet[tuple[str, ...]] = NOT_READ
    grants: Facet[tuple[Grant, ...]] = NOT_READ
    node: Facet[objects.Node | None] = NOT_READ
    node_lease: Facet[Renewal | None] = NOT_READ
    identity_leases: Facet[Renewals] = NOT_READ
    discovery: Facet[Discovery] = NOT_READ
    other_issuers: Facet[tuple[ClusterIssuer, ...]] = NOT_READ
    api_servers: Facet[tuple[str, ...]] = NOT_READ
    api_server_logs: Facet[tuple[ContainerLog, ...]] = NOT_READ
    authentication: Facet[tuple[ApiServer, ...]] = NOT_READ
    authentication_files: Facet[tuple[AuthenticationFile, ...]] = NOT_READ
    token_counts: Facet[TokenCounts] = NOT_READ
    controllers: Facet[tuple[ControllerManager, ...]] = NOT_READ
    leader: Facet[LeaderLease | None] = NOT_READ
    namespace_defaults: Facet[NamespaceDefaults] = NOT_READ
    endpoint_discoveries: Facet[tuple[EndpointDiscovery, ...]] = NOT_READ
    issuer_publication: Facet[IssuerPublication] = NOT_READ
    controller_probe: Facet[ControllerProbe] = NOT_READ
    access: Facet[tuple[Access, ...]] = NOT_READ
    spec_tokens: Facet[tuple[SeenToken, ...]] = NOT_READ
    secret_tokens: Facet[tuple[SeenToken, ...]] = NOT_READ
    exec_tokens: Facet[tuple[SeenToken, ...]] = NOT_READ
    probe: Facet[tuple[SeenToken, ...]] = NOT_READ
