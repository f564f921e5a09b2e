"""A span for each request, where traces are on."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from docproc import tracing
from docproc.log import working_on


class Traced:
    """Wraps the whole application; named by route, so that no number of an application is in a span's name."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not tracing.is_on():
            await self.app(scope, receive, send)
            return
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method: str = scope["method"]
        with tracing.request(method, Headers(scope=scope)) as span, working_on(trace=tracing.trace_id()):
            try:
                await self.app(scope, receive, watched)
            except BaseException as error:
                tracing.failed(error)
                raise
            finally:
                tracing.answered(span, method, getattr(scope.get("route"), "path", "none"), status)
