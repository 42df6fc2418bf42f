"""What Slack has sent, by its id: taken by whichever replica hears of it first."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine import Database
from bot.store.tables import HEARD


class Once:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def first(self, id_: str, at: datetime) -> bool:
        """Whether nobody has taken it before; whoever asks has taken it then."""
        taken = self._database.insert(HEARD).values(id=id_, at=at).on_conflict_do_nothing().returning(HEARD.c.id)

        async def work(connection: AsyncConnection) -> bool:
            return await connection.scalar(taken) is not None

        return await self._database.write(work)
