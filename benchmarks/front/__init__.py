"""What `benchmarks/service.py` measures the front of the house with."""
