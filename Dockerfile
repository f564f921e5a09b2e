# One image for the web process and for every worker:
#   docker build -t docproc .                          with OCR weights and fonts inside
#   docker build --build-arg WITH_MODELS=0 -t docproc .   without: mount them at /app/models
#   docker build --build-arg BASE=python:3.11-slim-bookworm@sha256:… .    pinned, as production builds it (docs/operate.md)
# It runs as user 10001 on a read-only root file system; only /var/lib/docproc (and /tmp) must be writable.

ARG BASE=python:3.11-slim-bookworm
FROM $BASE AS build
ARG WITH_MODELS=1
WORKDIR /app
COPY scripts/packages scripts/
COPY scripts/locks/uv.txt scripts/locks/
RUN scripts/packages make
COPY Makefile pyproject.toml requirements-run.lock README.md LICENSE ./
COPY docproc docproc
COPY api api
COPY models/manifest.toml models/
# Modules are compiled here: the root file system is read-only, and each process would spend seconds on it as it starts.
ENV LOCK=requirements-run.lock
RUN make .venv/.ready \
    && .venv/bin/python -W ignore -m compileall -q -j 0 --invalidation-mode unchecked-hash .venv/lib docproc api
RUN if [ "$WITH_MODELS" = 1 ]; then make models/.ready && rm -rf models/cache; fi

FROM $BASE
COPY scripts/packages /app/scripts/
RUN /app/scripts/packages \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /var/lib/docproc --create-home docproc \
    && install -d -o 10001 -g 10001 /certs /certs/trust \
    && install -d -m 0700 -o 10001 -g 10001 /process-keys /process-keys/web /process-keys/sealer /process-keys/reader
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:$PATH \
    HOME=/var/lib/docproc \
    PYTHONUNBUFFERED=1 \
    PADDLE_PDX_CACHE_HOME=/var/lib/docproc/paddlex \
    PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK=True \
    DOCPROC_DATA_DIR=/var/lib/docproc \
    DOCPROC_CERTS_DIR=/var/lib/docproc/certs \
    DOCPROC_TRUST_DIR=/var/lib/docproc/certs/trust \
    DOCPROC_LOG_JSON=true \
    DOCPROC_HOST=0.0.0.0 \
    DOCPROC_PORT=8000
WORKDIR /var/lib/docproc
USER 10001:10001
VOLUME /var/lib/docproc
EXPOSE 8000
# Of the web process; a worker is asked at its own port (DOCPROC_METRICS_PORT), see compose.yaml.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["docproc"]
CMD ["serve"]
