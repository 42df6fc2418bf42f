"""What is known of one namespace, until all of it was read: then it is counted and forgotten. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from bot.census.facts import Facts
from bot.census.wire import Account, Pod, TokenSecret
from bot.census.workloads import Maker, Workload, fold, maker_of
from bot.embedded import Found, SecretData
from bot.mentions import names_in
from bot.model import Layout
from bot.ownership import Managed, Meta, Signs, owner_by, signs_of

_NONE: frozenset[str] = frozenset()
_CONTROLLER = "kube-controller-manager"


class Held(Struct, frozen=True, kw_only=True, gc=False):
    """A token Secret. `filled` and `generated` (by the token controller) are None where nothing tells."""

    name: str
    uid: str
    born: datetime | None
    deleted: datetime | None
    last_used: str
    invalid_since: str
    account: str
    account_uid: str
    filled: bool | None
    generated: bool | None
    meta: Meta
    managers: tuple[Managed, ...]

    @property
    def signs(self) -> Signs:
        """Of whose it is: of most Secrets nobody wants to know."""
        return signs_of(self.meta, self.managers)


class Known(Struct, frozen=True, kw_only=True, gc=False):
    """A service account, and the Secrets it lists."""

    uid: str
    deleted: datetime | None
    secrets: frozenset[str]


class Credential(Struct, frozen=True, kw_only=True, gc=False):
    """A token or client certificate in a Secret's data, without it. `copy_of` is the token Secret it came from."""

    secret: str
    place: str
    layout: Layout
    owner: str
    server: str = ""
    subject: str = ""
    is_certificate: bool = False
    begins: datetime | None = None
    ends: datetime | None = None
    problem: str = ""
    copy_of: str = ""


Users = dict[Maker, int]
"""Who refers to a Secret, each with how many pods."""


@dataclass(slots=True)
class Room:
    """One namespace. Objects may come in any order, a Secret also twice."""

    name: str
    secrets: dict[str, Held] = field(default_factory=dict)
    accounts: dict[str, Known] = field(default_factory=dict)
    workloads: dict[Maker, Workload] = field(default_factory=dict)
    users: dict[str, Users] = field(default_factory=dict)
    credentials: dict[tuple[str, str, bool], Credential] = field(default_factory=dict)

    def add_token_secret(self, secret: TokenSecret) -> None:
        meta = secret.metadata
        typed, written = [], False
        for one in meta.managed_fields:
            if one.wrote_type:
                typed.append(one.manager)
            written |= one.wrote_token
        self.secrets[meta.name] = Held(
            name=meta.name,
            uid=meta.uid,
            born=meta.creation_timestamp,
            deleted=meta.deletion_timestamp,
            last_used=meta.labels.legacy_token_last_used,
            invalid_since=meta.labels.legacy_token_invalid_since,
            account=meta.annotations.service_account_name,
            account_uid=meta.annotations.service_account_uid,
            # A Secret whose fields were not followed from its beginning may have a token that nobody is told to manage.
            filled=True if written else False if typed else None,
            generated=_CONTROLLER in typed if typed else None,
            meta=meta,
            managers=meta.managed_fields,
        )

    def add_account(self, account: Account) -> None:
        meta = account.metadata
        listed = frozenset(one.name for one in account.secrets) if account.secrets else _NONE
        self.accounts[meta.name] = Known(uid=meta.uid, deleted=meta.deletion_timestamp, secrets=listed)
        for pull in account.image_pull_secrets:
            self._use(pull.name, Maker("ServiceAccount", meta.name), 0)

    def add_pod(self, pod: Pod, facts: Facts) -> None:
        maker = maker_of(pod)
        workload = self.workloads.get(maker)
        if workload is None:
            workload = self.workloads[maker] = Workload(maker)
        fold(workload, pod, facts)
        # One that has ended counts too: the cleaner asks every pod there is.
        for name in {*names_in(pod.spec)} - {""}:
            self._use(name, maker, 1)

    def add_credentials(self, secret: SecretData, found: Iterable[Found]) -> None:
        owner = owner_by(signs_of(secret.metadata, secret.metadata.managed_fields))
        for one in found:
            made = _credential(secret.metadata.name, owner, one)
            self.credentials[made.secret, made.place, made.is_certificate] = made

    def _use(self, secret: str, maker: Maker, pods: int) -> None:
        users = self.users.setdefault(secret, {})
        users[maker] = users.get(maker, 0) + pods

    def was_generated(self, held: Held) -> bool:
        """Whether the token controller made it: by its own word, else by the list and the name it would have given."""
        if held.generated is not None:
            return held.generated
        account = self.accounts.get(held.account)
        listed = account is not None and held.name in account.secrets
        return listed and re.fullmatch(rf"{re.escape(held.account)}-token-[a-z0-9]{{5}}", held.name) is not None


def _credential(secret: str, owner: str, found: Found) -> Credential:
    claims, certificate = found.claims, found.certificate
    seen = Credential(
        secret=secret,
        place=found.place,
        layout=found.layout,
        owner=owner,
        server=found.server,
        is_certificate=found.is_certificate,
        problem=found.problem,
    )
    if certificate:
        return replace(seen, begins=certificate.not_before, ends=certificate.not_after, subject=certificate.subject)
    if claims:
        return replace(
            seen,
            begins=claims.issued_at or claims.not_before,
            ends=claims.expires_at,
            subject=claims.subject,
            copy_of=f"{claims.namespace}/{claims.secret}" if claims.secret else "",
        )
    return seen
