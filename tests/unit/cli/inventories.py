"""Inventories as a census counts them, of hand-made clusters."""

import asyncio
from datetime import timedelta
from typing import Any

from bot.census.aspects import READS, Aspect
from bot.census.scope import Scope
from bot.census.unread import switched_off, told
from bot.kube.gaps import DeniedError
from bot.model import Inventory, Rule
from tests.unit import jwts
from tests.unit.census.world import FACTS, NOW, World, account, counted, day, pod, projected, secret, token_secret
from tests.unit.test_embedded import kubeconfig

_OFF = "switch it on with `--scan-secrets` or `checks.read_secret_data: true`"


def _token(left: timedelta) -> str:
    begins = NOW - timedelta(days=100)
    return jwts.token({**jwts.BOUND, "iat": int(begins.timestamp()), "exp": int((NOW + left).timestamp())})


def _config(user: str, left: timedelta) -> dict[str, str | bytes]:
    return {"value": kubeconfig({user: {"token": _token(left)}}, server="https://east.example:6443")}


def _secrets() -> list[dict[str, Any]]:
    argo = {"argocd.argoproj.io/secret-type": "cluster"}
    team = {"team": "platform"}
    return [
        secret(
            "east-kubeconfig",
            _config("admin", timedelta(days=-3)),
            namespace="clusters",
            kind="cluster.x-k8s.io/secret",
        ),
        secret(
            "west", {"config": '{"bearerToken": "' + _token(timedelta(hours=9)) + '"}'}, namespace="argocd", labels=argo
        ),
        secret("ci-kubeconfig", _config("ci", timedelta(days=12)), namespace="build", labels=team),
        secret("robot", {"env": f"TOKEN={jwts.token(jwts.LEGACY)}"}, namespace="build"),
    ]


def _world() -> World:
    mounted: dict[str, Any] = {"volumes": [{"name": "t", "secret": {"secretName": "checkout-token-x7k2p"}}]}
    generated: dict[str, Any] = {"by": "kube-controller-manager"}
    return World(
        accounts=[
            account(secrets=["checkout-token-x7k2p", "checkout-token-abcde"]),
            account("ci", namespace="build"),
            account("default", namespace="build"),
            account("old", namespace="cart", secrets=["old-token-zzzzz", "old-token-yyyyy"]),
        ],
        token_secrets=[
            token_secret("checkout-token-x7k2p", **generated),
            token_secret("checkout-token-abcde", **generated),
            token_secret("ci-token", of="ci", namespace="build", last_used=day(2), labels={"team": "platform"}),
            token_secret("nightly-token", of="ci", namespace="build", labels={"team": "platform"}),
            token_secret("empty", of="ci", namespace="build", filled=False, age=timedelta(hours=3)),
            token_secret("old-token-zzzzz", of="old", namespace="cart", invalid_since=day(360), **generated),
            token_secret(
                "old-token-yyyyy", of="old", namespace="cart", invalid_since=day(9), last_used=day(1), **generated
            ),
            token_secret("lost", of="gone", namespace="cart"),
        ],
        pods=[
            *(pod(f"checkout-5d9c7b8f6d-{number}", **mounted) for number in range(3)),
            *(
                pod(
                    f"web-6f7d8c9b5-{number}",
                    owner=("ReplicaSet", "web-6f7d8c9b5"),
                    **projected(3600, sub_path="token"),
                )
                for number in range(2)
            ),
            pod("agent-x1", owner=("DaemonSet", "agent"), started=NOW - timedelta(days=358), **projected()),
            *(
                pod(
                    f"{name}-0",
                    owner=("StatefulSet", name),
                    namespace="build",
                    serviceAccountName="default",
                    **projected(),
                )
                for name in ("cache", "db", "queue", "search", "store", "tracker", "worker", "zipper")
            ),
        ],
        data=_secrets(),
    )


def _without_data() -> World:
    found = _world()
    found.data = None
    return found


def _denied() -> World:
    found = World(accounts=[account(namespace="team-00")])
    for aspect, reads in READS.items():
        for name in ("", *(f"team-{number:02}" for number in range(2, 30))):
            rule = Rule(verb="list", resource=reads.operation.resource, namespace=name)
            found.unread[aspect, name] = DeniedError(rule)
    return found


def _counted(world: World, scope: Scope, most: int = 500) -> Inventory:
    done = asyncio.run(counted(world, scope=scope, most=most))
    lines = [line for aspect, trouble in done.troubles.items() for line in told(aspect, trouble, scope)]
    if world.data is None:
        lines.append(switched_off(Aspect.DATA, _OFF))
    return Inventory(
        cluster="prod",
        taken_at=NOW,
        window=FACTS.window,
        namespaces=scope.patterns,
        items=done.tally.items(),
        tallies=done.tally.tallies(),
        left_out=done.tally.left_out(),
        scanned=done.scanned,
        unscanned=tuple(lines),
        took_ms=1234,
    )


NAMES = ("argocd", "build", "cart", "clusters", "shop")
EVERYTHING = Scope(patterns=("*",), names=NAMES, is_wide=True)

FULL = _counted(_world(), EVERYTHING)
"""One of everything, the data of Secrets too."""

USUAL = _counted(_without_data(), EVERYTHING, most=3)
"""Without the data, and with more than is kept."""

CLEAN = _counted(World(accounts=[account()], pods=[pod()]), EVERYTHING)

DENIED = _counted(_denied(), Scope(patterns=("*",), names=tuple(f"team-{n:02}" for n in range(30)), is_wide=True))
"""Of a bot that may read two namespaces."""
