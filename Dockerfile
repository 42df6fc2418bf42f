# token-doctor's image: `docker build -t token-doctor:0.1.0 .`, with any builder that knows Dockerfiles.
#
# The same commit gives the same files: everything comes from uv.lock by its hash, the build itself is pinned in
# pyproject.toml, and uv here. Only the base is as you name it; --build-arg PYTHON=3.11-slim@sha256:… holds it, too.
# It is the version that the tests run on. Nothing is compiled, so the slim variant is enough for both stages.
ARG PYTHON=3.11-slim

FROM python:${PYTHON} AS build
ARG UV=0.13.9
ENV UV_PROJECT_ENVIRONMENT=/opt/token-doctor \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    PYC_INVALIDATION_MODE=UNCHECKED_HASH \
    SOURCE_DATE_EPOCH=0
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir "uv==${UV}"
WORKDIR /src
# The libraries first: they change seldom, and their layer is kept while the sources change.
COPY pyproject.toml uv.lock ./
RUN /opt/uv/bin/uv sync --frozen --no-dev --no-install-project --no-build
COPY README.md LICENSE ./
COPY bot bot
COPY handlers handlers
COPY config config
# pip has the last step: uv would note the second of the build among the files.
RUN /opt/uv/bin/uv build --wheel --out-dir /dist \
    && /opt/uv/bin/pip --python /opt/token-doctor install --no-cache-dir --no-index --no-deps /dist/*.whl \
    && mkdir -p /data

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="token-doctor" \
      org.opencontainers.image.description="Says why a Kubernetes workload's token is refused: in Slack and in the terminal, with the proof." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/token-doctor/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /opt/token-doctor /opt/token-doctor
# Where a volume is for SQLite; an empty one gets the owner that it has here.
COPY --from=build --chown=65532:65532 /data /var/lib/token-doctor
WORKDIR /var/lib/token-doctor
USER 65532:65532
EXPOSE 8080
# For engines without probes; Kubernetes asks /healthz itself. Healthy without a web.port, too: there is nothing to ask.
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s \
    CMD ["python", "-m", "bot.healthz", "/etc/token-doctor/token-doctor.yaml"]
ENTRYPOINT ["token-doctor"]
CMD ["run", "--config", "/etc/token-doctor/token-doctor.yaml"]
