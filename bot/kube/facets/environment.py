"""Tokens that stand in a pod's environment: kept aside, where nothing shows them, before the rest is redacted."""

import re

from bot import objects
from bot.kube.facets.graph import FoundToken
from bot.tokens import RawToken

_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def tokens_in(spec: objects.PodSpec) -> list[FoundToken]:
    return [
        FoundToken(raw=RawToken(token), container=container.name, variable=variable.name)
        for container in (*spec.init_containers, *spec.containers)
        for variable in container.env
        for token in _TOKEN.findall(variable.value)
    ]
