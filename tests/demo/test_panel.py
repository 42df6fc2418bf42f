"""What the demo tells of the cluster and of the app, beside what they are."""

import re

import yaml

from demo.cluster import ClusterServer
from demo.configuration import MANIFEST
from demo.panel import ClusterPanel, shown
from demo.slack import people
from demo.slack.page.routes import STATIC
from handlers.words import COMMANDS

KEYS = {"name", "version", "teams", "levers", "events"}


async def test_the_panel_shows_the_living_cluster() -> None:
    async with ClusterServer() as cluster:
        panel = ClusterPanel(cluster)
        state = panel.state()
        assert set(state) == KEYS
        assert next(team["namespace"] for team in state["teams"]) == "shop"
        assert len(state["teams"]) >= 12
        levers = {lever["name"]: lever for lever in state["levers"]}
        assert levers["checkout"]["broken"]
        assert levers["checkout"]["namespace"] == "shop"
        assert not levers["clock"]["namespace"]
        assert panel.state() == state


async def test_a_lever_that_was_pulled_can_be_pulled_back() -> None:
    """Also one whose fault the cluster's state does not tell."""
    async with ClusterServer() as cluster:
        panel = ClusterPanel(cluster)
        for name, broken in (("break-clock", True), ("mend-clock", False)):
            await panel.act(name)
            (lever,) = (each for each in panel.state()["levers"] if each["name"] == "clock")
            assert lever["broken"] is broken
            assert lever["label"] == next(act.label for act in cluster.acts if act.name != name and "clock" in act.name)


def test_a_workload_says_what_is_seen_from_outside() -> None:
    workload = {"namespace": "shop", "kind": "Deployment", "name": "checkout", "ready": 1, "wanted": 2, "owner": ""}
    state = {
        "version": "v1",
        "namespaces": [
            {"name": "shop", "title": "Shop", "accounts": ["ci"]},
            {"name": "empty", "title": "", "accounts": []},
        ],
        "workloads": [
            {**workload, "trouble": None},
            {**workload, "name": "cart", "trouble": {"outcome": "refused", "reason": "the token has expired"}},
            {**workload, "name": "cart-28", "owner": "CronJob/cart", "trouble": None},
        ],
        "acts": [],
        "troubles": [],
        "events": [{"at": "2026-11-22T13:00:00Z", "about": "shop/pod/x", "message": "Killed"}],
    }
    seen = shown(state, {})
    (team,) = seen["teams"]
    assert [(each["name"], each["state"], each["note"]) for each in team["workloads"]] == [
        ("checkout", "rolling", ""),
        ("cart", "trouble", "its requests get 401"),
    ]
    assert seen["events"] == [{"at": 1_795_352_400.0, "text": "shop/pod/x: Killed"}]


def test_the_app_is_the_manifests() -> None:
    features = yaml.safe_load(MANIFEST.read_text("utf-8"))["features"]
    app = people.demo_app()
    assert [(each.name, each.about) for each in app.commands] == [
        (each["command"], each["description"]) for each in features["slash_commands"]
    ]
    assert [(each.name, each.callback_id) for each in app.shortcuts] == [
        (each["name"], each["callback_id"]) for each in features["shortcuts"]
    ]


def test_the_message_field_offers_the_bots_commands() -> None:
    """All but those that are for the terminal only."""
    page = (STATIC / "workspace" / "completion.js").read_text("utf-8")
    offered = re.findall(r'\{ name: "([a-z-]+)", about', page)
    assert offered == [command for command in COMMANDS if command not in ("decode", "review")]
