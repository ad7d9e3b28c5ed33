"""What `benchmarks/scale.py` measures with: workers that only take time, and a long queue."""

#: What a step of such a worker takes.
STEP_SECONDS = 0.004
