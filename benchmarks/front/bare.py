"""The least that a service like this could be: store an upload, enqueue its name, and no more.

REDIS_URL=... PORT=... python -m benchmarks.front.bare
"""

import os
from typing import Annotated
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, File, UploadFile
from redis import Redis
from rq import Queue

app = FastAPI()
connection = Redis.from_url(os.environ["REDIS_URL"])
queue = Queue("bare", connection=connection, serializer="json")


@app.post("/jobs", status_code=202)
def submit(content: Annotated[UploadFile, File()], style: Annotated[UploadFile, File()]) -> str:
    """Takes two pictures."""
    job_id = uuid4().hex
    connection.set(f"bare:{job_id}:content", content.file.read(), ex=3600)
    connection.set(f"bare:{job_id}:style", style.file.read(), ex=3600)
    queue.enqueue_call("bare.paint", kwargs={"job": job_id}, job_id=job_id)
    return job_id


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["PORT"]), access_log=False, log_level="warning")
