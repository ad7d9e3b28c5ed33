"""Two owners do whatever the API lets them, in any order, on a live service with a live worker."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from tests.app.api import FINAL, Files, Json, problem, traces
from tests.app.knowledge import Desk, Known, Reading
from tests.app.locked import ANNA, BERT, holding, locked_api
from tests.house import eventually

OWNERS = st.sampled_from(["anna", "bert"])
PICKS = st.integers(0, 999)

#: What there is to ask of a job; "-" deletes it.
WAYS = ["", "/result", "/preview", "/events", "/cancel", "/retry", "-"]
SEEDS = st.integers(0, 1)

#: Ended in a moment, or only after a second: so that there is something to cancel.
STEPS = st.sampled_from([1, 3, 60])


def has_jobs(machine: "Service") -> bool:
    return bool(machine.living())


def has_deleted(machine: "Service") -> bool:
    return any(job.is_deleted for job in machine.jobs())


def has_readings(machine: "Service") -> bool:
    return bool(machine.readings)


class Service(RuleBasedStateMachine):
    """What two clients do, and what they must see."""

    def __init__(self, api: httpx.Client, redis: Redis, files: Files) -> None:
        super().__init__()
        self._redis, self._files = redis, files
        self.desks = {"anna": Desk(holding(api, ANNA)), "bert": Desk(holding(api, BERT))}
        self.readings: list[Reading] = []

    # Handing in.

    @rule(owner=OWNERS, seed=SEEDS, steps=STEPS)
    def submit_anew(self, owner: str, seed: int, steps: int) -> None:
        response = self._submit(owner, seed, steps, reuse="false")
        assert response.status_code == 202
        self._add(owner, response.json())

    @rule(owner=OWNERS, seed=SEEDS, steps=STEPS)
    def submit_what_may_have_been_painted(self, owner: str, seed: int, steps: int) -> None:
        response = self._submit(owner, seed, steps)
        if response.status_code == 202:
            self._add(owner, response.json())
            return
        assert response.status_code == 200
        answer = response.json()
        assert answer["reused"]
        earlier = self.desks[owner].known(answer["id"])
        assert not earlier.is_deleted
        earlier.see(answer)
        assert answer["status"] == "succeeded"
        assert (answer["params"]["seed"], answer["params"]["steps"]) == (seed, steps)

    @rule(owner=OWNERS, name=st.sampled_from(["k", "l"]), seed=SEEDS)
    def submit_by_name(self, owner: str, name: str, seed: int) -> None:
        headers = {"Idempotency-Key": name}
        response = self._submit(owner, seed, 3, headers=headers, reuse="false")
        fields, first = self.desks[owner].named.get(name, ({}, {}))
        if not first or self.desks[owner].known(first["id"]).is_deleted:
            assert response.status_code == 202
            assert "Idempotency-Replayed" not in response.headers
            self._add(owner, response.json())
            self.desks[owner].named[name] = ({"seed": seed}, response.json())
        elif fields == {"seed": seed}:
            assert response.headers["Idempotency-Replayed"] == "true"
            assert (response.status_code, response.json()) == (202, first)
        else:
            found = problem(response, 422, field="Idempotency-Key")
            assert found["type"].endswith(":idempotency-key-reused")

    # Looking.

    @precondition(has_jobs)
    @rule(pick=PICKS, query=st.sampled_from(["", "?wait=1"]))
    def look(self, pick: int, query: str) -> None:
        job = self._pick(pick)
        job.see(self._get(job, query).json())

    @precondition(has_jobs)
    @rule(pick=PICKS)
    def look_again(self, pick: int) -> None:
        job = self._pick(pick)
        first = self._get(job)
        again = self._get(job, headers={"If-None-Match": first.headers["ETag"]})
        job.see(first.json())
        if again.status_code == 304:
            assert not again.content
        else:
            assert again.json() != first.json()
            job.see(again.json())

    @rule(owner=OWNERS)
    def list_jobs(self, owner: str) -> None:
        desk = self.desks[owner]
        shown = desk.client.get("/v1/jobs", params={"limit": 100}).json()["jobs"]
        assert [view["id"] for view in shown] == [job.id for job in reversed(desk.living)]
        for view in shown:
            desk.known(view["id"]).see(view)

    @precondition(has_jobs)
    @rule(pick=PICKS)
    def fetch_result(self, pick: int) -> None:
        job = self._pick(pick)
        response = self._client(job).get(f"{job.url}/result")
        if response.status_code == 200:
            assert response.headers["Content-Type"] == "image/png"
            assert job.result in {None, response.content}
            job.result = response.content
            self.look_at(job, "succeeded")
        else:
            problem(response, 409)
            assert job.shown["status"] != "succeeded"

    @precondition(has_jobs)
    @rule(pick=PICKS)
    def fetch_preview(self, pick: int) -> None:
        job = self._pick(pick)
        response = self._client(job).get(f"{job.url}/preview")
        assert response.status_code in {200, 404}
        assert response.status_code == 200 or not job.shown["progress"]["preview_version"]

    @precondition(has_jobs)
    @rule(pick=PICKS, way=st.sampled_from(WAYS))
    def ask_for_a_job_of_the_other(self, pick: int, way: str) -> None:
        job = self._pick(pick)
        stranger = self.desks["bert" if job.owner == "anna" else "anna"].client
        method = {"/cancel": "POST", "/retry": "POST", "-": "DELETE"}.get(way, "GET")
        response = stranger.request(method, job.url + way.removesuffix("-"))
        assert problem(response, 404)["type"].endswith(":no-such-job")

    # Ending.

    @precondition(has_jobs)
    @rule(pick=PICKS)
    def cancel(self, pick: int) -> None:
        job = self._pick(pick)
        job.is_canceled |= job.shown["status"] not in FINAL
        response = self._client(job).post(f"{job.url}/cancel")
        assert response.status_code == 200
        job.see(response.json())

    @precondition(has_jobs)
    @rule(pick=PICKS)
    def delete(self, pick: int) -> None:
        self._delete(self._pick(pick))

    @precondition(has_deleted)
    @rule(pick=PICKS, way=st.sampled_from(["", "/result", "/preview", "/losses", "/events"]))
    def ask_for_a_deleted_job(self, pick: int, way: str) -> None:
        gone = [job for job in self.jobs() if job.is_deleted]
        job = gone[pick % len(gone)]
        problem(self._client(job).get(job.url + way), 404)
        problem(self._client(job).delete(job.url), 404)
        problem(self._client(job).post(f"{job.url}/cancel"), 404)

    # Watching.

    @precondition(has_jobs)
    @rule(pick=PICKS)
    def open_stream(self, pick: int) -> None:
        job = self._pick(pick)
        reading = Reading(self._client(job), job)
        reading.open()
        reading.read()
        reading.read()  # this one has an id
        self.readings.append(reading)

    @precondition(has_readings)
    @rule(pick=PICKS, count=st.integers(0, 2))
    def read(self, pick: int, count: int) -> None:
        reading = self._reading(pick)
        for _ in range(count):
            if reading.is_open:
                reading.read()

    @precondition(has_readings)
    @rule(pick=PICKS, to_the_end=st.booleans())
    def cut_and_come_back(self, pick: int, to_the_end: bool) -> None:  # noqa: FBT001
        reading = self._reading(pick)
        reading.cut()
        if reading.job.is_deleted:
            assert reading.status_of_coming_back() == 404
        elif reading.is_over:
            assert reading.status_of_coming_back() == 204
        else:
            reading.open()
            if to_the_end:
                reading.drain()

    @precondition(has_readings)
    @rule(pick=PICKS)
    def drain(self, pick: int) -> None:
        reading = self._reading(pick)
        if reading.is_open:
            reading.drain()

    def teardown(self) -> None:
        """Of all that was deleted nothing is left."""
        for reading in self.readings:
            reading.cut()
        for job in self.living():
            self._delete(job)
        ids = [job.id for job in self.jobs()]
        eventually(lambda: not traces(self._redis, ids), within=20, what="no trace is left")
        for desk in self.desks.values():
            assert desk.client.get("/v1/jobs").json()["jobs"] == []
            desk.client.close()

    # How it is done.

    def jobs(self) -> list[Known]:
        return [job for desk in self.desks.values() for job in desk.jobs]

    def living(self) -> list[Known]:
        return [job for job in self.jobs() if not job.is_deleted]

    def look_at(self, job: Known, status: str) -> None:
        job.see(self._get(job).json())
        assert job.shown["status"] == status

    def _pick(self, pick: int) -> Known:
        return self.living()[pick % len(self.living())]

    def _reading(self, pick: int) -> Reading:
        return self.readings[pick % len(self.readings)]

    def _client(self, job: Known) -> httpx.Client:
        return self.desks[job.owner].client

    def _get(
        self, job: Known, query: str = "", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        response = self._client(job).get(job.url + query, headers=headers)
        assert response.status_code in {200, 304}
        return response

    def _add(self, owner: str, shown: Json) -> None:
        assert shown["id"] not in {job.id for job in self.jobs()}
        assert shown["status"] == "queued"
        self.desks[owner].jobs.append(Known(owner, shown))

    def _submit(
        self,
        owner: str,
        seed: int,
        steps: int,
        headers: dict[str, str] | None = None,
        **fields: str,
    ) -> httpx.Response:
        asked = {"size": "64", "quality": "draft", "seed": f"{seed}", "steps": f"{steps}"}
        return self.desks[owner].client.post(
            "/v1/jobs", data=asked | fields, files=self._files, headers=headers
        )

    def _delete(self, job: Known) -> None:
        assert self._client(job).delete(job.url).status_code == 204
        job.is_deleted = True
        problem(self._client(job).get(job.url), 404)


@pytest.fixture
def locked_house(
    studio: httpx.Client, house_redis: Redis, tmp_path: Path
) -> Iterator[httpx.Client]:
    """A second API of the house, which asks for keys: its worker paints for both."""
    del studio  # it leaves the house with nothing to do
    connection = house_redis.connection_pool.connection_kwargs
    with locked_api(f"unix://{connection['path']}", tmp_path) as client:
        yield client


def test_whatever_two_owners_do_they_see_what_they_must(
    locked_house: httpx.Client, house_redis: Redis, files: Files
) -> None:
    run_state_machine_as_test(
        lambda: Service(locked_house, house_redis, files),  # type: ignore[arg-type]  # makes one
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],  # to shrink would paint for minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
