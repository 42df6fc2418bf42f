"""What several sections of the configuration have in common."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints


def upper(value: object) -> object:
    """An id that came through the environment has lost its case; Slack's ids have capitals only."""
    return value.upper() if isinstance(value, str) and re.fullmatch(r"[a-z0-9]+", value) else value


Text = Annotated[str, StringConstraints(min_length=1, max_length=253)]
ClusterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")]
Pattern = Annotated[str, StringConstraints(pattern=r"^[a-z0-9*?-]{1,63}$")]
ChannelId = Annotated[str, BeforeValidator(upper), StringConstraints(pattern=r"^[CGD][A-Z0-9]{6,}$")]


class Section(BaseModel):
    """Frozen; a key that is not named here is a mistake. `description` completes "must be …"."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
