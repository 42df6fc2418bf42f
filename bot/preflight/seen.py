"""What was read of Slack and of the clusters, for what is judged of them afterwards. Pure."""

from collections.abc import Mapping

from bot.model import Noun, ServedDate


class Subject(Noun, frozen=True, kw_only=True):
    """A user group or a person whom the policy names. `people` is None where Slack could not say who that is.

    Nobody is in a group that is missing or disabled, and nobody is somebody whom the bot refuses to answer.
    """

    name: str
    people: frozenset[str] | None


class SeenSlack(Noun, frozen=True, kw_only=True):
    """`subjects` by their id. `date` is None where Slack did not answer."""

    subjects: Mapping[str, Subject] = {}
    names: Mapping[str, str] = {}
    date: ServedDate | None = None


class SeenCluster(Noun, frozen=True, kw_only=True):
    """`namespaces` is None where they could not be listed."""

    name: str
    namespaces: frozenset[str] | None = None
    dates: tuple[ServedDate, ...] = ()
