#!/usr/bin/env bash
# Builds both images and has them paint one small picture; with docker, or else with buildah.
#
#     scripts/build_images.sh                   on python:3.11-slim
#     scripts/build_images.sh --base IMAGE      on another image with Python, pip and useradd
#     scripts/build_images.sh --redis IMAGE     paint with another Valkey than compose's (buildah)
#     scripts/build_images.sh --no-smoke        only build
#     scripts/build_images.sh --cuda            only build, the worker for NVIDIA GPUs
#
# The images get the names that docker-compose.yml gives them. How buildah stores and isolates, its
# own variables say: BUILDAH_ISOLATION=chroot works without a container runtime, for instance.
set -euo pipefail
cd "$(dirname "$0")/.."

base=python:3.11-slim
redis=valkey/valkey:9
extra=worker
tag=latest
smoke=true
while (($#)); do
    case $1 in
        --base) base=$2; shift ;;
        --redis) redis=$2; shift ;;
        --no-smoke) smoke=false ;;
        --cuda) extra=cuda tag=cuda smoke=false ;;
        *) sed -n '2,/^set/ { /^set/d; s/^# \{0,1\}//p }' "$0" >&2; exit 2 ;;
    esac
    shift
done

main() {
    if docker info >/dev/null 2>&1; then
        engine=docker
        build=(docker build)
    elif command -v buildah >/dev/null; then
        engine=buildah
        # OCI's own format has no HEALTHCHECK.
        build=(buildah build --layers --pull=false --format docker)
    else
        echo "There is neither a docker that answers nor buildah." >&2
        exit 1
    fi
    "${build[@]}" --build-arg BASE_IMAGE="$base" --target api --tag atelier-api .
    "${build[@]}" --build-arg BASE_IMAGE="$base" --build-arg WORKER_EXTRA="$extra" \
        --target worker --tag "atelier-worker:$tag" .
    if $smoke; then
        "smoke_$engine"
    fi
}

smoke_docker() {
    # A project of its own, with volumes of its own: nobody's queue and pictures are touched.
    compose=(docker compose --project-name atelier-smoke)
    docker tag atelier-api atelier-smoke-api
    docker tag atelier-worker atelier-smoke-worker
    trap '"${compose[@]}" down --volumes
        docker rmi atelier-smoke-api atelier-smoke-worker >/dev/null' EXIT
    ATELIER_PORT=0 ATELIER_FEATURES=bundled \
        "${compose[@]}" up --no-build --detach --wait --wait-timeout 300
    paint 8000 "${compose[@]}" exec -T api
}

smoke_buildah() {
    folder=$(mktemp -d)
    port=$((20000 + RANDOM % 10000)) # of Redis; the API has the next one
    password=$(head -c 32 /dev/urandom | sha256sum | cut -c 1-64)
    printf %s "$password" >"$folder/password"
    chmod -R a+rX "$folder"
    pids=()
    api=$(buildah from --pull=false atelier-api)
    worker=$(buildah from --pull=false atelier-worker)
    server=$(buildah from --pull=false "$redis")
    trap 'stop_buildah' EXIT

    # Not a function: a signal for one in the background would never get to buildah.
    in_container=(buildah run --network host --volume "$folder:/run/atelier:ro"
        --env ATELIER_REDIS_URL="redis://127.0.0.1:$port/0"
        --env ATELIER_REDIS_PASSWORD_FILE=/run/atelier/password
        --env ATELIER_HOST=127.0.0.1
        --env ATELIER_PORT=$((port + 1))
        --env ATELIER_FEATURES=bundled)
    "${in_container[@]}" "$server" -- valkey-server - --bind 127.0.0.1 --port "$port" \
        <<<"requirepass $password" >"$folder/redis.log" &
    pids=($!)
    eventually "${in_container[@]}" "$api" -- python -c 'from worker.connections import ping
from worker.settings import load_settings
ping(load_settings().required_redis_url)'
    "${in_container[@]}" "$api" -- atelier api &
    pids=($! "${pids[@]}")
    "${in_container[@]}" "$worker" -- atelier worker &
    pids=($! "${pids[@]}")
    eventually "${in_container[@]}" "$worker" -- python -m worker.health
    paint $((port + 1)) "${in_container[@]}" "$api" --
}

stop_buildah() {
    for pid in "${pids[@]}"; do # Redis last
        kill "$pid" && wait "$pid" || true
    done
    buildah rm "$api" "$worker" "$server" >/dev/null
    rm -r "$folder"
}

eventually() {
    for _ in {1..60}; do
        if "$@" 2>/dev/null; then return; fi
        sleep 2
    done
    "$@"
}

paint() { # PORT COMMAND...; the command runs its arguments in the API's container
    local port=$1 && shift
    "$@" python -c 'from PIL import Image
Image.linear_gradient("L").resize((96, 72)).convert("RGB").save("/tmp/content.png")
Image.effect_mandelbrot((80, 80), (-2, -1.5, 1, 1.5), 50).convert("RGB").save("/tmp/style.png")'
    "$@" atelier stylize /tmp/content.png /tmp/style.png --output /tmp/painting.png \
        --size 64 --quality draft --server "http://127.0.0.1:$port"
    "$@" python -c 'from PIL import Image
painting = Image.open("/tmp/painting.png")
assert painting.size == (64, 48), painting.size
assert len(painting.getcolors(64 * 48)) > 64, "hardly any colours"'
    echo "The images paint."
}

main
