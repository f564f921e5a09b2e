"""Keep pyHanko from loading its HTTP client in a process that has no network; imported for that, before pyHanko.

Sealing asks responders through that client. Verifying is offline, and its helper process loaded the client all the
same, by pyHanko's own imports: a third of the time in which it starts, and 15 MB.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

_STAND_INS = {
    "pyhanko_certvalidator.fetchers.aiohttp_fetchers": "docproc.licence.pki.no_fetchers",
    "pyhanko.sign.timestamps.aiohttp_client": "docproc.licence.pki.no_timestamper",
}
"""A module of the client, and the one that is loaded in its place once something of it is asked for."""


class _Lazy(ModuleType):
    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(_STAND_INS[self.__name__]), name)


for _name in _STAND_INS:
    sys.modules.setdefault(_name, _Lazy(_name))
