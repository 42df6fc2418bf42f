"""All that was read at one instant."""

from datetime import datetime

from bot import objects
from bot.model.asked import ObjectRef, Routes
from bot.model.facets import NOT_READ, Facet
from bot.model.noun import Noun
from bot.model.read import Access, ClusterIssuer, ContainerLog, Discovery, ReferencedSecret
from bot.model.tokens import SeenToken


class Snapshot(Noun, frozen=True, kw_only=True):
    """All that was read at one instant. Each facet is documented where it is read, in `bot/kube/facets/`."""

    target: ObjectRef
    taken_at: datetime
    endpoints: tuple[str, ...] = ()
    routes: Routes = Routes()
    version: Facet[objects.Version] = NOT_READ
    pod: Facet[objects.Pod] = NOT_READ
    owners: Facet[tuple[objects.Named, ...]] = NOT_READ
    namespace: Facet[objects.Named | None] = NOT_READ
    service_account: Facet[objects.ServiceAccount | None] = NOT_READ
    events: Facet[tuple[objects.Event, ...]] = NOT_READ
    logs: Facet[tuple[ContainerLog, ...]] = NOT_READ
    token_secrets: Facet[tuple[objects.Named, ...]] = NOT_READ
    referenced_secrets: Facet[tuple[ReferencedSecret, ...]] = NOT_READ
    peers: Facet[tuple[str, ...]] = NOT_READ
    node: Facet[objects.Named | None] = NOT_READ
    discovery: Facet[Discovery] = NOT_READ
    other_issuers: Facet[tuple[ClusterIssuer, ...]] = NOT_READ
    api_servers: Facet[tuple[str, ...]] = NOT_READ
    api_server_logs: Facet[tuple[ContainerLog, ...]] = NOT_READ
    access: Facet[tuple[Access, ...]] = NOT_READ
    spec_tokens: Facet[tuple[SeenToken, ...]] = NOT_READ
    secret_tokens: Facet[tuple[SeenToken, ...]] = NOT_READ
    exec_tokens: Facet[tuple[SeenToken, ...]] = NOT_READ
    probe: Facet[tuple[SeenToken, ...]] = NOT_READ
