"""Is it alive, is it ready, what is it made of; and what is said while Redis is away."""

import time
from collections.abc import Callable
from importlib.metadata import version

import httpx

from tests.app.api import Files, OwnRedis, look, problem, submit
from tests.house import House

#: DESIGN.md, "HTTP": those that are there so far.
PATHS = {
    "/v1/jobs": {"get", "post"},
    "/v1/jobs/{job_id}": {"get", "delete"},
    "/v1/jobs/{job_id}/result": {"get"},
    "/v1/jobs/{job_id}/preview": {"get"},
    "/v1/jobs/{job_id}/losses": {"get"},
    "/v1/jobs/{job_id}/events": {"get"},
    "/v1/jobs/{job_id}/cancel": {"post"},
    "/v1/styles": {"get"},
    "/v1/styles/{name}": {"get"},
    "/v1/styles/{name}/thumbnail": {"get"},
    "/v1/system": {"get"},
    "/livez": {"get"},
    "/readyz": {"get"},
}


def test_an_api_without_a_worker_is_alive_but_not_ready(api: httpx.Client) -> None:
    assert api.get("/livez").json() == {"status": "ok"}
    response = api.get("/readyz")
    assert problem(response, 503)["type"].endswith(":not-ready")
    assert int(response.headers["Retry-After"]) > 0


def test_an_api_without_a_worker_says_what_it_is(api: httpx.Client, files: Files) -> None:
    nothing = {"version": version("atelier"), "features": [], "workers": [], "queue_length": 0}
    assert api.get("/v1/system").json() == nothing
    submit(api, files)
    assert api.get("/v1/system").json() == nothing | {"queue_length": 1}


def test_a_whole_house_is_ready_and_says_what_it_paints_with(
    house: House, studio: httpx.Client
) -> None:
    assert studio.get("/readyz").json() == {"status": "ok", "lost_devices": []}
    system = studio.get("/v1/system").json()
    (features,) = system["features"]
    assert features["name"] == "bundled"
    (worker,) = system["workers"]
    assert worker["features"] == features
    assert worker["version"] == system["version"] == version("atelier")
    (device,) = worker["devices"]
    assert device["name"] == "cpu"
    assert device["precision"] in {"float32", "bfloat16"}
    assert f"features: bundled; devices: cpu ({device['precision']})" in house.output


def test_the_page_is_at_the_root(api: httpx.Client) -> None:
    response = api.get("/")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    assert "<title>Atelier" in response.text


def test_nothing_beside_the_page_is_served(api: httpx.Client) -> None:
    for path in ("/../main.py", "/%2e%2e/main.py", "/..%2fmain.py", "//etc/passwd", "/main.py"):
        problem(api.get(path), 404)


def test_openapi_describes_every_endpoint_with_words(api: httpx.Client) -> None:
    document = api.get("/openapi.json").json()
    assert document["info"]["version"] == version("atelier")
    described = {path: set(methods) for path, methods in document["paths"].items()}
    assert PATHS.items() <= described.items()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description"), f"{method} {path}"


def test_openapi_describes_every_field_of_the_form(api: httpx.Client) -> None:
    document = api.get("/openapi.json").json()
    body = document["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]
    name = body["multipart/form-data"]["schema"]["$ref"].rpartition("/")[2]
    schema = document["components"]["schemas"][name]
    files = {"content", "style", "content_mask", "style_mask"}
    assert files | {"priority", "size", "seed"} <= set(schema["properties"])
    assert set(schema["required"]) == {"content"}
    for field, described in schema["properties"].items():
        assert described.get("description"), field


def test_openapi_describes_the_points_of_the_loss_curve(api: httpx.Client) -> None:
    document = api.get("/openapi.json").json()
    answer = document["paths"]["/v1/jobs/{job_id}/losses"]["get"]["responses"]["200"]
    assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/Losses")
    point = document["components"]["schemas"]["LossPoint"]
    assert set(point["required"]) == {"step", "content", "style", "tv", "total"}


def test_the_documentation_for_people_is_there(api: httpx.Client) -> None:
    assert "openapi.json" in api.get("/docs").text


# While Redis is away.


def unavailable_soon(ask: Callable[[], httpx.Response]) -> None:
    """The answer is that the queue is away, in time for a person who waits."""
    began = time.monotonic()
    response = ask()
    assert time.monotonic() - began < 3.0
    assert problem(response, 503)["type"].endswith(":redis-unreachable")
    assert 0 < int(response.headers["Retry-After"]) <= 60


def test_while_redis_is_down_all_is_503_but_the_process_is_alive(
    alone: httpx.Client, own_redis: OwnRedis, files: Files
) -> None:
    job = submit(alone, files)
    own_redis.stop()
    for path in ("/v1/jobs", job["urls"]["self"], job["urls"]["result"], "/v1/system", "/readyz"):
        unavailable_soon(lambda path=path: alone.get(path))  # type: ignore[misc]
    unavailable_soon(lambda: alone.post(job["urls"]["cancel"]))
    unavailable_soon(lambda: alone.post("/v1/jobs", files=files))
    assert alone.get("/livez").status_code == 200
    assert alone.get("/").status_code == 200

    own_redis.start()
    assert look(alone, job) == job  # none of it came about
    assert submit(alone, files)["queue_position"] == 2


def test_while_redis_hangs_the_answer_comes_soon_all_the_same(
    alone: httpx.Client, own_redis: OwnRedis, files: Files
) -> None:
    submit(alone, files)
    own_redis.hold()
    unavailable_soon(lambda: alone.get("/v1/jobs"))
    unavailable_soon(lambda: alone.get("/readyz"))
    assert alone.get("/livez").status_code == 200
    own_redis.let_go()
    assert alone.get("/v1/jobs").status_code == 200
