"""Which rights what is switched on takes, and where. Pure."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from bot.kube.gaps import denied_sentence
from bot.kube.permissions import GET_POD, REVIEW_ACCESS
from bot.kube.roles import EVERYWHERE, READING, USUAL_PROBES, roles, switched_on
from bot.model import Noun, Rule
from bot.preflight.trial import Section, Trial, failed, ok, warning
from config.policy import PROTECTED
from config.policy import Rule as PolicyRule
from config.settings import Settings

IDENTITY = "identity"
"""Not one of `rbac`'s features: of reading's rights the one that a policy cannot do without."""

_ASKS = "may ask what requesters and approvers may do"
_WILD = set("*?")
_MOST = 20  # namespaces: each takes a request for each right
_ACCOUNT = "system:serviceaccount:"


class Feature(Noun, frozen=True, kw_only=True):
    """What has to be allowed for it. `namespaces` are the targets', EVERYWHERE for all.

    `left_out` counts those that were too many to ask about. `beside` where reading's are others: what is read is not
    granted together with it then.
    """

    name: str
    rules: tuple[Rule, ...]
    namespaces: tuple[str, ...] = EVERYWHERE
    probes: str = USUAL_PROBES
    beside: bool = False
    left_out: int = 0


def features(settings: Settings, cluster: str, asked: Sequence[str], there: frozenset[str] | None) -> Iterator[Feature]:
    """What the configuration switches on in this cluster.

    `asked` are the namespaces that a person names, none for all; `there` those that the cluster has, None where it
    does not tell: an action's own are those of the policy's rules for it.
    """
    probes = settings.checks.controller_probe or USUAL_PROBES
    policy = [rule for rule in settings.policy if any(fnmatchcase(cluster, pattern) for pattern in rule.clusters)]
    reviews = bool(policy) and settings.identity.subject_access_review
    if reviews:
        yield Feature(name=IDENTITY, rules=(REVIEW_ACCESS.rule(),))
    for name in (READING, *switched_on(settings.checks, policy)):
        acting = [rule for rule in policy if name in rule.actions]
        places = tuple(asked) or (_places(acting, there) if acting else EVERYWHERE)
        namespaces = places[:_MOST]
        wanted = [rule for role in roles(name, namespaces=namespaces, probes=probes) for rule in role.rules]
        left = tuple(rule for rule in wanted if not (reviews and rule == REVIEW_ACCESS.rule()))
        if left:
            beside = not asked and namespaces != EVERYWHERE
            left_out = len(places) - len(namespaces)
            yield Feature(name=name, rules=left, namespaces=namespaces, probes=probes, beside=beside, left_out=left_out)


def _places(acting: Sequence[PolicyRule], there: frozenset[str] | None) -> tuple[str, ...]:
    """The namespaces that these rules cover: all where a pattern is for all, or cannot be looked up."""
    patterns = {pattern for rule in acting for pattern in rule.namespaces}
    wild = {pattern for pattern in patterns if _WILD & set(pattern)}
    if "*" in wild or (wild and there is None):
        return EVERYWHERE
    fitting = {
        name for name in there or () if name not in PROTECTED and any(fnmatchcase(name, pattern) for pattern in wild)
    }
    return tuple(sorted((patterns - wild) | fitting))


def judged(cluster: str, feature: Feature, denied: Sequence[Rule], user: str, program: str) -> Trial:
    """`denied` are those of its rules that the API server does not allow; `user` is who asked, "" where unknown."""
    name, count = f"cluster {cluster}, {feature.name}", len(feature.rules)
    if not denied:
        may = f"all {count} permissions" if count > 1 else "permitted"
        if feature.left_out:
            may += f", in {_MOST} of {_MOST + feature.left_out} namespaces; the others were not asked about"
        return ok(Section.CLUSTERS, f"{name}: {_ASKS if feature.name == IDENTITY else may}")
    number = f" ({len(denied)} of {count})" if count > 1 else ""
    text = f"{name}: {denied_sentence(*denied)}{number}"
    if feature.name == IDENTITY:
        text += ", so nobody's rights can be asked about, and nobody may have anything done"
    grave = feature.name != READING or GET_POD.rule() in denied
    told = failed if grave else warning
    mend, command = _command(feature, user, program)
    if feature.name == READING and feature.namespaces == EVERYWHERE:
        mend = f"Where it is to look into single namespaces only, ask about these with --namespace. {mend}"
    return told(Section.CLUSTERS, text, mend, command=command)


def _command(feature: Feature, user: str, program: str) -> tuple[str, str]:
    """The next step, and the command that it is where the roles are for a service account."""
    name = READING if feature.name == IDENTITY else feature.name
    places = [f"-n {namespace}" for namespace in feature.namespaces if namespace]
    options = [f"--features {name}", *places, *(["--no-reading"] if feature.beside else [])]
    setting = "" if feature.probes == USUAL_PROBES else f"TOKEN_DOCTOR_CHECKS__CONTROLLER_PROBE={feature.probes} "
    printed = f"{setting}{program} rbac {' '.join(options)}"
    if not user.startswith(_ACCOUNT):
        whom = f"the user {user}" if user else "the kubeconfig's user"
        return f"Bind the roles that `{printed}` prints to {whom} instead of the service account.", ""
    account = "/".join(user.removeprefix(_ACCOUNT).split(":"))
    return "Let an administrator of the cluster run:", f"{printed} --service-account {account} | kubectl apply -f -"
