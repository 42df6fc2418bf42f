"""Who somebody is: to Slack, to the policy, and to Kubernetes. Asked for each decision; no answer means no."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.actions.policy import Matter, Standing, subjects
from bot.errors import DoctorError
from bot.kube.access import review_access
from bot.kube.client import Cluster
from bot.kube.gaps import DeniedError, UnreadableError
from bot.kube.together import all_of
from bot.model import Person, Rule
from bot.slack import people
from bot.slack.door import User
from bot.slack.posts import LaterError, PostRefusedError
from config.policy import Identity
from config.policy import Rule as PolicyRule

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS = 5.0
_EVERYBODY = "system:authenticated"
_RESERVED = "system:"
_PLACES = re.compile(r"\{(email|name|id)\}")


class Standings:
    """`user` and `members` ask Slack for a person and for a user group's people, `cluster` connects to one by name."""

    def __init__(
        self,
        rules: Sequence[PolicyRule],
        identity: Identity,
        team_id: str,
        *,
        user: Callable[[str], Awaitable[User | None]],
        members: Callable[[str], Awaitable[frozenset[str]]],
        cluster: Callable[[str], Awaitable[Cluster]],
    ) -> None:
        self._rules = rules
        self._identity = identity
        self._team_id = team_id
        self._user = user
        self._members = members
        self._cluster = cluster

    async def of(self, person: Person, matter: Matter, needs: Sequence[Rule]) -> Standing:
        """The person's standing just now in this matter. `needs` are the rights that doing it by hand would take."""
        try:
            user = await self._user(person.id) if person.id else None
        except (PostRefusedError, LaterError) as error:
            log.warning("Slack could not say who somebody is", user=person.id, error=str(error))
            return Standing(person=person, refusal=people.UNSURE, passing=True)
        refusal = people.refusal(user, self._team_id)
        if user is None or refusal:
            return Standing(person=person, refusal=refusal)
        known = Person(id=person.id, name=person.name or user.name)
        groups, unanswered = await self._groups(person.id, matter)
        if unanswered:
            # Taken for a stranger to the group, they could pass a strict rule by and be let through by a laxer one.
            return Standing(person=known, refusal=unanswered, passing=True)
        denied, passing = await self._against(user, known, groups, matter, needs)
        return Standing(person=known, groups=groups, denied=denied, passing=passing)

    async def _groups(self, person: str, matter: Matter) -> tuple[frozenset[str], str]:
        """Which of the user groups that matter here they are in; or why that is not known."""
        named = {subject for subject in subjects(self._rules, matter) if subject.startswith("S")}
        asked = sorted(named | set(self._identity.groups))
        answers = await asyncio.gather(*map(self._members, asked), return_exceptions=True)
        found: set[str] = set()
        for group, answer in zip(asked, answers, strict=True):
            if isinstance(answer, (PostRefusedError, LaterError)):
                log.warning("Slack could not say who is in a user group", group=group, error=str(answer))
                return frozenset(), f"Slack could not say who is in user group {group}. Try again in a minute."
            if isinstance(answer, BaseException):
                raise answer
            if person in answer:
                found.add(group)
        return frozenset(found), ""

    async def _against(
        self, user: User, person: Person, groups: frozenset[str], matter: Matter, needs: Sequence[Rule]
    ) -> tuple[str, bool]:
        """What Kubernetes says against them, "" for nothing; and whether it is only that it could not be asked."""
        if not self._identity.subject_access_review:
            return "", False
        name = kubernetes_user(self._identity.kubernetes_user, user)
        if not name:
            return f"{person.name} has no address in Slack by which Kubernetes could know them", False
        theirs = {group for slack, named in self._identity.groups.items() if slack in groups for group in named}
        return await self._reviewed(name, sorted({*theirs, _EVERYBODY}), matter.cluster, needs)

    async def _reviewed(
        self, name: str, groups: Sequence[str], cluster: str, needs: Sequence[Rule]
    ) -> tuple[str, bool]:
        if not needs:
            return "it is not known which rights it takes", False
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                connection = (await self._cluster(cluster)).main
                answers = await all_of(review_access(connection, name, groups, rule) for rule in needs)
        except (UnreadableError, DoctorError, TimeoutError) as error:
            why = str(error).rstrip(".") or f"no answer within {_PATIENCE_SECONDS:.0f} seconds"
            log.warning("Kubernetes could not say what somebody may do", cluster=cluster, user=name, error=why)
            passing = not isinstance(error, DeniedError)
            return f"cluster {cluster} could not be asked what {name} may do there: {why}", passing
        refused = [str(answer.rule) for answer in answers if not answer.allowed]
        return (f"Kubernetes does not let {name} {', '.join(refused)}", False) if refused else ("", False)


def kubernetes_user(template: str, user: User) -> str:
    """The name by which Kubernetes knows them; "" where Slack shows no address that the name is made of.

    Kubernetes' own names are nobody's.
    """
    local, at, domain = user.email.rpartition("@")
    values = {"id": user.id, "email": user.email if local and at and domain else "", "name": local}
    used = [values[place] for place in _PLACES.findall(template)]
    name = _PLACES.sub(lambda place: values[place[1]], template)
    return "" if not all(used) or name.lower().startswith(_RESERVED) else name
