"""What a controller is told to run."""

from bot.model.noun import Noun

POD_MAKERS = ("ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job")
"""The kinds of Kubernetes' own that make a pod, and make it again."""


class Workload(Noun, frozen=True, kw_only=True):
    """What a controller is told to run. `wanted` is how many pods, None where it does not say.

    `ended` is a Job's final condition, Complete or Failed; `failure` what the controller says of its failure.
    """

    wanted: int | None = None
    suspended: bool = False
    ended: str = ""
    failure: str = ""
