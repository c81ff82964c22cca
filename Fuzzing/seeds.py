"""Write the recorded vectors as files for libFuzzer: seeds.py DIRECTORY."""
import hashlib
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


def main(directory):
    for name, data in seeds():
        if data is not None:
            folder = pathlib.Path(directory) / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / hashlib.sha256(data).hexdigest()).write_bytes(data)


main(sys.argv[1])
