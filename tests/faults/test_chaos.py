"""The bad night of ``make chaos``, a short one."""

import re
import subprocess
import sys

import pytest

#: A minute where nothing else is done, on two cores without instructions for neural networks.
_PATIENCE_SECONDS = 400


@pytest.mark.timeout(_PATIENCE_SECONDS + 20)
def test_after_a_bad_night_every_job_is_accounted_for() -> None:
    night = subprocess.run(
        [sys.executable, "-m", "scripts.chaos", "--seconds", "15", "--seed", "4"],
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    assert night.returncode == 0, night.stdout + night.stderr
    assert "every job accounted for" in night.stdout
    assert re.search(r"\d+ worker kills", night.stdout), "it was a bad one"
