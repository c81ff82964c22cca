"""Holds YAML files to a JSON Schema, and prints what is wrong with each as a line of JSON: {"file": ..., "faults": [...]}.

    configuration_schema.py SCHEMA FILE...

Or documents of JSON, a line each, and prints for each 1 when it is refused, and 0 when it is not, as one list.

    configuration_schema.py SCHEMA --lines FILE
"""
import json
import sys

import jsonschema
from ruamel.yaml import YAML

with open(sys.argv[1]) as file:
    schema = json.load(file)
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
if sys.argv[2] == "--lines":
    with open(sys.argv[3]) as file:
        print(json.dumps([0 if validator.is_valid(json.loads(line)) else 1 for line in file]))
    sys.exit()
for name in sys.argv[2:]:
    with open(name) as file:
        # Of the version 1.2 of YAML, as editors are: "off" is a text.
        value = json.loads(json.dumps(YAML(typ="safe").load(file)))
    faults = [f"{'.'.join(map(str, fault.path))}: {fault.message[:200]}" for fault in validator.iter_errors(value)]
    print(json.dumps({"file": name, "faults": faults}))
