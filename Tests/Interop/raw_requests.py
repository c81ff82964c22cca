"""The requests of Tests/Support/raw-requests.txt as bytes, and mutations of them."""
import pathlib
import re

CORPUS = pathlib.Path(__file__).resolve().parents[1] / "Support/raw-requests.txt"
PIECES = [
    b"\r\n", b"\n", b"\r", b"\0", b"\0\n", b":\n", b" ", b"\t", b":", b",", b";", b"\x0b", b"\x7f", b"\x80", b"\xff", b"0", b"5", b"%00",
    b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: a\r\n", b"chunked", b"HTTP/1.1", b"GET /live HTTP/1.1\r\n",
    b"\r\n\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n",
]


def unescaped(text, most):
    def repeated(match):
        return unescaped(match[1], most).decode("latin-1") * min(int(match[2]), most)

    text = re.sub(r"\{([^{}]+)\*(\d+)\}", repeated, text)
    escape = {"r": "\r", "n": "\n", "t": "\t"}
    replaced = re.sub(
        r"\\(x[0-9A-Fa-f]{2}|.)", lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "x" else escape.get(m[1], m[1]), text)
    return replaced.encode("latin-1")


def corpus(service, most=1 << 30):
    """Each line of the file as a list of requests, which differ in one byte; those that call something call that service.
    No text is repeated more often than `most`."""
    template = "$"
    for line in CORPUS.read_text().splitlines():
        if line.startswith("="):
            template = line[2:].partition(":")[2][1:]
        elif line and not line.startswith("#"):
            text = template.replace("$", line.split("|", 2)[2][1:], 1).replace("/rpc/s/", f"/rpc/{service}/")
            before, found, rest = text.partition("<")
            ranges, _, behind = rest.partition(">")
            variants = [before]
            if found:
                bounds = [[int(end, 16) for end in part.split("-")] for part in ranges.split()]
                variants = [
                    f"{before}\\x{byte:02X}{behind}" for bound in bounds for byte in range(bound[0], bound[-1] + 1)]
            yield [unescaped(variant, most) for variant in variants]


def mutated(seeds, source):
    data = bytearray(source.choice(seeds))
    for _ in range(source.choice([1, 1, 1, 2, 2, 3, 5])):
        at, to = (source.randrange(len(data) + 1) for _ in "12")
        kind = source.randrange(8)
        if kind == 0 and at < len(data):
            data[at] = source.randrange(256)
        elif kind == 1:
            data[at:at + 1] = source.choice(PIECES)
        elif kind == 2:
            data[at:at] = source.choice(PIECES)
        elif kind == 3:
            del data[at:at + source.randrange(1, 4)]
        elif kind == 4:
            data[at:at] = data[min(at, to):max(at, to)][:200]
        elif kind == 5:
            other = source.choice(seeds)
            data[at:] = other[source.randrange(len(other) + 1):]
        elif kind == 6:
            lines = data.split(b"\r\n")
            i, j = source.randrange(len(lines)), source.randrange(len(lines))
            lines[i], lines[j] = lines[j], lines[i]
            data = bytearray(b"\r\n".join(lines))
        else:
            data[at:at] = bytes([source.randrange(256)])
    return bytes(data)
