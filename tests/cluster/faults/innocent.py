"""Healthy pods that look like trouble: their logs speak of 401s, of tokens and of expiry, and mean somebody else's."""

from collections.abc import Sequence
from datetime import timedelta

from tests.cluster.api import JsonObject
from tests.cluster.faults.scene import CLIENT_GO_401, Scene
from tests.cluster.tokens import legacy_claims
from tests.cluster.workloads import path_of, running_since

IMAGE = "shop/checkout:1.4"
FORBIDDEN = (
    "W1122 13:00:00.000000 1 discovery.go:64] leases is not supported here: leases.coordination.k8s.io is forbidden: "
    'User "system:serviceaccount:{0}:checkout" cannot list resource "leases" in API group "coordination.k8s.io" in the '
    'namespace "kube-system"'
)


async def _logging(scene: Scene, lines: Sequence[str]) -> JsonObject:
    """A pod that has written these lines between its others, the last of them half a minute ago."""
    pod = await scene.pod()
    now = scene.now()
    told = [(now - timedelta(seconds=30 * (len(lines) - at)), text) for at, text in enumerate(lines)]
    scene.log(pod, [*scene.worked(told[0][0]), *told])
    return pod


async def talks_of_tokens(scene: Scene) -> JsonObject:
    """Sessions, licences, buckets and orders: the words without the meaning."""
    return await _logging(
        scene,
        [
            "session token expired for user 17, asking to log in again",
            "io.jsonwebtoken.ExpiredJwtException: JWT expired 3600000 milliseconds ago at 2026-11-22T12:00:00Z.",
            "refresh token rotated for client web",
            "token bucket refilled: 401 tokens",
            "licence expires in 401 days",
            "order 401 shipped",
            'http_requests_total{code="401",handler="/login"} 12',
            "feature flag unauthorized-checkout is on",
            "rpc error: code = Unauthenticated desc = the caller's token has expired",
        ],
    )


async def ingress_of_users(scene: Scene) -> JsonObject:
    """An ingress and what stands behind it: they say 401 to users, in the form of each."""
    return await _logging(
        scene,
        [
            '10.1.2.3 - - [22/Nov/2026:13:00:00 +0000] "GET /login HTTP/2.0" 401 12 "-" "curl/8.5" 34 0.003 [web-80]',
            '{"level":"info","method":"GET","path":"/login","status":401,"remote_ip":"10.1.2.3","latency_ms":3}',
            'time=2026-11-22T13:00:00Z level=info msg="request" method=POST uri=/session status=401 duration=2ms',
            '[GIN] 2026/11/22 - 13:00:00 | 401 |     120.5µs |        10.1.2.3 | GET      "/admin"',
            '{"DownstreamStatus":401,"RequestPath":"/admin","RequestMethod":"GET","ServiceName":"web@docker"}',
            "10.1.2.3:51000 - - [2026/11/22 13:00:00] [AuthFailure] Invalid authentication via OAuth2: unauthorized",
        ],
    )


async def guarded_by_kube_rbac_proxy(scene: Scene) -> JsonObject:
    """The sidecar refuses its callers' tokens in the API server's own words: it asks by TokenReview."""
    names = ("app", "kube-rbac-proxy")
    pod = await scene.pod({"containers": [{"name": name, "image": IMAGE} for name in names]})
    scene.log(pod, scene.worked(scene.now()), "app")
    reason = "[invalid bearer token, service account token has expired]"
    text = f"E1122 13:00:00.000000 1 proxy.go:99] Unable to authenticate the request due to an error: {reason}"
    scene.log(pod, [(moment, text) for moment, _ in scene.worked(scene.now())], "kube-rbac-proxy")
    return pod


async def aggregated_api_server(scene: Scene) -> JsonObject:
    """An extension API server (metrics-server and the like): the lines are about its callers."""
    reason = '"Unable to authenticate the request" err="[invalid bearer token, invalid signature, no keys found]"'
    return await _logging(
        scene,
        [
            f"E1122 13:00:00.000000 1 authentication.go:75] {reason}",
            f'E1122 13:00:05.000000 1 authentication.go:75] {reason.partition(" err=")[0]} err="invalid bearer token"',
        ],
    )


async def tolerates_a_403(scene: Scene) -> JsonObject:
    """A client that asks at its start what it may do, and goes on without."""
    pod = await scene.pod()
    asked = scene.now() - timedelta(hours=3)
    lines = [(asked + timedelta(seconds=step), FORBIDDEN.format(scene.namespace)) for step in range(3)]
    scene.log(pod, [*lines, *scene.worked(scene.now())])
    return pod


async def token_of_another_service(scene: Scene) -> JsonObject:
    """An ordinary Secret with a key `token`, in the environment and as a file: a chat's, not Kubernetes'."""
    metadata = {"name": "chat", "namespace": scene.namespace}
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "stringData": {"token": "not one of Kubernetes"},
    }
    await scene.plane.workloads.create(body)
    variable = {"name": "CHAT_TOKEN", "valueFrom": {"secretKeyRef": {"name": "chat", "key": "token"}}}
    mount = {"name": "chat", "mountPath": "/etc/shop/chat"}
    container = {"name": "app", "image": IMAGE, "env": [variable], "volumeMounts": [mount]}
    pod = await scene.pod({"containers": [container], "volumes": [{"name": "chat", "secret": {"secretName": "chat"}}]})
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def long_lived_secret_used_rightly(scene: Scene) -> JsonObject:
    """For a client outside of Kubernetes that this pod serves: mounted whole, in use, in nobody's environment."""
    await scene.plane.etcd.age(path_of(await scene.account()), by=scene.month)
    secret = await scene.token_secret("partner")
    mount = {"name": "partner", "mountPath": "/etc/shop/partner", "readOnly": True}
    container = {"name": "app", "image": IMAGE, "volumeMounts": [mount]}
    volume = {"name": "partner", "secret": {"secretName": "partner"}}
    pod = await scene.pod({"containers": [container], "volumes": [volume]})
    assert await scene.plane.tokens.authenticate(scene.plane.tokens.sign(legacy_claims(secret))) != 401
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def a_hundred_restarts_long_ago(scene: Scene) -> JsonObject:
    """Three weeks ago the API server refused it until somebody mended that; it has run since."""
    pod = await scene.pod(age=timedelta(days=40))
    started = scene.now() - timedelta(days=20)
    ended = (started - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    last = {
        "containerID": "containerd://old",
        "exitCode": 1,
        "reason": "Error",
        "startedAt": ended,
        "finishedAt": ended,
    }
    changes = {"restartCount": 100, "lastState": {"terminated": last}, **running_since(started)}
    pod = await scene.plane.workloads.set_container(pod, changes)
    refused = [(started - timedelta(minutes=5 + back), CLIENT_GO_401) for back in range(3, -1, -1)]
    scene.log(pod, refused, previous=True)
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def job_that_met_a_401(scene: Scene) -> JsonObject:
    """It tried again and has ended well."""
    metadata = {"name": "nightly", "namespace": scene.namespace}
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "shop/nightly:1"}]}}
    await scene.default_account()
    await scene.plane.workloads.run(
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}}
    )
    selector = {"labelSelector": "job-name=nightly"}
    found = await scene.plane.api.get(f"/api/v1/namespaces/{scene.namespace}/pods", selector)
    pod: JsonObject = {"apiVersion": "v1", "kind": "Pod", **found["items"][0]}
    now = scene.now()
    scene.log(pod, [(now - timedelta(seconds=20), CLIENT_GO_401), (now, "done: 1204 orders")])
    return pod


async def mount_that_healed(scene: Scene) -> JsonObject:
    """The first fetch of its token failed for a minute, before the pod started."""
    pod = await scene.pod(age=timedelta(minutes=50))
    volume = pod["spec"]["volumes"][0]["name"]
    why = 'failed to fetch token: Post "https://10.0.0.1:443/api/v1": dial tcp 10.0.0.1:443: connection refused'
    message = f'MountVolume.SetUp failed for volume "{volume}" : {why}'
    await scene.event(pod, "FailedMount", message, before=timedelta(minutes=51))
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def outside_job_keeps_the_old_copy(scene: Scene) -> JsonObject:
    """A StatefulSet's pod was re-created; a job outside still sends its predecessor's token. The pod itself is well."""
    await scene.plane.etcd.age(path_of(await scene.account()), by=scene.month)
    labels = {"app": "db"}
    container = {"name": "app", "image": IMAGE}
    template = {"metadata": {"labels": labels}, "spec": {"serviceAccountName": "checkout", "containers": [container]}}
    live = await scene.plane.workloads.run(
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": "db", "namespace": scene.namespace},
            "spec": {"serviceName": "db", "replicas": 1, "selector": {"matchLabels": labels}, "template": template},
        }
    )
    (old,) = await scene.plane.workloads.pods_of(live)
    copy = await scene.plane.tokens.mint(scene.namespace, "checkout", bound_to=old)
    await scene.plane.api.delete(path_of(old), {"gracePeriodSeconds": 0})
    pod = await scene.successor(old)
    await scene.refused_elsewhere(copy)
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def busy_log(scene: Scene) -> JsonObject:
    """More lines than are read, colours, half a character, and one line of a hundred kilobytes."""
    pod = await scene.pod()
    now = scene.now()
    lines = [(now - timedelta(seconds=4000 - at), f"\x1b[32mGET\x1b[0m /cart/{at} 200 3ms") for at in range(3000)]
    lines += [(now - timedelta(seconds=900), "x" * 100_000), (now - timedelta(seconds=800), "caf\ufffd \u202e done")]
    scene.log(pod, [*lines, *scene.worked(now + timedelta(minutes=1))[-1:]])
    return pod


async def kid_unknown_and_accepted(scene: Scene) -> JsonObject:
    """An older API server tries all its keys on a token whose kid it does not know."""
    pod, claims = await scene.pod_and_claims()
    token = scene.plane.tokens.sign(claims, kid="a-key-of-last-year")
    assert await scene.plane.tokens.authenticate(token) != 401
    scene.holds(pod, token)
    scene.log(pod, scene.worked(scene.now()))
    return pod
