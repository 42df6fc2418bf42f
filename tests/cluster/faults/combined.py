"""Two or three things wrong at once, and what stands beside a fault without being its reason."""

from datetime import datetime, timedelta

from tests.cluster.api import JsonObject
from tests.cluster.faults.elsewhere import crashes
from tests.cluster.faults.pod import fetch_fails, subpath
from tests.cluster.faults.scene import CLIENT_GO_401, TOKEN_FILE, Scene
from tests.cluster.faults.token import with_token_in_environment
from tests.cluster.tokens import legacy_claims
from tests.cluster.workloads import path_of, running_since

IMAGE = "shop/checkout:1.4"
VAULT_401 = "GET https://vault.shop.example:8200/v1/secret/data/checkout: 401 Unauthorized"
DATABASE = "fatal: connection to db.shop.svc:5432 refused: password authentication failed for user shop"


def containers(*names: str) -> JsonObject:
    return {"containers": [{"name": name, "image": IMAGE} for name in names]}


def vault_volume() -> JsonObject:
    source = {"serviceAccountToken": {"path": "vault", "audience": "vault", "expirationSeconds": 3600}}
    return {"name": "vault", "projected": {"sources": [source]}}


async def expired_token(scene: Scene, pod: JsonObject) -> str:
    """The pod's own token of two hours ago."""
    account = pod["spec"]["serviceAccountName"]
    claims = await scene.plane.tokens.bound_claims(scene.namespace, account, pod=pod)
    return scene.plane.tokens.sign({**claims, "exp": claims["exp"] - 7200})


async def recreate_account(scene: Scene, name: str = "checkout") -> None:
    await scene.plane.api.delete(f"/api/v1/namespaces/{scene.namespace}/serviceaccounts/{name}")
    await scene.account(name)


async def expired_here_forbidden_there(scene: Scene) -> JsonObject:
    """One container sends an old token, the other a good one that lacks a right."""
    pod = await scene.pod(containers("app", "exporter"))
    good = await scene.plane.tokens.mint(scene.namespace, "checkout", bound_to=pod)
    said = await scene.answer(good, f"/api/v1/namespaces/{scene.namespace}/secrets")
    scene.log(pod, [*scene.worked(scene.now()), (scene.now(), f"request failed: {said}")], "exporter")
    await scene.refused(pod, await expired_token(scene, pod), container="app")
    return pod


async def subpath_and_account_recreated(scene: Scene) -> JsonObject:
    """A new account of the name, and a file that the kubelet cannot refresh: it does not heal by itself."""
    pod = await scene.pod(subpath())
    token = await scene.plane.tokens.mint(scene.namespace, "checkout", bound_to=pod)
    scene.holds(pod, token, path="/etc/shop/token")
    await recreate_account(scene)
    await scene.refused(pod, token)
    return pod


async def subpath_here_refused_there(scene: Scene) -> JsonObject:
    """One container has a mount that may fail one day; the other is refused now, and nobody says why."""
    spec = subpath()
    pod = await scene.pod({**spec, "containers": [*spec["containers"], *with_its_own_token(spec, "worker")]})
    scene.log(pod, scene.worked(scene.now()), "app")
    scene.says_401(pod, "worker")
    return pod


def with_its_own_token(spec: JsonObject, name: str) -> list[JsonObject]:
    """One more container, with the whole volume."""
    mount = {"name": spec["volumes"][0]["name"], "mountPath": TOKEN_FILE.removesuffix("/token")}
    return [{"name": name, "image": IMAGE, "volumeMounts": [mount]}]


async def account_recreated_twice(scene: Scene) -> JsonObject:
    pod = await scene.pod()
    token = await scene.plane.tokens.mint(scene.namespace, "checkout", bound_to=pod)
    await recreate_account(scene)
    await recreate_account(scene)
    await scene.refused(pod, token)
    return pod


async def account_recreated_nothing_refused_yet(scene: Scene) -> JsonObject:
    """A client that reads its file again, an hour's token: the next refresh heals it."""
    pod = await scene.pod()
    await recreate_account(scene)
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def account_recreated_in_a_crash_loop(scene: Scene) -> JsonObject:
    """The process ends at every refusal; each new start reads the same dead token from the file."""
    pod = await scene.pod()
    token = await scene.plane.tokens.mint(scene.namespace, "checkout", bound_to=pod)
    await recreate_account(scene)
    await scene.refused(pod, token)
    return await crashes(scene, pod, scene.now())


async def account_recreated_and_secret_gone(scene: Scene) -> JsonObject:
    """With the account the token controller deletes its Secrets: the one in the environment too."""
    await scene.plane.etcd.age(path_of(await scene.account()), by=scene.month)
    secret = await scene.token_secret()
    pod = await scene.pod(with_token_in_environment())
    await recreate_account(scene)
    await scene.gone(secret)
    await scene.refused(pod, scene.plane.tokens.sign(legacy_claims(secret)))
    return pod


async def account_deleted_and_secret_gone(scene: Scene) -> JsonObject:
    await scene.plane.etcd.age(path_of(await scene.account()), by=scene.month)
    secret = await scene.token_secret()
    pod = await scene.pod(with_token_in_environment())
    await scene.plane.api.delete(f"/api/v1/namespaces/{scene.namespace}/serviceaccounts/checkout")
    await scene.gone(secret)
    await scene.refused(pod, scene.plane.tokens.sign(legacy_claims(secret)))
    return pod


async def account_deleted_before_the_first_mount(scene: Scene) -> JsonObject:
    pod = await fetch_fails(scene, 'serviceaccounts "checkout" not found')
    await scene.plane.api.delete(f"/api/v1/namespaces/{scene.namespace}/serviceaccounts/checkout")
    return pod


async def vault_and_recovered(scene: Scene) -> JsonObject:
    """The API server's 401s are three hours old; Vault's go on."""
    pod = await scene.pod()
    then = scene.now() - timedelta(hours=3)
    old = [(then + timedelta(seconds=20 * step), CLIENT_GO_401) for step in range(5)]
    scene.log(pod, [*old, *((moment, VAULT_401) for moment, _ in scene.worked(scene.now()))])
    return pod


async def vault_beside_an_expired_token(scene: Scene) -> JsonObject:
    """Two containers, two validators, two reasons."""
    pod = await scene.pod(containers("app", "vault-agent"))
    scene.log(pod, [(moment, VAULT_401) for moment, _ in scene.worked(scene.now())], "vault-agent")
    await scene.refused(pod, await expired_token(scene, pod), container="app")
    return pod


async def old_401s_and_a_crash_loop(scene: Scene) -> JsonObject:
    """Refused three hours ago, at work until a moment ago, and stopped by its database."""
    pod = await scene.pod()
    now = scene.now()
    then = now - timedelta(hours=3)
    refused = [(then + timedelta(seconds=20 * step), CLIENT_GO_401) for step in range(5)]
    ended = now - timedelta(minutes=4)
    scene.log(pod, [*refused, *scene.worked(ended), (ended, DATABASE)], previous=True)
    scene.log(pod, [(now - timedelta(minutes=2), DATABASE)])
    return await crashes(scene, pod, now - timedelta(minutes=2))


async def restarted_and_quiet_in_back_off(scene: Scene) -> JsonObject:
    """The restart mended nothing: the new run ended before it asked, and the log is quiet now."""
    pod = await scene.pod()
    now = scene.now()
    then = now - timedelta(minutes=40)
    refused = [(then + timedelta(seconds=20 * step), CLIENT_GO_401) for step in range(5)]
    scene.log(pod, [*scene.worked(then), *refused], previous=True)
    scene.log(pod, [(now - timedelta(minutes=9), "starting"), (now - timedelta(minutes=9), "caches not in sync")])
    return await crashes(scene, pod, now - timedelta(minutes=9))


async def unreachable_after_401s(scene: Scene) -> JsonObject:
    """Nobody knows whether it would still be refused."""
    pod = await scene.pod()
    then = scene.now() - timedelta(hours=3)
    refused = [(then + timedelta(seconds=20 * step), CLIENT_GO_401) for step in range(5)]
    text = 'Get "https://10.0.0.1:443/api/v1/namespaces/shop/configmaps": dial tcp 10.0.0.1:443: i/o timeout'
    scene.log(pod, [*refused, *((moment, text) for moment, _ in scene.worked(scene.now()))])
    return pod


async def default_account_and_expired(scene: Scene) -> JsonObject:
    await scene.default_account()
    pod = await scene.pod({"serviceAccountName": "default"})
    await scene.refused(pod, await expired_token(scene, pod))
    return pod


async def old_secret(scene: Scene, *, marked: bool = True) -> JsonObject:
    """An account that is a month old, its token Secret, and what the cleaner leaves of one that nobody used."""
    await scene.plane.etcd.age(path_of(await scene.account()), by=scene.month)
    secret = await scene.token_secret("old-token")
    if marked:
        label = {"kubernetes.io/legacy-token-invalid-since": "2026-01-01"}
        await scene.plane.api.patch(path_of(secret), {"metadata": {"labels": label}})
    return secret


def with_secret_mounted() -> JsonObject:
    mount = {"name": "old", "mountPath": "/etc/shop/old"}
    return {
        "containers": [{"name": "app", "image": IMAGE, "volumeMounts": [mount]}],
        "volumes": [{"name": "old", "secret": {"secretName": "old-token"}}],
    }


async def invalidated_secret_and_a_good_token(scene: Scene) -> JsonObject:
    """The old Secret is still mounted, and dead; the client has long moved to the projected token."""
    await old_secret(scene)
    pod = await scene.pod(with_secret_mounted())
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def invalidated_secret_and_an_expired_token(scene: Scene) -> JsonObject:
    """The dead Secret is nobody's reason: the API server says that what it gets has expired."""
    await old_secret(scene)
    pod = await scene.pod(with_secret_mounted())
    await scene.refused(pod, await expired_token(scene, pod))
    return pod


async def deleted_secret_and_a_good_token(scene: Scene) -> JsonObject:
    """The variable's Secret is gone; the client uses the mounted file."""
    secret = await old_secret(scene, marked=False)
    source = {"secretKeyRef": {"name": "old-token", "key": "token"}}
    variable = {"name": "OLD_TOKEN", "valueFrom": source}
    pod = await scene.pod({"containers": [{"name": "app", "image": IMAGE, "env": [variable]}]})
    await scene.plane.api.delete(path_of(secret))
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def two_containers_two_reasons(scene: Scene) -> JsonObject:
    """One sends the API server its token for Vault, the other keeps an old one."""
    mount = {"name": "vault", "mountPath": "/var/run/vault"}
    app, worker = containers("app", "worker")["containers"]
    pod = await scene.pod({"containers": [{**app, "volumeMounts": [mount]}, worker], "volumes": [vault_volume()]})
    vault = await scene.plane.tokens.mint(scene.namespace, "checkout", audiences=["vault"], bound_to=pod)
    await scene.refused(pod, vault, container="app")
    await scene.refused(pod, await expired_token(scene, pod), container="worker")
    return pod


async def expired_right_after_the_start(scene: Scene) -> JsonObject:
    """A minute old, and its token expired for an hour: it comes from a disk or a cache, not out of the process."""
    pod = await scene.pod()
    started = {"restartCount": 1, **running_since(scene.now() - timedelta(minutes=1))}
    await scene.plane.workloads.set_container(pod, started)
    await scene.refused(pod, await expired_token(scene, pod))
    return pod


async def literal_token_beside_the_mounted_one(scene: Scene) -> JsonObject:
    """Somebody pasted a token into the pod's spec; the client prefers it to the file."""
    claims = await scene.plane.tokens.bound_claims(scene.namespace, (await scene.account())["metadata"]["name"])
    await scene.plane.etcd.age(f"/api/v1/namespaces/{scene.namespace}/serviceaccounts/checkout", by=scene.month)
    pasted = scene.plane.tokens.sign({**claims, "exp": claims["exp"] - 7200})
    variable = {"name": "KUBE_TOKEN", "value": pasted}
    pod = await scene.pod({"containers": [{"name": "app", "image": IMAGE, "env": [variable]}]})
    await scene.refused(pod, pasted)
    return pod


async def kubelet_stopped_refreshing(scene: Scene) -> JsonObject:
    """The file itself has expired by now, so that every client of it is refused, whether it keeps tokens or not."""
    pod = await scene.pod()
    scene.holds(pod, await expired_token(scene, pod))
    scene.says_401(pod)
    return pod


async def file_missing_here_expired_there(scene: Scene) -> JsonObject:
    """The worker has no token mounted; the other container keeps an old one."""
    mount = {"name": "token", "mountPath": TOKEN_FILE.removesuffix("/token")}
    source = {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}
    app, worker = containers("app", "worker")["containers"]
    pod = await scene.pod(
        {
            "automountServiceAccountToken": False,
            "volumes": [{"name": "token", "projected": {"sources": [source]}}],
            "containers": [{**app, "volumeMounts": [mount]}, worker],
        }
    )
    panic = f"panic: open {TOKEN_FILE}: no such file or directory"
    scene.log(pod, [(moment, panic) for moment, _ in scene.worked(scene.now())], "worker")
    await scene.refused(pod, await expired_token(scene, pod), container="app")
    return pod


async def automount_off_and_no_token_sent(scene: Scene) -> JsonObject:
    """Without a file the client goes on, and asks as nobody."""
    pod = await scene.pod({"automountServiceAccountToken": False})
    said = await scene.answer("", f"/api/v1/namespaces/{scene.namespace}/configmaps")
    scene.log(pod, [*scene.worked(scene.now()), (scene.now(), f"request failed: {said}")])
    return pod


async def recovered_and_a_healed_mount(scene: Scene) -> JsonObject:
    """Two hours ago the API server was away: the first mount failed, the first requests were refused."""
    pod = await scene.pod(age=timedelta(hours=2))
    volume = pod["spec"]["volumes"][0]["name"]
    message = f'MountVolume.SetUp failed for volume "{volume}" : failed to fetch token: Post "https://10.0.0.1:443/api'
    before = timedelta(hours=2, minutes=2)
    await scene.event(pod, "FailedMount", f'{message}/v1": dial tcp 10.0.0.1:443: connection refused', before=before)
    then = scene.now() - timedelta(minutes=110)
    refused: list[tuple[datetime, str]] = [(then + timedelta(seconds=20 * step), CLIENT_GO_401) for step in range(5)]
    scene.log(pod, [*refused, *scene.worked(scene.now())])
    return pod
