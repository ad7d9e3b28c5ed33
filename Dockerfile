# Two images: `api`, without TensorFlow, and `worker`.
#
#     docker build --target api --tag atelier-api .
#     docker build --target worker --tag atelier-worker .
#     docker build --target worker --build-arg WORKER_EXTRA=cuda --tag atelier-worker:cuda .
#
# `python -m scripts.images` builds both and has them paint; docs/operations.md has more.

# Built and run on the same image: a virtual environment belongs to its Python.
ARG BASE_IMAGE=python:3.11-slim


# What has to be installed, in files that do not change when pyproject.toml says other things anew:
# no edit but of the dependencies themselves installs TensorFlow again.
FROM ${BASE_IMAGE} AS requirements
WORKDIR /requirements
COPY pyproject.toml ./
RUN python -c "import pathlib, tomllib; \
        project = tomllib.loads(pathlib.Path('pyproject.toml').read_text()); \
        extras = project['project']['optional-dependencies']; \
        lists = {'api': project['project']['dependencies'], **extras}; \
        [pathlib.Path(f'{name}.txt').write_text('\\n'.join(l)) for name, l in lists.items()]"

FROM ${BASE_IMAGE} AS build
# pip's bytecode knows when it was made, and is stale as soon as an image's times are set: it is
# compiled apart, to what follows from the source alone.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
ENV COMPILE="python -m compileall -q --invalidation-mode unchecked-hash"
WORKDIR /src
COPY constraints.txt ./
# What installs stays outside: the environment holds only what runs.
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /tools \
    && /tools/bin/pip install -c constraints.txt pip setuptools \
    && python -m venv --without-pip /venv
ENV PATH=/tools/bin:$PATH

FROM build AS api-dependencies
COPY --from=requirements /requirements/api.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /venv/bin/python install --no-compile -c constraints.txt -r api.txt \
    && $COMPILE /venv/lib

FROM api-dependencies AS worker-dependencies
# `cpu`, or `cuda` for the CUDA build of TensorFlow.
ARG WORKER_EXTRA=cpu
COPY --from=requirements /requirements/${WORKER_EXTRA}.txt ./
# TensorFlow's headers, 0.3 GB, are for building on it.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /venv/bin/python install --no-compile -c constraints.txt -r ${WORKER_EXTRA}.txt \
    && rm -r /venv/lib/python*/site-packages/tensorflow/include \
    && $COMPILE /venv/lib

# Atelier beside its dependencies, not among them: a new version is a small layer.
FROM build AS source
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY worker worker
COPY model model
RUN SOURCE_DATE_EPOCH=0 pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
    && pip --python /venv/bin/python install --no-compile --no-deps --target /app /wheel/*.whl \
    && $COMPILE /app

# The API never paints.
FROM source AS api-source
RUN rm -r /app/model/features


FROM ${BASE_IMAGE} AS runtime
# SOURCE_DATE_EPOCH: that the password is of no particular day.
RUN SOURCE_DATE_EPOCH=0 useradd --uid 10001 --user-group --no-log-init --no-create-home \
        --home-dir /data --shell /usr/sbin/nologin atelier \
    && install --directory --owner atelier --group atelier /data
ENV PATH=/app/bin:/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ATELIER_HOST=0.0.0.0 \
    ATELIER_PORT=8000 \
    ATELIER_DATA_DIR=/data
WORKDIR /data
# In numbers, so that Kubernetes' runAsNonRoot sees that it is not root.
USER 10001:10001
ENTRYPOINT ["atelier"]


FROM runtime AS api
COPY --from=api-dependencies /venv /venv
COPY --from=api-source /app /app
EXPOSE 8000
# Alive, not ready: a restart of the API brings back neither Redis nor a worker.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['ATELIER_PORT']}/livez\", timeout=4)"]
CMD ["api"]


FROM runtime AS worker
COPY --from=worker-dependencies /venv /venv
COPY --from=source /app /app
# Whether Redis has heard of this container's worker lately. It starts with TensorFlow, the
# features (perhaps a download) and the first graph.
HEALTHCHECK --interval=15s --timeout=10s --start-period=180s --retries=3 \
    CMD ["python", "-m", "worker.health"]
CMD ["worker"]
