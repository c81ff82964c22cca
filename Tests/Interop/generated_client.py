"""Makes a client from the document of a running gateway with openapi-python-client, and calls the demonstration with it.

usage: generated_client.py BASE_URL DIRECTORY
"""
import json
import os
import pathlib
import subprocess
import sys
import urllib.request

base, directory = sys.argv[1], pathlib.Path(sys.argv[2])
document = directory / "openapi.json"
with urllib.request.urlopen(base + "/openapi.json") as answer:
    document.write_bytes(answer.read())
# What a generated client does by itself: the document's address with the path of its server.
server = json.loads(document.read_text())["servers"][0]["url"]
root = base.split("/")[0] + "//" + base.split("/")[2]
assert base == root + server.rstrip("/"), (base, server)

# The generator tidies up with ruff, which was installed beside it.
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
package = directory / "gateway_client"
generated = subprocess.run(
    [sys.executable, "-m", "openapi_python_client", "generate", "--path", document, "--meta", "none",
     "--output-path", package],
    capture_output=True, text=True)
print(generated.stdout, generated.stderr)
assert generated.returncode == 0

sys.path.insert(0, str(directory))
from gateway_client import Client  # noqa: E402
from gateway_client.api.calc import calc_add, calc_add_get, calc_fail  # noqa: E402
from gateway_client.api.calls import call, call_safe, push  # noqa: E402
from gateway_client.api.events import publish  # noqa: E402
from gateway_client.api.operations import live, problem, ready  # noqa: E402
from gateway_client.api.jobs import jobs_resize  # noqa: E402
from gateway_client.models import ArgumentsType1, CalcAddBody, CalcFailBody, CallSafeArguments, Problem  # noqa: E402

client = Client(base_url=root + server.rstrip("/"))


def check(answer, status, parsed):
    assert answer.status_code == status, answer
    assert answer.parsed == parsed, answer


check(call.sync_detailed("calc", "add", client=client, body=[2, 3]), 200, 5)
keywords = ArgumentsType1.from_dict({"a": 2, "b": 3})
check(call.sync_detailed("calc", "add", client=client, body=keywords, request_timeout=2.5), 200, 5)
query = CallSafeArguments.from_dict({"a:": "2", "b:": "3"})
check(call_safe.sync_detailed("calc", "add", client=client, arguments=query), 200, 5)
check(call_safe.sync_detailed("calc", "echo", client=client, arg=["hi"], arguments=CallSafeArguments()), 200, "hi")
# The services' own methods, with the parameters that calc has described.
check(calc_add.sync_detailed(client=client, body=CalcAddBody(a=2, b=3)), 200, 5)
check(calc_add_get.sync_detailed(client=client, a=2, b=3), 200, 5)
told = calc_fail.sync_detailed(client=client, body=CalcFailBody(message="no"))
assert told.status_code == 400 and told.parsed.exception.args == ["no"], told
for answer in [
    jobs_resize.sync_detailed(client=client, body=["a.png"]),
    push.sync_detailed("jobs", "resize", client=client, body=["a.png"]),
    publish.sync_detailed("news", "chat", "say", client=client, body=["hello"]),
]:
    assert answer.status_code == 202 and answer.parsed.accepted is True, answer

absent = call.sync_detailed("maths", "add", client=client, body=[2])
assert absent.status_code == 404 and isinstance(absent.parsed, Problem), absent
assert absent.parsed.code == "no-such-service" and absent.parsed.sent is False
failed = call.sync_detailed("calc", "fail", client=client, body=["no"])
assert failed.status_code == 400 and failed.parsed.exception.type_ == "builtins.ValueError", failed
assert live.sync_detailed(client=client).status_code == 200
assert ready.sync_detailed(client=client).status_code in (200, 503)
assert "timeout" in problem.sync_detailed("timeout", client=client).parsed
print("ok")
