"""The web process: ``python -m api.web SOCKET_FD`` with the settings in the environment."""

from __future__ import annotations

import socket
import sys

from docproc.flow.jobs.guardian import end_with_parent


def main(handle: int) -> None:
    """Serve on a socket that the parent opened, until SIGTERM or the parent's end."""
    end_with_parent()  # before what takes seconds to load: a process left over would keep the port from the next
    import uvicorn

    from api.app import create_app
    from docproc import tracing
    from docproc.log import configure
    from docproc.settings import Settings

    settings = Settings()
    configure(settings.log_level, settings.log_json)
    tracing.start(settings.traces_url, "web", settings.traces_share)
    listener = socket.socket(fileno=handle)
    config = uvicorn.Config(
        create_app(settings),
        log_level="warning",
        timeout_graceful_shutdown=20,
        server_header=False,
        access_log=False,
        proxy_headers=False,  # it would believe whoever is on this machine; see api.kit.front.proxies
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(int(sys.argv[1]))
