"""Everything said in a sentence or two: the first message of a check, refusals, failures."""

from bot.blocks import elements as kit
from bot.blocks import values
from bot.blocks.limits import Block, Message, fallback
from bot.blocks.request import ACT
from bot.errors import DoctorError, TargetNotFoundError
from bot.model import Offer, Target

_NEAREST = 8

REVOKE_KUBERNETES = (
    "A Kubernetes token: delete what it is bound to, the pod or the Secret that it came from. "
    "A token that is bound to nothing dies with its service account only."
)
REVOKE_OTHERS = "Any other token or password: revoke or change it where it was issued."


def checking(target: Target, asker: str) -> Message:
    """The first look of a check's message, which the answer takes the place of."""
    return Message(
        f"{fallback(f'Checking {target}')}, asked by <@{asker}>",
        (
            kit.rich(
                kit.line(kit.words("🔎 checking "), kit.code(str(target)), kit.words(" — asked by "), kit.person(asker))
            ),
        ),
    )


def failed(target: Target, asker: str, error: DoctorError) -> Message:
    """Why there is no verdict, and what to do; with the names that come near where the target is unknown."""
    nearest = error.unsaid if isinstance(error, TargetNotFoundError) else ()
    return _ended(target, asker, sentence=str(error), next_step=error.next_step, nearest=nearest[:_NEAREST])


def not_here(target: Target, asker: str, patterns: tuple[str, ...]) -> Message:
    """The channel's rule does not allow the namespace."""
    sentence, next_step = not_here_words(target.namespace, patterns)
    return _ended(target, asker, sentence=sentence, next_step=next_step)


def not_here_words(namespace: str, patterns: tuple[str, ...]) -> tuple[str, str]:
    """The same sentence and next step, for a modal."""
    here = f"Here: {', '.join(patterns)}. Ask in a channel that is meant for it."
    return f"Namespace {namespace} may not be asked about in this channel.", here


def broken(target: Target, asker: str, incident: str) -> Message:
    """An error of the bot's own: the log has the rest."""
    return _ended(target, asker, sentence=_broken(incident), next_step=_TELL)


def stopped(target: Target, asker: str) -> Message:
    return _ended(
        target, asker, sentence="The bot was stopped before there was an answer.", next_step="Ask again in a minute."
    )


def _ended(target: Target, asker: str, *, sentence: str, next_step: str, nearest: tuple[str, ...] = ()) -> Message:
    blocks: list[Block] = [
        kit.rich(kit.line(kit.words("⚪ "), kit.bold("No verdict"), kit.words(" on "), kit.code(str(target)))),
        kit.rich(kit.line(*kit.prose(sentence)), *_step(next_step)),
    ]
    if nearest:
        names = [kit.line(kit.code(name)) for name in nearest]
        blocks.append(kit.rich(kit.line(kit.words("Close to it:")), kit.bullets(names)))
    blocks.append(kit.context(asker=asker))
    return Message(f"{fallback(f'⚪ No verdict on {target}: {sentence}')} Asked by <@{asker}>", tuple(blocks))


# --- for the asker only -------------------------------------------------------------------------------------


def said(sentence: str, next_step: str = "") -> Message:
    """One sentence and the next step."""
    return Message(
        fallback(f"{sentence} {next_step}".strip()), (kit.rich(kit.line(*kit.prose(sentence)), *_step(next_step)),)
    )


def incident(number: str) -> Message:
    return said(_broken(number), _TELL)


def broken_words(number: str) -> tuple[str, str]:
    """The same sentence and next step, for a modal."""
    return _broken(number), _TELL


def press(offer: Offer) -> Message:
    """For a mention, which cannot open a form: a button that does."""
    sentence = f"{offer.label}: {offer.ref}. What it would do is shown first, and somebody has to approve it."
    value = values.of_offer(offer)
    button = [kit.actions(kit.button(f"{offer.label} …", f"{ACT}:0", value))] if value else []
    return Message(fallback(sentence), (kit.rich(kit.line(kit.words(sentence))), *button))


def invite(name: str, *, direct: bool) -> Message:
    """The bot cannot post here; `direct` in a direct message between people."""
    if direct:
        return said(
            "token-doctor cannot post in this conversation.", "Ask in a channel, or write to token-doctor itself."
        )
    return said("token-doctor is not in this channel, so it cannot answer here.", f"`/invite @{name}`, then ask again.")


def refused_by_slack(code: str) -> Message:
    if code == "is_archived":
        return said("This channel is archived, so nothing can be posted here.", "Ask in another channel.")
    return said(
        f"Slack does not let token-doctor post here ({code}).", "Ask in another channel, or tell an administrator."
    )


def in_the_terminal(name: str, *, pasted: bool) -> Message:
    """`decode` and `review`: a token is never given to Slack."""
    commands = {"decode": "pbpaste | token-doctor decode", "review": "token-doctor review < token.txt"}
    what = {
        "decode": "explains a token's claims, and sends it nowhere",
        "review": "asks the API server what it says of a token",
    }
    blocks = [
        kit.rich(
            kit.line(
                kit.words("A token is never given to Slack. In your terminal, this "), kit.words(f"{what[name]}:")
            ),
            kit.quoted(commands[name], 200),
        )
    ]
    sentence = f"A token is never given to Slack. In a terminal: {commands[name]}"
    if pasted:
        warning = token_pasted()
        return Message(f"{warning.text} {fallback(sentence)}", (*warning.blocks, *blocks))
    return Message(fallback(sentence), tuple(blocks))


def token_pasted() -> Message:
    """For whoever typed a token: it counts as known to others from now on."""
    sentence = "That looks like a token, and a token is never given to Slack. It was not read, kept or shown."
    return Message(
        fallback(f"{sentence} Revoke it now: Slack keeps what was typed."),
        (
            kit.rich(
                kit.line(kit.words("🔑 "), kit.bold("That looks like a token")),
                kit.line(kit.words("token-doctor did not read, keep or show it. Slack has it now, so revoke it:")),
                kit.bullets([kit.line(kit.words(REVOKE_KUBERNETES)), kit.line(kit.words(REVOKE_OTHERS))]),
                kit.line(
                    kit.words("Delete your message too, if you wrote one. What it said can be read in your terminal:")
                ),
                kit.quoted("pbpaste | token-doctor decode", 200),
            ),
        ),
    )


_TELL = "Ask again; if it stays so, give the number to whoever runs token-doctor."


def _broken(incident: str) -> str:
    return f"Something went wrong inside token-doctor. The log has it under incident {incident}."


def _step(next_step: str) -> tuple[kit.Group, ...]:
    return (kit.line(*kit.prose(next_step)),) if next_step else ()
