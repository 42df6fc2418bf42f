"""A Kubernetes cluster stand-in at wire level. It shares no code with the bot and imports no Kubernetes library.

async with ClusterServer("default") as cluster:
    cluster.url, cluster.kubeconfig(path)            # an identity with the bot's own RBAC
    cluster.state()                                  # JSON: workloads, troubles, who is refused, events, acts
    await cluster.act("break-storefront")            # acts are the scenario's, with labels: cluster.acts
    cluster.fault(Fault("latency", seconds=3))       # the API server's own faults
    cluster.move_clock(timedelta(minutes=5))         # what falls due by that is done at once
    await cluster.restart(seconds=2)                 # the API server goes away and comes back
"""

from demo.cluster.clock import Clock
from demo.cluster.faults import Fault
from demo.cluster.kubelet import Pace
from demo.cluster.scenario import Act, Scenario, ScenarioError, load
from demo.cluster.server import ClusterServer

__all__ = ["Act", "Clock", "ClusterServer", "Fault", "Pace", "Scenario", "ScenarioError", "load"]
