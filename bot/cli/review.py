"""`review`: what the API servers say of a token, the reason they give, and what it means."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bot.cli.claims_page import claims_page
from bot.cli.meaning import meaning
from bot.cli.page import Page, page
from bot.cli.standard_input import read_token, refuse_arguments
from bot.errors import ClusterForbiddenError, ClusterUnreachableError
from bot.kube import review as kube
from bot.kube.client import connect, utc_now
from bot.kube.gaps import DeniedError, UnreadableError
from bot.messages import rejections
from bot.model import Review
from bot.tokens import RawToken, inspect


def run(arguments: list[str], *, kubeconfig: Path | None, context: str | None, program: str) -> int:
    """0 where every API server accepts the token, 1 where one refuses it. Text that is no token is sent to nobody."""
    refuse_arguments(arguments)
    raw = read_token()
    claims = inspect(raw)
    reviews = asyncio.run(_ask(raw, kubeconfig, context))
    out = page()
    reviews_page(out, reviews, program)
    out.gap()
    claims_page(out, claims, utc_now())
    return exit_code(reviews)


def exit_code(reviews: Sequence[Review]) -> int:
    return 0 if all(review.authenticated for review in reviews) else 1


async def _ask(raw: RawToken, kubeconfig: Path | None, context: str | None) -> tuple[Review, ...]:
    cluster = await connect("", kubeconfig=kubeconfig, context=context)
    try:
        return await kube.review(cluster, raw)
    except DeniedError as error:
        raise ClusterForbiddenError(f"The token was not reviewed: {error}.", next_step=error.mend) from error
    except UnreadableError as error:
        raise ClusterUnreachableError(f"The token was not reviewed: {error}.", next_step=error.mend) from error
    finally:
        await cluster.close()


def reviews_page(out: Page, reviews: Sequence[Review], program: str) -> None:
    """The verdict, then each API server's answer word for word, then what the reasons mean."""
    _verdict(out, reviews)
    for review in reviews:
        answer = f"is accepted as {review.user}" if review.authenticated else "is refused:"
        out.put((f"At {review.endpoint} it {answer}", "dim"))
        if not review.authenticated:
            out.cite((review.error or "(no reason given)", "cyan"))
    reasons = dict.fromkeys(review.error for review in reviews if not review.authenticated)
    for message in dict.fromkeys(message for reason in reasons for message in rejections(reason)):
        out.gap()
        meaning(out, message, program)


def _verdict(out: Page, reviews: Sequence[Review]) -> None:
    accepted = sum(review.authenticated for review in reviews)
    if accepted == len(reviews):
        out.put(("ACCEPTED  The API server accepts this token.", "bold green"))
        out.put(("It remembers an acceptance for 10 s: after a change, ask again later than that.", "dim"))
    elif accepted:
        out.put((f"REFUSED BY SOME  Only {accepted} of {len(reviews)} API servers accept this token.", "bold red"))
    else:
        out.put(("REFUSED  The API server refuses this token.", "bold red"))
