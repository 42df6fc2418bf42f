"""What the bot shows the API server: read where it lives, read again when it ages or is refused."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.errors import WrongUsageError
from bot.kube import exec_plugin, kubeconfig
from bot.kube.kubeconfig import Chosen, UserEntry

FILE_AGE = timedelta(minutes=1)
"""The kubelet replaces a token file long before it expires; client-go re-reads at the same pace."""


@dataclass(frozen=True, repr=False)
class Identity:
    """Headers and, where there is one, a client certificate (PEM). Never shown."""

    headers: tuple[tuple[str, str], ...] = ()
    certificate: str = ""
    key: str = ""
    good_until: datetime | None = None

    def certificate_differs(self, other: "Identity") -> bool:
        return (self.certificate, self.key) != (other.certificate, other.key)

    def shows_other_than(self, other: "Identity") -> bool:
        return self.headers != other.headers or self.certificate_differs(other)


Source = Callable[[], Awaitable[Identity]]


class Login:
    """The present identity. One reading at a time, however many requests wait for it."""

    def __init__(self, source: Source, now: Callable[[], datetime]) -> None:
        self._source = source
        self._now = now
        self._lock = asyncio.Lock()
        self._identity: Identity | None = None

    async def identity(self, *, refused: Identity | None = None) -> Identity:
        """The identity to show; another one than `refused` where the source has another one by now."""
        async with self._lock:
            if self._identity is None or self._identity is refused or self._is_old(self._identity):
                self._identity = await self._source()
            return self._identity

    def _is_old(self, identity: Identity) -> bool:
        return identity.good_until is not None and self._now() >= identity.good_until


def in_cluster(token_file: Path, now: Callable[[], datetime]) -> Source:
    """The pod's own service account token."""

    async def read() -> Identity:
        token = await asyncio.to_thread(kubeconfig.read_text, token_file, "the pod's service account token")
        return Identity(headers=(_bearer(token),), good_until=now() + FILE_AGE)

    return read


def from_kubeconfig(reread: Callable[[], Chosen], now: Callable[[], datetime]) -> Source:
    """The user of a kubeconfig, which is read anew each time: somebody may have logged in again."""

    async def read() -> Identity:
        chosen = await asyncio.to_thread(reread)
        user = chosen.user
        _refuse_unknown(user)
        if user.exec is not None:
            credential = await exec_plugin.run(user.exec, chosen)
            headers = (_bearer(credential.token),) if credential.token else ()
            return Identity(
                headers=(*headers, *_impersonation(user)),
                certificate=credential.client_certificate_data,
                key=credential.client_key_data,
                good_until=credential.expiration_timestamp,
            )
        return await asyncio.to_thread(_from_files, chosen, now)

    return read


def _from_files(chosen: Chosen, now: Callable[[], datetime]) -> Identity:
    user, folder = chosen.user, chosen.user_folder
    headers: tuple[tuple[str, str], ...] = ()
    if user.token_file:
        headers = (_bearer(kubeconfig.read_text(folder / user.token_file, "the kubeconfig's tokenFile")),)
    elif user.token:
        headers = (_bearer(user.token),)
    elif user.username:
        pair = base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
        headers = (("Authorization", f"Basic {pair}"),)
    return Identity(
        headers=(*headers, *_impersonation(user)),
        certificate=kubeconfig.text_of(
            user.client_certificate_data, user.client_certificate, folder, "client-certificate"
        ),
        key=kubeconfig.text_of(user.client_key_data, user.client_key, folder, "client-key"),
        good_until=now() + FILE_AGE if user.token_file else None,
    )


def _refuse_unknown(user: UserEntry) -> None:
    if user.auth_provider is not None:
        name = user.auth_provider.get("name", "")
        raise WrongUsageError(
            f"The kubeconfig's user logs in by the auth-provider “{name}”, which is not supported.",
            next_step="Use its exec plugin, for example kubelogin for OIDC or gke-gcloud-auth-plugin for GKE.",
        )


def _bearer(token: str) -> tuple[str, str]:
    return ("Authorization", f"Bearer {token.strip()}")


def _impersonation(user: UserEntry) -> tuple[tuple[str, str], ...]:
    one = [("Impersonate-User", user.impersonate)] if user.impersonate else []
    uid = [("Impersonate-Uid", user.impersonate_uid)] if user.impersonate_uid else []
    return (*one, *uid, *(("Impersonate-Group", group) for group in user.impersonate_groups))
