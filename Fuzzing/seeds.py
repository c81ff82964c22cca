"""Write the recorded vectors as files for libFuzzer: seeds.py DIRECTORY."""
import base64
import hashlib
import hmac
import json
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent / "Tests"


def vectors(*names):
    for name in names:
        for vector in json.loads((TESTS / name).read_text())["vectors"]:
            yield [bytes.fromhex(frame) for frame in vector["frames_hex"]]


def framed(*frames):
    """Each but the last with its length in a byte before it; None for one that is too long for that."""
    if all(len(frame) < 256 for frame in frames[:-1]):
        return b"".join(bytes([len(frame)]) + frame for frame in frames[:-1]) + frames[-1]


def seeds():
    for frames in vectors("MessagePackTests/Golden/msgpack.json"):
        yield "fuzz-messagepack", frames[0] if frames else None
    for frames in vectors("MessagePackTests/Golden/pickle_ext.json"):
        yield "fuzz-pickle", frames[0]
    for frames in vectors("ZeroMQRPCTests/Golden/rpc_requests.json", "ZeroMQRPCTests/Golden/rpc_no_reply.json"):
        if len(frames) == 4:
            yield "fuzz-request", framed(frames[0], frames[2], frames[3])
    for frames in vectors("ZeroMQRPCTests/Golden/rpc_replies.json", "ZeroMQRPCTests/Golden/rpc_client_results.json"):
        if len(frames) >= 2:
            yield "fuzz-reply", framed(*frames[-2:])


KEY = b"seeds of a fuzzer, known to all of us"
HEADERS = [
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-x",
    "192.0.2.1, 10.0.0.2", 'for="[2001:db8::1]:4711";proto=https, for=10.0.0.2;by="_x\\"', "application/json;q=0.5, */*;q=0.1",
    "a=1; session=abc; b=2", "/sub/news?_ticket=zgt_abc&topic=a", "a=1&b:=[2]&arg=x&_timeout=2.5", "2.5", '"a-1", W/"b-2", *',
]


def token(claims):
    def text(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")
    head = text(b'{"alg":"HS256","kid":"k"}') + b"." + text(claims)
    return head + b"." + text(hmac.new(KEY, head, hashlib.sha256).digest())


def texts():
    yield "fuzz-configuration", (TESTS.parent / "docs/gateway.yaml").read_bytes()
    for file in sorted((TESTS.parent / "Docker").glob("**/*.yaml")):
        yield "fuzz-configuration", file.read_bytes()
    for header in HEADERS:
        yield "fuzz-headers", header.encode()
    yield "fuzz-token", token(b'{"iss":"i","aud":"a","sub":"s","exp":2000}')
    yield "fuzz-token", json.dumps({"keys": [{"kty": "oct", "kid": "k", "k": "AAAA"}]}).encode()


def main(directory):
    for name, data in [*seeds(), *texts()]:
        if data is not None:
            folder = pathlib.Path(directory) / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / hashlib.sha256(data).hexdigest()).write_bytes(data)


main(sys.argv[1])
