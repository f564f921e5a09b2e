"""A time-stamping client that is none, in the place of pyHanko's; see :mod:`docproc.licence.pki.offline`."""

from __future__ import annotations


class HTTPTimeStamper:
    """Named as the class for which it stands."""

    def __init__(self, *_args: object, **_options: object) -> None:
        raise RuntimeError("this process is offline")
