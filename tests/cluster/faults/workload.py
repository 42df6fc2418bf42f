"""Faults that one pod of several has, or that keep a workload from having any; and workloads that are well."""

from datetime import timedelta

from tests.cluster.api import JsonObject
from tests.cluster.faults.making import (
    APP,
    DAY,
    a_cron_job,
    a_job,
    account_path,
    aged_account,
    bind,
    daemon_set,
    deployment,
    fail,
    failed_to_create,
    log_each,
    role,
    stateful_set,
    workload,
)
from tests.cluster.faults.scene import TOKEN_FILE, Scene
from tests.cluster.waiting import eventually
from tests.cluster.workloads import path_of


async def one_stale_pod(scene: Scene) -> JsonObject:
    """Of three pods two were made again after the account had been: the third still holds a token of the old one."""
    found = await deployment(scene, replicas=3)
    stale, *others = await scene.plane.workloads.pods_of(found)
    token = await scene.plane.tokens.mint(scene.namespace, "checkout", bound_to=stale)
    await scene.plane.api.delete(account_path(scene))
    await scene.account()
    await scene.plane.etcd.age(account_path(scene), by=timedelta(hours=2))
    for pod in others:
        await scene.plane.api.delete(path_of(pod))
        await scene.gone(pod)
    live = await eventually(
        lambda: scene.plane.workloads.pods_of(found), lambda pods: len(pods) == 3, "the others were made again"
    )
    await scene.plane.etcd.age(path_of(stale), by=DAY)
    for pod in live:
        scene.log(pod, scene.worked(scene.now()))
    await scene.refused(stale, token)
    return found


async def account_with_a_stale_pod(scene: Scene) -> JsonObject:
    """The same, asked by the service account."""
    await one_stale_pod(scene)
    return {"kind": "ServiceAccount", **await scene.plane.api.get(account_path(scene))}


async def namespace_with_one_sick(scene: Scene) -> JsonObject:
    """Of three workloads one holds a token of an old account."""
    await one_stale_pod(scene)
    await stateful_set(scene, account="db")
    await deployment(scene, name="web", account="web")
    return {"kind": "Namespace", **await scene.plane.api.get(f"/api/v1/namespaces/{scene.namespace}")}


async def deployment_without_its_account(scene: Scene) -> JsonObject:
    """Nobody made the account that the template names, so no pod can be made."""
    found = await scene.plane.workloads.create(workload(scene, "Deployment", account="checkout", replicas=2))
    await failed_to_create(scene, "error looking up service account")
    return found


async def new_revision_without_its_account(scene: Scene) -> JsonObject:
    """The old pods run on, but the new template's account has a typing error."""
    found = await deployment(scene, replicas=2)
    for pod in await scene.plane.workloads.pods_of(found):
        scene.log(pod, scene.worked(scene.now()))
    template = {"spec": {"serviceAccountName": "chekout", "serviceAccount": "chekout"}}
    changed = await scene.plane.api.patch(path_of(found), {"spec": {"template": template}})
    await failed_to_create(scene, "error looking up service account")
    return {**found, **changed}


async def refused_by_a_limit(scene: Scene) -> JsonObject:
    """A LimitRange allows less than the template asks for."""
    limit = {"type": "Container", "max": {"cpu": "1"}}
    metadata = {"name": "small", "namespace": scene.namespace}
    await scene.plane.workloads.create(
        {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": [limit]}}
    )
    await aged_account(scene, "checkout")
    manifest = workload(scene, "Deployment", account="checkout", replicas=2)
    manifest["spec"]["template"]["spec"]["containers"] = [{**APP, "resources": {"limits": {"cpu": "2"}}}]
    found = await scene.plane.workloads.create(manifest)
    await failed_to_create(scene, "maximum cpu usage")
    return found


async def stateful_set_without_tokens(scene: Scene) -> JsonObject:
    """Every pod of it lacks the token that its client looks for."""
    found = await stateful_set(scene, spec={"automountServiceAccountToken": False})
    await log_each(scene, found, f"panic: open {TOKEN_FILE}: no such file or directory")
    return found


async def daemon_set_without_tokens(scene: Scene) -> JsonObject:
    found = await daemon_set(scene, spec={"automountServiceAccountToken": False})
    await log_each(scene, found, f"panic: open {TOKEN_FILE}: no such file or directory")
    return found


async def job_failed_by_403(scene: Scene) -> JsonObject:
    """Its pod could not list ConfigMaps, and the Job has given up."""
    await aged_account(scene, "checkout")
    job = await scene.plane.workloads.create(a_job(scene, "nightly"))
    await fail(scene, job)
    return job


async def cron_job_whose_last_run_failed(scene: Scene) -> JsonObject:
    """The Job is the CronJob's, as its controller makes one at the appointed time."""
    await aged_account(scene, "checkout")
    found = await scene.plane.workloads.create(a_cron_job(scene))
    await fail(scene, await scene.plane.workloads.create(a_job(scene, "nightly-29384940", made_by=found)))
    return found


async def asks_for_a_month(scene: Scene) -> JsonObject:
    source = {"serviceAccountToken": {"path": "token", "expirationSeconds": 30 * 86400}}
    mount = {"name": "token", "mountPath": TOKEN_FILE.removesuffix("/token")}
    pod = await scene.pod(
        {
            "automountServiceAccountToken": False,
            "volumes": [{"name": "token", "projected": {"sources": [source]}}],
            "containers": [{**APP, "volumeMounts": [mount]}],
        }
    )
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def account_that_may_do_everything(scene: Scene) -> JsonObject:
    """An administrator in its namespace; others may mint its tokens and read its Secrets there."""
    found = await aged_account(scene, "checkout")
    secret = await scene.token_secret()
    await scene.plane.etcd.age(path_of(secret), by=DAY)
    own = {"kind": "ServiceAccount", "name": "checkout", "namespace": scene.namespace}
    await bind(scene, "owner", [own], role=("ClusterRole", "cluster-admin"))
    robot = {"kind": "ServiceAccount", "name": "robot", "namespace": "ci"}
    await role(scene, "minter", verbs=["create"], resources=["serviceaccounts/token"])
    await bind(scene, "minter", [robot], role=("Role", "minter"))
    await role(scene, "reader", verbs=["get", "list"], resources=["secrets"])
    await bind(scene, "reader", [{"kind": "Group", "name": "support"}], role=("Role", "reader"))
    return found


async def account_with_narrow_rights(scene: Scene) -> JsonObject:
    """Named Secrets, another account's tokens, read-only rights: nothing to advise against."""
    found = await aged_account(scene, "checkout")
    secret = await scene.token_secret()
    await scene.plane.etcd.age(path_of(secret), by=DAY)
    own = {"kind": "ServiceAccount", "name": "checkout", "namespace": scene.namespace}
    await bind(scene, "own", [own], role=("ClusterRole", "view"))
    robot = {"kind": "ServiceAccount", "name": "robot", "namespace": "ci"}
    await role(scene, "minter", verbs=["create"], resources=["serviceaccounts/token"], names=["other"])
    await bind(scene, "minter", [robot], role=("Role", "minter"))
    await role(scene, "reader", verbs=["get"], resources=["secrets"], names=["registry"])
    await bind(scene, "reader", [robot], role=("Role", "reader"))
    return found


# --- workloads that are well ------------------------------------------------------------------------------------


async def deployment_of_three(scene: Scene) -> JsonObject:
    found = await deployment(scene, replicas=3)
    await log_each(scene, found)
    return found


async def one_revision(scene: Scene) -> JsonObject:
    """A revision of a Deployment, asked by its own name."""
    await deployment_of_three(scene)
    root = f"/apis/apps/v1/namespaces/{scene.namespace}/replicasets"
    (found,) = (await scene.plane.api.get(root))["items"]
    return {"kind": "ReplicaSet", **found}


async def stateful_set_of_two(scene: Scene) -> JsonObject:
    found = await stateful_set(scene)
    await log_each(scene, found)
    return found


async def daemon_set_on_each_node(scene: Scene) -> JsonObject:
    found = await daemon_set(scene)
    await log_each(scene, found)
    return found


async def finished_job(scene: Scene) -> JsonObject:
    await aged_account(scene, "checkout")
    return await scene.plane.workloads.run(a_job(scene, "nightly"))


async def cron_job_between_runs(scene: Scene) -> JsonObject:
    await aged_account(scene, "checkout")
    return await scene.plane.workloads.create(a_cron_job(scene))


async def cron_job_that_has_run(scene: Scene) -> JsonObject:
    found = await cron_job_between_runs(scene)
    await scene.plane.workloads.run(a_job(scene, "nightly-29384940", made_by=found))
    return found


async def scaled_to_zero(scene: Scene) -> JsonObject:
    await aged_account(scene, "checkout")
    return await scene.plane.workloads.run(workload(scene, "Deployment", account="checkout", replicas=0))


async def account_of_three_pods(scene: Scene) -> JsonObject:
    await deployment_of_three(scene)
    return {"kind": "ServiceAccount", **await scene.plane.api.get(account_path(scene))}


async def namespace_with_one_of_each(scene: Scene) -> JsonObject:
    """One of each kind, and a pod that nobody controls."""
    await deployment_of_three(scene)
    await stateful_set(scene, account="db")
    await scene.plane.workloads.run(a_job(scene, "migrate"))
    await scene.plane.workloads.create(a_cron_job(scene))
    scene.log(await scene.pod(), scene.worked(scene.now()))
    return {"kind": "Namespace", **await scene.plane.api.get(f"/api/v1/namespaces/{scene.namespace}")}
