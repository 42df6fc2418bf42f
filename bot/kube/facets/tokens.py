"""The tokens themselves, where a route to them is switched on. Each is decoded, reviewed and dropped."""

import msgspec

from bot import objects
from bot.errors import NotATokenError
from bot.kube import pod_exec
from bot.kube.facets.graph import POD, Asking, FoundToken, Switch, facet
from bot.kube.facets.pod import pod
from bot.kube.facets.secrets import referenced_secrets
from bot.kube.gaps import AbsentError, RefusedError
from bot.kube.minting import BoundPod, mint
from bot.kube.review import review
from bot.kube.secret_tokens import filled
from bot.kube.together import all_of
from bot.model import ClaimsKind, Review, SeenToken, TokenSource
from bot.mounts import TokenMount, token_mounts
from bot.tokens import RawToken, inspect

EXEC = Switch(
    is_on=lambda routes: routes.exec,
    flag="--exec",
    setting="checks.exec",
    adds="the token that each container has mounted right now, and the API server's verdict on it",
)
PROBE = Switch(
    is_on=lambda routes: routes.probe,
    flag="--probe",
    setting="checks.probe",
    adds="the API server's verdict on a token minted for this pod right now",
)
SECRET_DATA = Switch(
    is_on=lambda routes: routes.secret_data,
    flag="--secret-data",
    setting="checks.read_secret_data",
    adds="the tokens and kubeconfigs in the Secrets that are used, and the API server's verdict on them",
)


@facet(needs=(pod,))
async def spec_tokens(asking: Asking) -> tuple[SeenToken, ...]:
    """Tokens that stand in the pod's spec. They are reviewed only where tokens in Secrets may be read too.

    A review moves a Secret's last-use label, and an audit log may keep the token.
    """
    asking.value(pod)
    return await all_of(_in_environment(asking, found) for found in asking.environment_tokens)


@facet(needs=(pod, referenced_secrets), seconds=8, switch=SECRET_DATA)
async def secret_tokens(asking: Asking) -> tuple[SeenToken, ...]:
    """The key `token` of each token Secret that the pod refers to."""
    names = [secret.name for secret in asking.value(referenced_secrets) if secret.is_token and secret.secret]
    return await all_of(_in_secret(asking, name) for name in names)


@facet(of=POD, needs=(pod,), uses=(referenced_secrets,), seconds=8, switch=EXEC)
async def exec_tokens(asking: Asking) -> tuple[SeenToken, ...]:
    """The token files of the containers that run, read with `cat`."""
    found = asking.value(pod)
    running = {status.name for status in found.status.container_statuses if status.state.running is not None}
    secrets = asking.facet(referenced_secrets)
    tokens = {secret.name for secret in secrets.read() if secret.is_token} if secrets.gap is None else set()
    return await all_of(
        _in_container(asking, found, mount)
        for mount in token_mounts(found)
        if mount.container in running and (mount.projected or mount.secret in tokens)
    )


@facet(of=POD, needs=(pod,), switch=PROBE)
async def probe(asking: Asking) -> tuple[SeenToken, ...]:
    """Does a fresh token work? One is minted for the pod's service account, bound to the pod."""
    found = asking.value(pod)
    place = "a fresh token minted for this pod"
    bound = BoundPod(found.metadata.name, found.metadata.uid)
    account = found.spec.service_account_name
    try:
        raw = await mint(asking.api, namespace=asking.ref.namespace, account=account, pod=bound)
    except (AbsentError, RefusedError) as error:
        return (SeenToken(source=TokenSource.PROBE, place=place, problem=f"none could be minted: {error}"),)
    return (await _seen(asking, raw, SeenToken(source=TokenSource.PROBE, place=place)),)


async def _in_environment(asking: Asking, found: FoundToken) -> SeenToken:
    seen = SeenToken(
        source=TokenSource.POD_SPEC,
        place=f"environment variable {found.variable} of container {found.container}",
        container=found.container,
    )
    return await _seen(asking, found.raw, seen, ask=asking.routes.secret_data)


async def _in_secret(asking: Asking, name: str) -> SeenToken:
    seen = SeenToken(source=TokenSource.SECRET, place=f"Secret {name}, key token", secret=name)
    try:
        found = await filled(asking.api, namespace=asking.ref.namespace, name=name)
    except AbsentError:
        return msgspec.structs.replace(seen, problem="the Secret is gone: it was deleted just now")
    if found.raw is None:
        return msgspec.structs.replace(seen, problem="the Secret holds no token")
    return await _seen(asking, found.raw, seen)


async def _in_container(asking: Asking, found: objects.Pod, mount: TokenMount) -> SeenToken:
    seen = SeenToken(
        source=TokenSource.EXEC,
        place=f"{mount.path} in container {mount.container}",
        container=mount.container,
        path=mount.path,
        secret=mount.secret,
    )
    file = await pod_exec.cat(
        asking.api, namespace=asking.ref.namespace, pod=found.metadata.name, container=mount.container, path=mount.path
    )
    if file.problem:
        return msgspec.structs.replace(seen, problem=file.problem)
    raw = RawToken(file.content.decode("utf-8", "replace").strip())
    return await _seen(asking, raw, seen, audience=mount.audience)


async def _seen(asking: Asking, raw: RawToken, seen: SeenToken, *, audience: str = "", ask: bool = True) -> SeenToken:
    """The token's claims and the API servers' verdicts; for a foreign audience also the verdict on that one."""
    try:
        claims = inspect(raw)
    except NotATokenError as error:
        return msgspec.structs.replace(seen, problem=str(error), malformed=True)
    if not ask or claims.kind is ClaimsKind.FOREIGN:
        # Somebody else's token is none of the API server's business.
        return msgspec.structs.replace(seen, claims=claims)
    wanted: list[tuple[str, ...]] = [()]
    if audience:
        wanted.append((audience,))
    answers: tuple[tuple[Review, ...], ...] = await all_of(
        review(asking.cluster, raw, audiences=audiences) for audiences in wanted
    )
    return msgspec.structs.replace(seen, claims=claims, reviews=tuple(one for each in answers for one in each))
