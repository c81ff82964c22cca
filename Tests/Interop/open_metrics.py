"""Reads OpenMetrics from standard input with the parser of Prometheus' own client, and prints each family as a line of JSON."""

import json
import sys

from prometheus_client.openmetrics import parser

for family in parser.text_string_to_metric_families(sys.stdin.read()):
    exemplars = [sample.exemplar.labels["trace_id"] for sample in family.samples if sample.exemplar]
    print(json.dumps({"name": family.name, "kind": family.type, "samples": len(family.samples), "exemplars": exemplars}))
