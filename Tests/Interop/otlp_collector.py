"""Takes spans by OTLP/HTTP, as a collector does, and prints each as a line of JSON.

    otlp_collector.py [--answers 503,400,200]

The first line is {"port": ...}. Requests are answered with these statuses one after the other, with the last of them from then on (default:
200); of each there is a line {"request": status, "headers": {...}, "spans": n}. What is no ExportTraceServiceRequest ends the program."""

import argparse
import http.server
import json
import re
import sys
import threading


def say(value):
    print(json.dumps(value), flush=True)


def value_of(value):
    (kind, inner), = value.items()
    if kind == "intValue":
        assert isinstance(inner, str)
        return int(inner)
    if kind == "arrayValue":
        return [value_of(item) for item in inner["values"]]
    assert kind in ("stringValue", "boolValue", "doubleValue"), kind
    return inner


def attributes(items):
    found = {item["key"]: value_of(item["value"]) for item in items}
    assert len(found) == len(items), "a key twice"
    return found


def spans_of(document):
    for resource in document["resourceSpans"]:
        service = attributes(resource["resource"]["attributes"])["service.name"]
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                assert re.fullmatch("[0-9a-f]{32}", span["traceId"]) and re.fullmatch("[0-9a-f]{16}", span["spanId"])
                assert re.fullmatch("[0-9a-f]{16}", span.get("parentSpanId", "0" * 16))
                assert 0 < int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
                assert 1 <= span["kind"] <= 5
                for event in span.get("events", []):
                    attributes(event["attributes"])
                yield {**span, "attributes": attributes(span["attributes"]), "service": service}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers = [200]

    def do_POST(self):
        assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
        spans = list(spans_of(json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        say({"request": status, "headers": dict(self.headers), "spans": len(spans)})
        if status == 200:
            for span in spans:
                say(span)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", default="200")
    options = parser.parse_args()
    Handler.answers = [int(status) for status in options.answers.split(",")]
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say({"port": server.server_address[1]})
    sys.stdin.read()


if __name__ == "__main__":
    main()
