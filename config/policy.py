"""Who may ask for which action, and who has to agree: the sections `policy` and `identity`."""

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, StringConstraints

from config.fields import ChannelId, Pattern, Section, Text, upper

ActionName = Literal[
    "restart-workload",
    "delete-pod",
    "create-token-secret",
    "rotate-token-secret",
    "delete-legacy-secret",
    "reactivate-legacy-token",
    "probe-token",
]
ACTIONS: tuple[str, ...] = get_args(ActionName)
PROTECTED = frozenset({"kube-system"})
"""Namespaces that no pattern covers: a rule has to name them in full."""

Subject = Annotated[str, BeforeValidator(upper), StringConstraints(pattern=r"^[SUW][A-Z0-9]{6,}$")]
UserGroup = Annotated[str, BeforeValidator(upper), StringConstraints(pattern=r"^S[A-Z0-9]{6,}$")]

_SUBJECTS = "a list of ids: user groups (S012USERGROUP) or people (U012PERSON00)"


class Rule(Section):
    """One rule; the first that fits the action, the place and the requester decides."""

    actions: tuple[ActionName, ...] = Field(min_length=1, description="a list of actions such as [restart-workload]")
    clusters: tuple[Text, ...] = Field(
        default=("*",), min_length=1, description='a list of clusters or patterns such as "*"'
    )
    namespaces: tuple[Pattern, ...] = Field(
        min_length=1, description='a list of namespaces or patterns such as "shop-*"; kube-system only in full'
    )
    requesters: tuple[Subject, ...] = Field(min_length=1, description=_SUBJECTS)
    approvers: tuple[Subject, ...] = Field(min_length=1, description=_SUBJECTS)
    approvals: int = Field(default=1, ge=1, le=10, description="a whole number from 1 to 10")
    self_approval: bool = Field(default=False, description="true or false")
    channels: tuple[ChannelId, ...] = Field(
        default=(), description="a list of channels' ids, where it may be asked for; empty: anywhere"
    )
    ttl_minutes: int = Field(default=30, ge=1, le=1440, description="a whole number of minutes from 1 to 1440")
    approval_channel: ChannelId | None = Field(
        default=None, description="the id of the channel where it is decided; null: where it was asked"
    )


class Identity(Section):
    """How a person of Slack is known to Kubernetes, so that the API server can be asked what they may do.

    In `kubernetes_user`, {email} is their address, {name} what stands before its @, and {id} their Slack id.
    """

    kubernetes_user: Annotated[str, StringConstraints(pattern=r"^[^{}]*(\{(email|name|id)\}[^{}]*)+$")] = Field(
        default="{email}", max_length=253, description='text with {email}, {name} or {id}, such as "oidc:{email}"'
    )
    groups: dict[UserGroup, tuple[Text, ...]] = Field(
        default_factory=dict, description="a section with a user group's id for each entry, and its Kubernetes groups"
    )
    subject_access_review: bool = Field(default=True, description="true or false")
