"""The web process: ``python -m api.web SOCKET_FD`` with the settings in the environment."""

from __future__ import annotations

import resource
import socket
import sys

from docproc.flow.jobs.guardian import end_with_parent


def room_for_files(wanted: int) -> None:
    """Let this process have as many files and connections open as it serves, where the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted + 256 if hard == resource.RLIM_INFINITY else min(hard, wanted + 256)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def main(handle: int) -> None:
    """Serve on a socket that the parent opened, until SIGTERM or the parent's end."""
    end_with_parent()  # before what takes seconds to load: a process left over would keep the port from the next
    import uvicorn

    from api.app import create_app
    from api.kit.front.connections import HEAD_BYTES, Gate, protocol
    from api.kit.front.proxies import networks
    from docproc import tracing
    from docproc.log import configure
    from docproc.settings import Settings

    settings = Settings()
    configure(settings.log_level, settings.log_json)
    tracing.start(settings.traces_url, "web", settings.traces_share)
    listener = socket.socket(fileno=handle)
    room_for_files(2 * settings.max_connections)
    gate = Gate(
        settings.max_connections,
        settings.max_connections_per_address,
        settings.head_seconds,
        networks(settings.trusted_proxies),
    )
    config = uvicorn.Config(
        create_app(settings),
        http=protocol(gate),
        ws="none",
        timeout_keep_alive=settings.keep_alive_seconds,
        h11_max_incomplete_event_size=HEAD_BYTES,
        log_config=None,  # lines of our own kind, see docproc.log
        log_level="warning",
        timeout_graceful_shutdown=20,
        server_header=False,
        access_log=False,
        proxy_headers=False,  # it would believe whoever is on this machine; see api.kit.front.proxies
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(int(sys.argv[1]))
