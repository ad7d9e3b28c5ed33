"""What the tests that look at ``/metrics`` share: a scrape as numbers by name and labels."""

import httpx
from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    """The samples of one answer."""

    def __init__(self, client: httpx.Client) -> None:
        response = client.get("/metrics")
        assert response.status_code == 200, response.text
        self.text = response.text
        families = list(text_string_to_metric_families(response.text))
        self.samples = [sample for family in families for sample in family.samples]

    def all(self, name: str) -> list[dict[str, str]]:
        """The labels of all samples of this name."""
        return [sample.labels for sample in self.samples if sample.name == name]

    def __call__(self, name: str, **labels: str) -> float:
        """The sum of the samples with this name and these labels, 0 if there are none."""
        wanted = labels.items()
        return sum(s.value for s in self.samples if s.name == name and wanted <= s.labels.items())
