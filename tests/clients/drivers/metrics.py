"""Reads a page of metrics as Prometheus does, and prints every sample: its name and labels, and its value."""

import json
import sys
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families

page = urllib.request.urlopen(sys.argv[1], timeout=10)
kind = page.headers["Content-Type"]
assert kind.startswith("application/openmetrics-text"), kind
values = {}
for family in text_string_to_metric_families(page.read().decode()):
    assert family.documentation, family.name
    for sample in family.samples:
        labels = json.dumps(sample.labels) if sample.labels else ""
        values[sample.name + labels] = sample.value
print(json.dumps(values))
