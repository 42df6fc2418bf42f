"""The commands about requests: `restart`, `create-secret`, `requests`, `audit`."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from bot.blocks import modals, notices
from bot.errors import DoctorError
from handlers import words
from handlers.forms import Forms, Press
from handlers.overview import Overview
from handlers.places import Place
from handlers.remedies import Remedies

NO_POLICY = "Nothing may be done from here: no policy is configured, so nobody could approve it."
ADD_ONE = "Whoever runs token-doctor adds rules under `policy` in its configuration."


class Requesting:
    def __init__(self, forms: Forms, remedies: Remedies, overview: Overview, now: Callable[[], datetime]) -> None:
        self._forms = forms
        self._remedies = remedies
        self._overview = overview
        self._now = now

    async def serve(self, command: words.Act | words.Requests | words.Audit, place: Place) -> None:
        """Raises PostRefusedError and PostUncertainError."""
        ask = place.ask
        try:
            match command:
                case words.Act(kind, target) if ask.trigger_id:
                    press = Press(id=ask.id, user=ask.user, trigger_id=ask.trigger_id, response_url=ask.response_url)
                    work = partial(self._remedies.asked, kind, target, ask.channel, ask.user)
                    self._forms.take(press, modals.TITLES[kind], work)
                case words.Act(kind, target):
                    await place.whisper(notices.press(await self._remedies.offer(kind, target, ask.channel)))
                case words.Requests():
                    await place.whisper(await self._overview.requests(ask.user, self._now()))
                case words.Audit(target):
                    await place.whisper(await self._overview.audit(target, ask.channel))
        except DoctorError as error:
            await place.whisper(notices.said(str(error), error.next_step))
