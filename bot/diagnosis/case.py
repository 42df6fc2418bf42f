"""A Snapshot with what follows from it, worked out once and shared by all checks. Still pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from bot.diagnosis.clocks import aligned, server_now
from bot.diagnosis.course import Course, course
from bot.diagnosis.rejections import Rejection, of_server_logs, of_tokens
from bot.diagnosis.signals import Signal, SignalKind, scan
from bot.messages import BARE
from bot.model import ContainerLog, Facet, SecretSummary, SeenToken, Snapshot, TokenSource
from bot.mounts import TokenMount, TokenVariable, token_mounts, token_variables
from bot.objects import ContainerStatus, Pod
from bot.versions import Minor, minor_of

_REFUSALS = frozenset({SignalKind.UNAUTHORIZED, SignalKind.AMBIGUOUS})


class Case:
    """What the checks look at."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = aligned(snapshot)
        self.now = server_now(snapshot)

    @cached_property
    def facets(self) -> Mapping[str, Facet[object]]:
        """Every facet by its name."""
        found = self.snapshot
        names = found.__struct_fields__
        return {name: value for name in names if isinstance(value := getattr(found, name), Facet)}

    @property
    def pod(self) -> Pod:
        """Raises UnreadError where the pod was not read."""
        return self.snapshot.pod.read()

    @property
    def version(self) -> Minor | None:
        """The API server's; None where it was not read."""
        found = self.snapshot.version.value
        return minor_of(found.git_version) if found else None

    @property
    def account_name(self) -> str:
        """`namespace/name` of the service account that the target is, or runs as."""
        target = self.snapshot.target
        name = target.name if target.kind == "ServiceAccount" else self.pod.spec.service_account_name
        return f"{target.namespace}/{name}"

    @property
    def is_template(self) -> bool:
        """Whether there is no pod: what was read is a workload's template for new ones."""
        return self.snapshot.target.kind != "Pod"

    @cached_property
    def statuses(self) -> dict[str, ContainerStatus]:
        status = self.pod.status
        return {found.name: found for found in (*status.init_container_statuses, *status.container_statuses)}

    def started(self, container: str) -> datetime | None:
        """When the container's present run began; None where it does not run."""
        status = self.statuses.get(container)
        return status.state.running.started_at if status and status.state.running else None

    def last_started(self, container: str) -> datetime | None:
        """When its newest run began, whether it has ended since or not."""
        status = self.statuses.get(container)
        ended = (status.state.terminated or status.last_state.terminated) if status else None
        return self.started(container) or (ended.started_at if ended else None)

    # --- what the pod's log says ---

    @cached_property
    def signals(self) -> tuple[Signal, ...]:
        addresses = (*self.snapshot.endpoints, *(self.snapshot.api_servers.value or ()))
        hosts = frozenset(host for address in addresses if (host := urlsplit(address).hostname))
        return scan(self.snapshot.logs.read(), hosts)

    def of_kind(self, *kinds: SignalKind) -> tuple[Signal, ...]:
        return tuple(signal for signal in self.signals if signal.kind in kinds)

    def course_of(self, signals: tuple[Signal, ...], container: str) -> Course:
        """How these signals of one container went on; they must be some of its own."""
        runs = [log for log in self.snapshot.logs.read() if log.container == container]
        return course(signals, runs, self.statuses.get(container), self.now)

    def during(self, wanted: Course, *kinds: SignalKind) -> tuple[Signal, ...]:
        """The signals of these kinds in the containers where they took this course."""
        signals = self.of_kind(*kinds)
        by_container: dict[str, list[Signal]] = {}
        for signal in signals:
            by_container.setdefault(signal.container, []).append(signal)
        return tuple(
            signal
            for container, own in by_container.items()
            if self.course_of(tuple(own), container) is wanted
            for signal in own
        )

    def ongoing(self, *kinds: SignalKind) -> tuple[Signal, ...]:
        return self.during(Course.ONGOING, *kinds)

    @cached_property
    def refusals(self) -> tuple[Signal, ...]:
        """The 401s that go on: the API server's, and those of nobody in particular."""
        return self.ongoing(*_REFUSALS)

    @cached_property
    def past_refusals(self) -> tuple[Signal, ...]:
        return self.during(Course.STOPPED, *_REFUSALS)

    @cached_property
    def quiet_refusals(self) -> tuple[Signal, ...]:
        return self.during(Course.QUIET, *_REFUSALS)

    def refused_in(self, container: str) -> tuple[Signal, ...]:
        return tuple(signal for signal in self.refusals if signal.container == container)

    # --- where its tokens are ---

    @cached_property
    def mounts(self) -> tuple[TokenMount, ...]:
        """Token files: projected ones, and Secrets that are token Secrets or may have been (they are gone)."""
        return tuple(mount for mount in token_mounts(self.pod) if mount.projected or self._may_hold_token(mount.secret))

    @cached_property
    def variables(self) -> tuple[TokenVariable, ...]:
        """Variables filled with a token Secret's token."""
        return tuple(
            variable
            for variable in token_variables(self.pod)
            if variable.key in {"", "token"} and self._may_hold_token(variable.secret)
        )

    def mounts_of(self, container: str) -> tuple[TokenMount, ...]:
        return tuple(mount for mount in self.mounts if mount.container == container)

    def mount_of(self, token: SeenToken) -> TokenMount | None:
        """The projected mount whose file this token was read from."""
        if token.source is not TokenSource.EXEC:
            return None
        place = (token.container, token.path)
        return next((m for m in self.mounts if m.projected and (m.container, m.path) == place), None)

    def kept_fresh(self, container: str) -> tuple[TokenMount, ...]:
        """Its projected tokens for the API server, which the kubelet refreshes."""
        return tuple(
            mount
            for mount in self.mounts_of(container)
            if mount.projected and not mount.sub_path and not self.foreign(mount.audience)
        )

    def relied_on(self, secrets: frozenset[str]) -> bool:
        """Whether some container sends a token of these Secrets: it has no other, or is refused for no other reason."""
        holders = {mount.container for mount in self.mounts if mount.secret in secrets}
        holders |= {held.container for held in self.variables if held.secret in secrets}
        explained = {rejection.container for rejection in self.rejections if rejection.token is None}
        return any(
            not self.kept_fresh(holder) or (self.refused_in(holder) and not explained & {holder, ""})
            for holder in holders
        )

    def used_secrets(self) -> Iterator[SecretSummary]:
        """The metadata of the token Secrets that the pod uses."""
        for reference in self.snapshot.referenced_secrets.read():
            if reference.is_token and reference.secret:
                yield reference.secret

    def missing_secrets(self) -> frozenset[str]:
        """Names of Secrets that the pod wants a token from and that do not exist."""
        gone = {ref.name for ref in self.snapshot.referenced_secrets.read() if ref.secret is None}
        mounted = {mount.secret for mount in self.mounts if not mount.optional}
        in_environment = {variable.secret for variable in self.variables if not variable.optional}
        return frozenset(gone & (mounted | in_environment))

    def _may_hold_token(self, secret: str) -> bool:
        known = {ref.name: ref for ref in self.snapshot.referenced_secrets.value or ()}
        return secret not in known or known[secret].is_token or known[secret].secret is None

    def foreign(self, audience: str) -> bool:
        """Whether a projection's audience is somebody else than the API server."""
        if servers := self.snapshot.authentication.value:
            return audience not in {"", *(own for server in servers for own in server.audiences)}
        discovery = self.snapshot.discovery.value
        own = {"", "https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local"}
        return audience not in own | ({discovery.issuer} if discovery else set())

    # --- what the API server says of them ---

    @cached_property
    def seen_tokens(self) -> tuple[SeenToken, ...]:
        """Every token that was seen by any route."""
        found = self.snapshot
        facets = (found.exec_tokens, found.secret_tokens, found.spec_tokens, found.probe)
        return tuple(token for facet in facets for token in facet.value or ())

    @cached_property
    def rejections(self) -> tuple[Rejection, ...]:
        """All reasons that were given; a foreign token that the API server refuses is as it should be."""
        reviewed = of_tokens([token for token in self.seen_tokens if not self._meant_for_another(token)])
        logs: tuple[ContainerLog, ...] = self.snapshot.api_server_logs.value or ()
        refused = self.refusals if self.snapshot.logs.gap is None else ()
        return (*reviewed, *of_server_logs(self.snapshot, logs, refused))

    def rejected_for(self, code: str) -> tuple[Rejection, ...]:
        """The rejections whose words mean just this cause."""
        return tuple(found for found in self.rejections if found.message.cause == code and found.message is not BARE)

    def is_refused(self, token: SeenToken) -> bool:
        """Whether an API server refuses it, asked for the audience that the token is meant for."""
        for_another = self._meant_for_another(token)
        return any(not review.authenticated for review in token.reviews if bool(review.audiences) is for_another)

    def _meant_for_another(self, token: SeenToken) -> bool:
        return any(
            mount.projected
            and (mount.container, mount.path) == (token.container, token.path)
            and self.foreign(mount.audience)
            for mount in self.mounts
        )
