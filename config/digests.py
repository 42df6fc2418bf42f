"""What is told regularly, where and when: the section `digests`."""

import zoneinfo
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from config import cron
from config.fields import ChannelId, Pattern, Section, Text
from config.mistakes import nearest


def is_zone(name: str) -> bool:
    """Whether there is such a time zone, here or in the package tzdata."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, such as Europe
        return False
    return True


def no_zone(given: object) -> str:
    """The sentence for a time zone that does not exist: the nearest that does, by its city or in full."""
    names = {name.lower(): name for name in sorted(zoneinfo.available_timezones())}
    cities = {name.rpartition("/")[2]: name for name in names if "/" in name}
    word = given.lower().replace(" ", "_") if isinstance(given, str) else ""
    near = nearest(word, tuple(names)) or cities.get(nearest(word, tuple(cities)), "")
    sentence = "no such time zone"
    return f"{sentence}; did you mean {names[near]}?" if near else f"{sentence}; write it as Europe/Berlin, or UTC"


def no_cron(given: object) -> str:
    """The sentence for what is not a cron expression."""
    if not isinstance(given, str):
        return f"must be five fields in quotes, minute hour day month weekday, such as {cron.EXAMPLE}"
    try:
        cron.parse(given)
    except ValueError as error:
        return str(error)
    return f"must be five fields, minute hour day month weekday, such as {cron.EXAMPLE}"


def _cron(value: str) -> str:
    cron.parse(value)
    return " ".join(value.lower().split())


def _zone(value: str) -> str:
    if not is_zone(value):
        raise ValueError("no such time zone")
    return value


class Route(Section):
    """What is in these namespaces is told in this channel instead."""

    namespaces: tuple[Pattern, ...] = Field(min_length=1, description='a list of namespaces or patterns: ["shop-*"]')
    channel: ChannelId = Field(description="the id of a channel")


class Digest(Section):
    """One schedule. Of the routes the first that fits an item's namespace takes it; what none takes stays."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")] = Field(
        description="a name of at most 40 small letters, digits and dashes"
    )
    cron: Annotated[str, AfterValidator(_cron)] = Field(
        description=f"five fields, minute hour day month weekday, such as {cron.EXAMPLE}"
    )
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        default="UTC", description="a time zone such as Europe/Berlin"
    )
    channel: ChannelId = Field(description="the id of a channel")
    clusters: tuple[Text, ...] = Field(
        default=("*",), min_length=1, description='a list of clusters or patterns such as "*"'
    )
    namespaces: tuple[Pattern, ...] = Field(
        default=("*",), min_length=1, description='a list of namespaces or patterns such as "shop-*"'
    )
    window_days: int = Field(default=14, ge=1, le=365, description="a whole number of days from 1 to 365")
    routes: tuple[Route, ...] = Field(default=(), description="a list of routes, each with namespaces and a channel")
    quiet: bool = Field(default=True, description="true or false")
    heartbeat_days: int = Field(default=7, ge=1, le=90, description="a whole number of days from 1 to 90")
    catch_up_hours: int = Field(default=12, ge=0, le=168, description="a whole number of hours from 0 to 168")
