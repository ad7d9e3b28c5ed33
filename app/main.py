"""The API and the page as one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app import access, description, limits, problems, requests
from app.compression import Compression
from app.events import Fanout
from app.keys import Keyring
from app.metrics import Metrics
from app.routes import (
    admin,
    batches,
    events,
    jobs,
    metrics,
    pages,
    pictures,
    session,
    styles,
    submit,
    submit_batch,
    system,
    webhooks,
)
from app.sessions import Sessions
from worker.batches.batches import Batches
from worker.connections import connect_impatiently
from worker.jobs import Jobs
from worker.settings import Settings
from worker.tracing import set_up_tracing, shut_down_tracing
from worker.watching import Watching
from worker.webhook_secrets import WebhookSecrets

_PAGE = Path(__file__).with_name("page")

_DESCRIPTION = "Paints photographs in the style of other pictures."


def create_app(settings: Settings) -> FastAPI:
    """The application on the Redis that the settings name.

    Raises:
        SettingsError: they name none, or the API keys in them are malformed.
    """
    keyring = Keyring.of(settings)
    connection = connect_impatiently(settings.required_redis_url)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        set_up_tracing("atelier-api")
        async with app.state.events.running():
            yield
        connection.close()
        shut_down_tracing()

    app = FastAPI(
        title="Atelier",
        version=version("atelier"),
        description=_DESCRIPTION,
        lifespan=lifespan,
        telemetry=requests.TELEMETRY,
        docs_url=None,  # ours is below, and brings its own scripts
        redoc_url=None,
        openapi_tags=description.TAGS,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.jobs = Jobs(connection, settings)
    app.state.batches = Batches(app.state.jobs, settings)
    app.state.sessions = Sessions(connection, settings.session_ttl_seconds)
    app.state.webhook_secrets = WebhookSecrets(connection, settings)
    app.state.metrics = Metrics(app.state.jobs)
    app.state.events = Fanout(Watching(app.state.jobs, settings.required_redis_url))
    app.add_middleware(Compression)
    problems.install(app)
    limits.install(app, settings)
    access.install(app, settings, keyring, app.state.sessions)
    requests.install(app, app.state.metrics)  # last: around all the others
    for router in (
        submit.router(settings),
        jobs.router,
        submit_batch.router(settings),
        batches.router,
        pictures.router,
        events.router,
        styles.router,
        webhooks.router,
        admin.router,
    ):
        app.include_router(router, dependencies=[limits.counted])
    for router in (session.router, system.router, metrics.router, pages.router):
        app.include_router(router)
    app.webhooks.include_router(webhooks.described)
    description.install(app, settings, keyring)
    app.mount("/", StaticFiles(directory=_PAGE, html=True))
    return app
