"""The web application. It reads and writes the stores and queues jobs; it never opens what it is sent."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api import health, pages
from api.kit import problems, tus
from api.kit.bodies.incoming import Bodies, Pace
from api.kit.bodies.route import open_rooms
from api.kit.deps import KnownQuery
from api.kit.front.credentials import Known
from api.kit.front.personal import Personal
from api.kit.front.proxies import BehindProxies, networks
from api.kit.front.transport import KeptToHttps
from api.kit.front.values import PlainAddress
from api.kit.limits import RateLimit
from api.kit.parsing.paid import Parsing
from api.kit.traced import Traced
from api.v1 import accounts, audit, blobs, counter, kiosks, licences, messages, review, upkeep, wallet
from api.v1.applications import applications, uploads
from api.v1.matters import catalogue, matters
from api.v1.seals import registry, trust_list
from docproc import __version__, tracing
from docproc.canonical import JsonObject
from docproc.flow.accounts import oidc
from docproc.flow.core.context import open_context
from docproc.flow.core.sandboxes import demand_sandbox
from docproc.flow.jobs.meters import listen
from docproc.settings import Settings

DESCRIPTION = """
Scans of hand-filled forms and papers in; read, checked and decided; sealed licences out that anyone can verify.

* Sign in with `Authorization: Bearer dp_…`. Looking up and verifying licences needs no key.
* Errors are RFC 9457 problems (`application/problem+json`); show `detail` to people, branch on `code`.
* A query parameter that a route does not name gets 422 (`unknown_parameter`), and so does a material that the matter
  does not have (`unknown_material`); `errors` lists those that there are.
* Send `Idempotency-Key` with a POST: a repetition gets the first answer, the key with another request gets 422.
* A decision names `version` and `content_sha256` of what was seen; when either changed meanwhile it gets 409.
"""

V1 = (
    matters.router,
    matters.known,
    applications.router,
    uploads.router,
    blobs.router,
    counter.router,
    review.router,
    review.work,
    licences.router,
    licences.status_router,
    wallet.router,
    accounts.router,
    audit.router,
    registry.router,
    trust_list.router,
    catalogue.router,
    kiosks.router,
    upkeep.router,
    messages.router,
    messages.event_router,
)


class Service(FastAPI):
    """FastAPI whose OpenAPI document has the shape of a problem, which routes refer to."""

    def openapi(self) -> JsonObject:
        """The document, made once."""
        document: JsonObject = super().openapi()
        schema = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = schema
        return document


def create_app(settings: Settings) -> FastAPI:
    """The application for these settings; the database must be migrated before it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # The parent has looked for the stores, and they may be away by now.
        app.state.context = open_context(settings, look=False, name="docproc-web")
        meters = listen(settings.metrics_host, settings.metrics_port, health.at_own_port(app))
        try:
            yield
        finally:
            if meters is not None:
                meters.shutdown()
                meters.server_close()
            app.state.context.close()
            tracing.stop()  # here, for the server ends by a signal and runs nothing after this

    oidc.check(settings)
    demand_sandbox(settings)
    # The framework's own pages load programs from elsewhere: /docs is a page of ours.
    app = Service(
        title="docproc", version=__version__, description=DESCRIPTION, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    app.state.settings = settings
    app.state.rooms, app.state.spool = open_rooms(settings)
    app.state.rate_limit = RateLimit(settings.rate_limit_per_minute)
    app.state.guesses, app.state.known = RateLimit(settings.rate_limit_per_minute), Known()
    app.state.https = settings.public_url.lower().startswith("https:")
    app.state.parsing = Parsing.of(settings)
    app.state.metrics = health.Metrics()
    app.state.clock_seen = -math.inf
    problems.install(app)
    for router in V1:
        app.include_router(router, dependencies=[KnownQuery], responses=problems.problems(422))
    app.include_router(health.router)
    pages.install(app)
    app.add_middleware(Personal)
    app.add_middleware(Bodies, pace=Pace(settings.body_bytes_per_second, settings.body_idle_seconds))
    app.add_middleware(tus.TusHeaders)
    app.add_middleware(PlainAddress)
    app.add_middleware(health.Measured, metrics=app.state.metrics)
    app.add_middleware(Traced)
    if app.state.https:
        app.add_middleware(KeptToHttps)
    app.add_middleware(BehindProxies, trusted=networks(settings.trusted_proxies))
    return app
