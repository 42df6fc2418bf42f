"""What a person typed, made into a command. Pure, and forgiving: case, spaces, quotes, Slack's own markup."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

from msgspec.structs import replace

from bot.errors import WrongUsageError
from bot.model import ActionKind, Target
from bot.redact import holds_token
from bot.targets import EXAMPLE, parse_target

COMMANDS = (
    *("check", "digest", "legacy", "errors", "explain", "restart", "create-secret"),
    *("requests", "audit", "help", "decode", "review"),
)
_ALIASES = {
    "error": "errors",
    "digests": "digest",
    "census": "digest",
    "?": "help",
    "request": "requests",
    "create_secret": "create-secret",
}
_ACTIONS = {"restart": ActionKind.RESTART_WORKLOAD, "create-secret": ActionKind.CREATE_TOKEN_SECRET}
_EXAMPLES = {"create-secret": "shop/checkout", "restart": "shop/checkout", "digest": "shop", "legacy": "shop"}
_NAMESPACE = re.compile(r"[a-z0-9*?](?:[a-z0-9*?-]{0,61}[a-z0-9*?])?")
_NAMESPACE_WORDS = {"ns", "namespace", "namespaces"}
_ACCOUNT = "serviceaccount"
_ROUTES = {"exec": "exec", "probe": "probe", "secret-data": "read_secret_data"}

_MENTION = re.compile(r"<@[UW][A-Z0-9]+(?:\|[^>]*)?>")
_ADDRESS = re.compile(r"(?:@token-doctor|/token)(?=\s|$)", re.IGNORECASE)
_LINK = re.compile(r"<(?:https?://|mailto:)([^|>]*)(?:\|([^>]*))?>")
_QUOTES = "`'\"*_\u00ab\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f"
_PUNCTUATION = ".,;:!?"
_DASH = re.compile(r"(?:-{1,2}|[\u2010-\u2015])(?=[a-z])", re.IGNORECASE)  # Slack makes one long dash of two
_MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Check:
    target: Target


@dataclass(frozen=True, slots=True)
class Census:
    """What expires, and what never does. "" is every cluster, and every namespace that may be asked about there.

    `legacy`: of token Secrets only.
    """

    cluster: str = ""
    namespace: str = ""
    legacy: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """Something is to be done to the target, once it is approved."""

    kind: ActionKind
    target: Target


@dataclass(frozen=True, slots=True)
class Requests:
    """The open requests that concern the asker."""


@dataclass(frozen=True, slots=True)
class Audit:
    """`target` is None for everything."""

    target: Target | None


@dataclass(frozen=True, slots=True)
class Errors:
    """`text` is "" when the whole catalogue is asked for."""

    text: str


@dataclass(frozen=True, slots=True)
class Explain:
    """`code` is "" when all causes are asked for."""

    code: str


@dataclass(frozen=True, slots=True)
class Help:
    pass


@dataclass(frozen=True, slots=True)
class TerminalOnly:
    """`decode` or `review`; `pasted` when a token came with it."""

    name: str
    pasted: bool = False


@dataclass(frozen=True, slots=True)
class Pasted:
    """A token stands in the text, of which nothing is kept."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """What was meant cannot be told; the next step is a command to type."""

    sentence: str
    next_step: str


Told = Errors | Explain | Help | TerminalOnly | Pasted | Unclear
"""What is answered without asking anybody else."""

Command = Check | Census | Act | Requests | Audit | Told


def of_slash_command(text: str) -> Command:
    """The words behind `/token`."""
    return _parse(text, "/token")


def of_mention(text: str) -> Command:
    """A message with the bot's name in it: what stands behind the name counts, else what stands before."""
    plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    before, *behind = _MENTION.split(plain, maxsplit=1)
    # A token anywhere in the message counts, also on the side that is not read.
    if holds_token(plain):
        return _with_token(_words(behind[0] if behind else before)[0])
    return _parse(behind[0] if behind and behind[0].strip() else before, "@token-doctor")


def _parse(text: str, address: str) -> Command:
    verb, rest = _words(text)
    if holds_token(text) or holds_token(rest):
        return _with_token(verb)
    match verb:
        case "check" | "audit":
            return _look(verb, rest, address)
        case "digest" | "legacy":
            return _census(verb, rest, address)
        case "restart" | "create-secret":
            return _act(verb, rest, address)
        case "requests":
            return Requests()
        case "errors":
            return Errors(rest.strip().strip(_QUOTES))
        case "explain":
            return Explain(rest.strip(f"{_QUOTES}{_PUNCTUATION} ").lower())
        case "help" | "":
            return Help()
        case "decode" | "review":
            return TerminalOnly(verb)
    return _unknown(verb, rest, address)


def _words(text: str) -> tuple[str, str]:
    """The first word, lower-case and without quotes, and the rest as it was written."""
    plain = _LINK.sub(_label, _MENTION.sub(" ", text)).lstrip(f"{_QUOTES}{_PUNCTUATION[:-1]} \t\r\n")
    plain = _ADDRESS.sub("", plain, count=1) if _ADDRESS.match(plain) else plain
    first, *rest = plain.split(maxsplit=1) or [""]
    verb = first.strip(_QUOTES + ":,").lower()
    return _ALIASES.get(verb, verb), rest[0] if rest else ""


def _label(link: re.Match[str]) -> str:
    """Slack turns what looks like a domain into a link: `<http://shop.example|shop.example>`."""
    address, label = link.groups()
    return str(label or address)


def _with_token(verb: str) -> Command:
    return TerminalOnly(verb, pasted=True) if verb in {"decode", "review"} else Pasted()


def _look(verb: str, rest: str, address: str) -> Command:
    """Of an audit, everything where no target is named."""
    if verb == "audit" and not rest.strip(f"{_QUOTES}{_PUNCTUATION} "):
        return Audit(None)
    target = _target(verb, rest, address)
    if isinstance(target, Unclear):
        return target
    return Check(target) if verb == "check" else Audit(target)


def _census(verb: str, rest: str, address: str) -> Command:
    """Of a namespace, or a pattern of them, with the cluster before it where one is meant."""
    words = [_undressed(word) for word in rest.split()]
    options = {_DASH.sub("", word, count=1).lower() for word in words if _DASH.match(word)}
    names = [word for word in words if word and not _DASH.match(word) and word.lower() not in {"in", *_NAMESPACE_WORDS}]
    if options - {"n", *_NAMESPACE_WORDS}:
        return _census_option(verb, options, address)
    if len(names) > 1:
        return Unclear(f"`{verb}` takes one namespace.", _census_example(verb, names[0], address))
    cluster, colon, name = (names[0] if names else "").rpartition(":")
    kind, _, name = name.lower().rpartition("/")
    if kind and kind not in _NAMESPACE_WORDS:
        meant = _shown(f"{cluster}{colon}{kind.split('/')[0]}")
        return Unclear(f"`{verb}` takes a namespace, not what is in it.", f"Did you mean `{address} {verb} {meant}`?")
    if name and not _NAMESPACE.fullmatch(name):
        return Unclear("That is no name of a namespace.", _census_example(verb, _EXAMPLES[verb], address))
    return Census(cluster=cluster, namespace=name, legacy=verb == "legacy")


def _undressed(word: str) -> str:
    """Without quotes and emphasis; a `*` that stands for any letters stays."""
    word = word.strip(f"{_QUOTES.replace('*', '')}.,;!")
    return word[1:-1] if word.startswith("*") and word.endswith("*") and len(word) > 1 else word


def _census_example(verb: str, name: str, address: str) -> str:
    return f"For example `{address} {verb} {_shown(name)}`; without a namespace, it is all of them."


def _census_option(verb: str, options: Collection[str], address: str) -> Unclear:
    example = f"For example `{address} {verb} {_EXAMPLES[verb]}`."
    if "scan-secrets" not in options:
        return Unclear(f"`{verb}` takes a namespace and no options.", example)
    return Unclear(
        "Whether a digest here reads Secrets' data is decided by the bot's configuration, not by the command.",
        "Leave it out; checks.read_secret_data: true in the configuration switches it on for everybody. "
        "In a terminal: `token-doctor digest --scan-secrets`.",
    )


def _act(verb: str, rest: str, address: str) -> Command:
    target = _target(verb, rest, address)
    if isinstance(target, Unclear):
        return target
    if verb == "create-secret":
        if target.kind not in {"", _ACCOUNT}:
            step = f"Write it as namespace/service account: `{address} {verb} {_EXAMPLES[verb]}`."
            return Unclear(f"A token Secret is made for a service account, not for a {target.kind}.", step)
        target = replace(target, kind=_ACCOUNT)
    return Act(_ACTIONS[verb], target)


def _target(verb: str, rest: str, address: str) -> Target | Unclear:
    """The one target that a command takes."""
    words = [word.strip(_QUOTES).rstrip(_PUNCTUATION) for word in rest.split()]
    options = [_DASH.sub("", word, count=1).lower() for word in words if _DASH.match(word)]
    targets = [word for word in words if word and not _DASH.match(word)]
    if options:
        return _with_option(verb, options[0], address)
    if not targets:
        return Unclear(f"`{verb}` needs a target.", f"For example `{address} {verb} {_EXAMPLES.get(verb, EXAMPLE)}`.")
    if len(targets) > 1:
        plain = not any("/" in word for word in targets[:2])
        meant = f"{targets[0]}/{targets[1]}" if plain else next(word for word in targets if "/" in word)
        return Unclear(f"`{verb}` takes one target.", f"Did you mean `{address} {verb} {_shown(meant)}`?")
    cluster, colon, name = targets[0].rpartition(":")
    try:
        return parse_target(f"{cluster}{colon}{name.lower()}")
    except WrongUsageError as error:
        return Unclear(str(error), error.next_step)


def _with_option(verb: str, option: str, address: str) -> Unclear:
    setting = _ROUTES.get(option) if verb == "check" else None
    if setting is None:
        example = f"For example `{address} {verb} {_EXAMPLES.get(verb, EXAMPLE)}`."
        return Unclear(f"`{verb}` takes a target and no options.", example)
    return Unclear(
        f"Whether a check here uses --{option} is decided by the bot's configuration, not by the command.",
        f"Leave it out; checks.{setting}: true in the configuration switches it on for everybody. "
        f"In a terminal: `token-doctor check TARGET --{option}`.",
    )


def _unknown(verb: str, rest: str, address: str) -> Unclear:
    if "/" in verb:
        return Unclear("A command is missing.", f"Did you mean `{address} check {_shown(verb)}`?")
    near = get_close_matches(verb, COMMANDS, n=1, cutoff=0.6)
    step = f"Did you mean `{_shown(f'{address} {near[0]} {rest}')}`?" if near else f"`{address} help` lists them all."
    return Unclear(f"There is no command “{_shown(verb)}”.", step)


def _shown(text: str) -> str:
    text = " ".join(text.replace("`", "").split())
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
