"""Secrets without their data: which ones the answer is about, whose they are, and which pods use them."""

from bot import objects
from bot.kube import read, secret_tables, secret_uses, tracking
from bot.kube.facets.graph import RUNNING, SECRET, SERVICE_ACCOUNT, Asking, facet
from bot.kube.facets.identity import account_name, service_account
from bot.kube.facets.pod import pod
from bot.kube.gaps import AbsentError, UnavailableError
from bot.kube.permissions import GET_SERVICE_ACCOUNT
from bot.kube.together import all_of
from bot.model import TOKEN_TYPE, ReferencedSecret, SecretAccount, SecretSummary, SecretUsers, TokenTracking
from bot.mounts import token_variables

_MOST_NAMES = 20


@facet(of=SECRET, shared=True)
async def secret(asking: Asking) -> SecretSummary:
    """The target itself."""
    try:
        return await secret_tables.one(asking.api, namespace=asking.ref.namespace, name=asking.ref.name)
    except AbsentError:
        raise UnavailableError("the Secret is gone: it was deleted since it was looked up") from None


@facet(of=RUNNING | SERVICE_ACCOUNT, shared=True)
async def namespace_token_secrets(asking: Asking) -> tuple[SecretSummary, ...]:
    """Every token Secret of the namespace."""
    return await secret_tables.all_of_type(asking.api, namespace=asking.ref.namespace, secret_type=TOKEN_TYPE)


@facet(of=RUNNING | SERVICE_ACCOUNT, needs=(account_name, namespace_token_secrets))
async def token_secrets(asking: Asking) -> tuple[SecretSummary, ...]:
    """The token Secrets made for the target's service account, by name."""
    account = asking.value(account_name)
    return tuple(held for held in asking.value(namespace_token_secrets) if _account_of(held) == account)


@facet(needs=(pod,))
async def referenced_secrets(asking: Asking) -> tuple[ReferencedSecret, ...]:
    """The Secrets that the pod mounts or takes variables from, in the order of their names."""
    return await all_of(_referenced(asking, name) for name in _names_in(asking.value(pod)))


@facet(of=SERVICE_ACCOUNT, needs=(token_secrets,), shared=True)
async def account_secrets(asking: Asking) -> tuple[SecretSummary, ...]:
    """The same where they are all that the answer is about: a pod's answer does without them."""
    return asking.value(token_secrets)


@facet(of=RUNNING | SERVICE_ACCOUNT | SECRET, needs=(secret, account_secrets, referenced_secrets))
async def secrets(asking: Asking) -> tuple[SecretSummary, ...]:
    """Those that the answer is about: the target itself, the account's token Secrets, or those that the pod uses."""
    if asking.ref.kind in SECRET:
        return (asking.value(secret),)
    if asking.ref.kind in SERVICE_ACCOUNT:
        return asking.value(account_secrets)
    return tuple(used.secret for used in asking.value(referenced_secrets) if used.secret)


@facet(of=RUNNING | SERVICE_ACCOUNT | SECRET, needs=(secrets,), uses=(service_account,))
async def secret_accounts(asking: Asking) -> tuple[SecretAccount, ...]:
    """The service accounts that these Secrets are annotated with; the target's own is not asked for twice."""
    own = asking.facet(service_account)
    known = {} if own.gap else {asking.value(account_name): own.read()}
    names = sorted({_account_of(held) for held in asking.value(secrets)} - {""})
    return await all_of(_account(asking, name, known) for name in names)


@facet(of=SERVICE_ACCOUNT | SECRET, needs=(secrets,))
async def secret_users(asking: Asking) -> tuple[SecretUsers, ...]:
    """The pods of the namespace that refer to these Secrets, each Secret with one at least."""
    wanted = {held.metadata.name for held in asking.value(secrets)}
    if not wanted:
        return ()
    users: dict[str, list[str]] = {}
    for user in await secret_uses.pods(asking.api, asking.ref.namespace):
        for name in wanted & user.secrets:
            users.setdefault(name, []).append(user.name)
    return tuple(
        SecretUsers(secret=name, pods=tuple(sorted(found)[:_MOST_NAMES]), count=len(found))
        for name, found in sorted(users.items())
    )


@facet(of=RUNNING | SERVICE_ACCOUNT | SECRET, needs=(secrets, secret_accounts))
async def token_tracking(asking: Asking) -> TokenTracking | None:
    """Since when uses of legacy tokens are recorded; None where they are not. Asked only where a cleaner may come."""
    if not _may_be_cleaned(asking.value(secrets), asking.value(secret_accounts)):
        return None
    return await tracking.since(asking.api)


def _names_in(found: objects.Pod) -> list[str]:
    volumes = found.spec.volumes
    whole = {volume.secret.secret_name for volume in volumes if volume.secret}
    projected = {
        source.secret.name
        for volume in volumes
        if volume.projected
        for source in volume.projected.sources
        if source.secret
    }
    variables = {variable.secret for variable in token_variables(found)}
    return sorted((whole | projected | variables) - {""})


async def _referenced(asking: Asking, name: str) -> ReferencedSecret:
    try:
        return ReferencedSecret(
            name=name, secret=await secret_tables.one(asking.api, namespace=asking.ref.namespace, name=name)
        )
    except AbsentError:
        return ReferencedSecret(name=name)


async def _account(asking: Asking, name: str, known: dict[str, objects.ServiceAccount | None]) -> SecretAccount:
    if name in known:
        return SecretAccount(name=name, account=known[name])
    try:
        found = await read.get(
            asking.api, GET_SERVICE_ACCOUNT, objects.ServiceAccount, namespace=asking.ref.namespace, name=name
        )
    except AbsentError:
        return SecretAccount(name=name)
    return SecretAccount(name=name, account=found)


def _account_of(held: SecretSummary) -> str:
    return held.metadata.annotations.service_account_name


def _may_be_cleaned(held: tuple[SecretSummary, ...], accounts: tuple[SecretAccount, ...]) -> bool:
    listed = {(one.name, ref.name) for one in accounts if one.account for ref in one.account.secrets}
    return any(one.is_token and (_account_of(one), one.metadata.name) in listed for one in held)
