"""What can go wrong, each with the sentence a person is shown and, where there is one, the next step."""


class DoctorError(Exception):
    """An expected failure. `str()` is one sentence for a person; `next_step` says what to do about it.

    `exit_code` is the terminal's: 2 wrong usage or configuration, 3 no verdict.
    """

    exit_code = 3

    def __init__(self, sentence: str, *, next_step: str = "") -> None:
        super().__init__(sentence)
        self.next_step = next_step


class WrongUsageError(DoctorError):
    """The words of a command, or a setting, cannot mean anything."""

    exit_code = 2


class NotATokenError(DoctorError):
    """A text that was to be decoded is no JSON Web Token, or one whose claims have the wrong type."""

    exit_code = 2


class TargetNotFoundError(DoctorError):
    """No object of that name. `nearest` holds names that do exist, best first."""

    def __init__(self, sentence: str, *, nearest: tuple[str, ...] = (), next_step: str = "") -> None:
        super().__init__(sentence, next_step=next_step)
        self.nearest = nearest

    @property
    def unsaid(self) -> tuple[str, ...]:
        """Those of `nearest` that the next step does not name already."""
        return tuple(name for name in self.nearest if name not in self.next_step)


class ClusterUnreachableError(DoctorError):
    """The API server could not be asked at all: connection, TLS, or the bot's own credentials."""


class ClusterForbiddenError(DoctorError):
    """The API server refused the one read without which nothing can be said."""


class SlackRefusedError(DoctorError):
    """Slack refused the bot's token, address or scope at start-up, or a message for good."""

    exit_code = 2


class StoreUnavailableError(DoctorError):
    """The database cannot be reached, is locked or full, or broke a statement off. Nothing is half-written."""


class StoreUnreachableError(StoreUnavailableError):
    """The database's server gave no answer in time, or none at all."""


class StoreSchemaError(DoctorError):
    """The database's tables are older or newer than this version needs."""

    exit_code = 2
