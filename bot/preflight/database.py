"""The database: tried only where something has to be remembered."""

import asyncio

from bot.errors import DoctorError, StoreUnreachableError
from bot.preflight.trial import Section, Trial, failed, not_tried, ok
from bot.store import DatabaseStanding, SchemaState, attempt, refusal
from config.settings import Settings

_ONE_REPLICA = "SQLite, for one replica; for more take PostgreSQL"


async def trials(settings: Settings, seconds: float) -> tuple[Trial, ...]:
    if not settings.remembers:
        return (ok(Section.DATABASE, "none is needed: there is neither a policy nor a digest"),)
    try:
        async with asyncio.timeout(seconds):
            found = await attempt(settings.database.url, password=settings.credentials.revealed_password())
    except TimeoutError:
        text = f"{settings.database.url} did not answer within {seconds:g} seconds"
        return (not_tried(Section.DATABASE, text, "Look at the database server and the network in between."),)
    except StoreUnreachableError as error:
        return (not_tried(Section.DATABASE, str(error).rstrip("."), error.next_step),)
    except DoctorError as error:
        return (failed(Section.DATABASE, str(error).rstrip("."), error.next_step),)
    return (_judged(found),)


def _judged(found: DatabaseStanding) -> Trial:
    about = f"{found.place} ({_ONE_REPLICA if found.is_sqlite else 'PostgreSQL'})"
    match found.state:
        case None:
            return ok(Section.DATABASE, f"{about}: will be made at the first start")
        case SchemaState.CURRENT:
            return ok(Section.DATABASE, f"{about}: the tables are this version's, and may be written")
        case SchemaState.EMPTY | SchemaState.BEHIND if found.is_sqlite:
            return ok(Section.DATABASE, f"{about}: the tables will be brought up to this version at the start")
        case state:
            refused = refusal(state, found.place)
            return failed(Section.DATABASE, str(refused).rstrip("."), refused.next_step)
