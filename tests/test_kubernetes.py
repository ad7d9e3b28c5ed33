"""The example for Kubernetes: what the schemas say, and that it fits the rest of the house."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from worker.settings import Settings

HOUSE = Path(__file__).parents[1]
FILES = sorted((HOUSE / "deploy" / "kubernetes").glob("*.yaml"))

#: The oldest release that the example is for.
RELEASES = ["1.30", "1.37"]

Manifest = dict[str, Any]


def manifests(*names: str) -> list[Manifest]:
    texts = [path.read_text(encoding="utf-8") for path in FILES if not names or path.name in names]
    return [document for text in texts for document in yaml.safe_load_all(text)]


def named(kind: str, name: str) -> Manifest:
    (found,) = [m for m in manifests() if (m["kind"], m["metadata"]["name"]) == (kind, name)]
    return found


def pod(kind: str, name: str) -> Manifest:
    return named(kind, name)["spec"]["template"]["spec"]  # type: ignore[no-any-return]


PODS = [
    ("StatefulSet", "redis"),
    ("Deployment", "atelier-api"),
    ("Deployment", "atelier-worker"),
]


@pytest.mark.parametrize("release", RELEASES)
def test_kubernetes_takes_the_manifests(release: str) -> None:
    checked = manifests("redis.yaml", "atelier.yaml")
    assert len(checked) == 8
    for manifest in checked:
        kubernetes_validate.validate(manifest, release, strict=True)


def test_kubernetes_would_refuse_a_field_that_it_does_not_know() -> None:
    manifest = named("Deployment", "atelier-worker")
    manifest["spec"]["template"]["spec"]["terminationGracePeriod"] = 30
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, RELEASES[-1], strict=True)


@pytest.mark.parametrize(("kind", "name"), PODS)
def test_no_pod_runs_as_root_or_writes_where_it_should_not(kind: str, name: str) -> None:
    spec = pod(kind, name)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize(("kind", "name"), PODS)
def test_no_service_is_taken_for_a_setting(kind: str, name: str) -> None:
    assert pod(kind, name)["enableServiceLinks"] is False


def test_the_settings_are_settings() -> None:
    known = {f"ATELIER_{name.upper()}" for name in Settings.model_fields}
    assert set(named("ConfigMap", "atelier")["data"]) <= known


def test_a_worker_has_the_time_that_it_takes_to_put_its_jobs_back() -> None:
    grace = pod("Deployment", "atelier-worker")["terminationGracePeriodSeconds"]
    # TensorFlow's coordinator may take twice as long to see its last thread end.
    assert grace > 2 * Settings.model_fields["stop_grace_seconds"].default


def test_no_worker_is_killed_because_redis_is_away() -> None:
    (container,) = pod("Deployment", "atelier-worker")["containers"]
    assert "livenessProbe" not in container


def test_workers_are_counted_by_metrics_that_there_are_and_jobs_in_painting_count() -> None:
    scaled = named("ScaledObject", "atelier-worker")
    assert scaled["spec"]["scaleTargetRef"]["name"] == "atelier-worker"
    assert "replicas" not in named("Deployment", "atelier-worker")["spec"], "KEDA's to say"
    (trigger,) = scaled["spec"]["triggers"]
    asked = set(re.findall(r"(\w+)\{status=\"(\w+)\"\}", trigger["metadata"]["query"]))
    assert asked == {("rq_jobs", "queued"), ("rq_jobs", "running")}
    operations = (HOUSE / "docs" / "operations.md").read_text(encoding="utf-8")
    assert "`rq_jobs{queue, status}`" in operations


def test_the_pods_find_redis_and_redis_lets_them_in() -> None:
    url = named("ConfigMap", "atelier")["data"]["ATELIER_REDIS_URL"]
    service = named("Service", "redis")
    assert url == f"redis://redis:{service['spec']['ports'][0]['port']}/0"
    (rule,) = named("NetworkPolicy", "redis")["spec"]["ingress"]
    (peer,) = rule["from"]
    for name in ("atelier-api", "atelier-worker"):
        labels = named("Deployment", name)["spec"]["template"]["metadata"]["labels"]
        assert peer["podSelector"]["matchLabels"].items() <= labels.items()
