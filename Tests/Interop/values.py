#!/usr/bin/env python3
"""Random values between HTTP clients and a real aiozmq service, each of which sees what the other one meant.

    python3 values.py SEED COUNT

Serves on a port of its own and prints its endpoint. Reads the gateway's port from its input; the gateway must reach the service as
`plain`, as `rich` (datetimes: pickle, ext: {10: text, 11: base64}) and as `told` (json: { ints: string, nonfinite: string, keys: pairs }).
Prints a line of JSON for each property: its name, how many values were tried, and what differed.
"""
import asyncio
import base64
import datetime as dt
import decimal
import http.client
import json
import math
import random
import re
import struct
import sys
import threading
import uuid
from zoneinfo import ZoneInfo

import aiozmq.rpc as rpc
import msgpack

seed, count = int(sys.argv[1]), int(sys.argv[2])
rnd = random.Random(seed)

TRANSLATORS = {
    10: (decimal.Decimal, lambda d: str(d).encode(), lambda b: decimal.Decimal(b.decode())),
    11: (uuid.UUID, lambda u: u.bytes, lambda b: uuid.UUID(bytes=b)),
}


# --------------------------------------------------------------------- service


class Service(rpc.AttrHandler):
    """Keeps what it got, and returns what it is told to."""

    def __init__(self):
        self.got = None
        self.value = None

    @rpc.method
    def keep(self, *args, **kwargs):
        self.got = (args, kwargs)
        return args[0] if args else kwargs

    @rpc.method
    def give(self):
        return self.value


service = Service()


def serve(ready):
    async def run():
        server = await rpc.serve_rpc(service, bind="tcp://127.0.0.1:*", translation_table=TRANSLATORS)
        ready.endpoint = next(iter(server.transport.bindings()))
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(run())


# ---------------------------------------------------------------------- values

LETTERS = "ab \"\\/\n\x00\x1f\x7fé€\u2028😀$"


def text():
    return "".join(rnd.choice(LETTERS) for _ in range(rnd.choice([0, 1, 3, 7, 8, 9, 31, 32, 33, 40, 300])))


def integer():
    bits = rnd.randrange(65)
    value = rnd.getrandbits(bits) if bits else 0
    return value if rnd.random() < .5 or value > 2 ** 63 else -value


def real():
    kind = rnd.randrange(4)
    if kind == 0:
        return struct.unpack(">f", rnd.randbytes(4))[0]
    if kind == 1:
        return struct.unpack(">d", rnd.randbytes(8))[0]
    if kind == 2:
        return rnd.choice([0.0, -0.0, 1.0, 1e22, 1e21, 1e16, 5e-324, 1.7976931348623157e308, 0.1, -1.5, 2.0 ** 53])
    return round(rnd.uniform(-1000, 1000), rnd.randrange(5))


def finite():
    while True:
        value = real()
        if math.isfinite(value):
            return value


def zone():
    kind = rnd.randrange(5)
    if kind == 0:
        return None
    if kind == 1:
        return dt.timezone.utc
    if kind == 2:
        return ZoneInfo(rnd.choice(["Europe/Paris", "America/New_York", "UTC", "Asia/Kolkata", "Etc/GMT+5"]))
    if kind == 3:
        return dt.timezone(dt.timedelta(minutes=rnd.randrange(-1439, 1440)))
    return dt.timezone(dt.timedelta(microseconds=rnd.randrange(-86399999999, 86400000000)))


def clock():
    micro = rnd.choice([0, 1, 500000, 999999, rnd.randrange(1000000)])
    return rnd.randrange(24), rnd.randrange(60), rnd.randrange(60), micro


def day():
    return dt.date.fromordinal(rnd.choice([1, 3652059, rnd.randrange(1, 3652060)]))


def date(zones=zone):
    kind = rnd.randrange(4)
    if kind == 0:
        return day()
    if kind == 1:
        return dt.time(*clock(), tzinfo=zones(), fold=rnd.randrange(2))
    if kind == 2:
        d = day()
        return dt.datetime(d.year, d.month, d.day, *clock(), tzinfo=zones(), fold=rnd.randrange(2))
    return dt.timedelta(rnd.choice([0, -1, 999999998, -999999999, rnd.randrange(-1000, 1000)]), rnd.randrange(86400),
                        rnd.choice([0, 1, 999999, rnd.randrange(1000000)]))


def value(depth, leaf, key=text):
    kind = rnd.randrange(9 if depth else 6)
    if kind == 0:
        return rnd.choice([None, True, False])
    if kind < 6:
        return leaf()
    size = rnd.choice([0, 1, 1, 2, 3, 5, 15, 16, 40])
    if kind == 6:
        return [value(depth - 1, leaf, key) for _ in range(size)]
    return {key(): value(depth - 1, leaf, key) for _ in range(size)}


def json_leaf():
    return rnd.choice([integer, finite, text])()


def packed_leaf():
    return rnd.choice([integer, real, text, lambda: rnd.randbytes(rnd.choice([0, 1, 2, 3, 40])), moment])()


def moment():
    return msgpack.Timestamp(rnd.choice([0, rnd.randrange(2 ** 32), rnd.randrange(2 ** 34), rnd.randrange(-62135596800, 253402300800)]),
                             rnd.choice([0, 1, 10 ** 9 - 1, 500000000, rnd.randrange(10 ** 9)]))


def ext():
    return msgpack.ExtType(rnd.choice([0, 1, 9, 12, 64, 122]), rnd.randbytes(rnd.choice([0, 1, 2, 3, 4, 8, 16, 17])))


def any_leaf():
    return rnd.choice([packed_leaf, packed_leaf, date, zone, ext, amount])()


def amount():
    return rnd.choice([decimal.Decimal(rnd.randrange(10 ** 9)) / 100, uuid.UUID(bytes=rnd.randbytes(16))])


def any_key():
    return rnd.choice([text, text, integer, real, lambda: rnd.choice([None, True, False]), lambda: rnd.randbytes(3),
                       lambda: (integer(), text()), day])()


# ------------------------------------------------------- how the documents say JSON shows them


def same(a, b):
    """Equal in kind and value, in the order of keys, and NaN to NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (dt.datetime, dt.time)):
        return a.isoformat() == b.isoformat() and a.fold == b.fold and same_zone(a.tzinfo, b.tzinfo)
    return repr(a) == repr(b)


def same_zone(a, b):
    return a is b or type(a) is type(b) and (a.key == b.key if isinstance(a, ZoneInfo) else a == b)


def listed(v):
    """Tuples, which aiozmq makes of arrays, as lists."""
    if isinstance(v, (list, tuple)):
        return [listed(x) for x in v]
    if isinstance(v, dict):
        return {k: listed(x) for k, x in v.items()}
    return v


def b64(data):
    return base64.b64encode(data).decode()


def number(v):
    text = repr(v)
    return text if "." in text or "e" in text else text + ".0"


def duration(v):
    sign, v = ("-", -v) if v < dt.timedelta(0) else ("", v)
    hours, rest = divmod(v.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or v.microseconds:
        time += f"{seconds}" + (f".{v.microseconds:06}".rstrip("0") if v.microseconds else "") + "S"
    days = f"{v.days}D" if v.days else ""
    return sign + "P" + days + (f"T{time}" if time else "") if days or time else "PT0S"


def offset(v):
    micro = v // dt.timedelta(microseconds=1)
    sign, micro = ("-", -micro) if micro < 0 else ("+", micro)
    seconds, micro = divmod(micro, 10 ** 6)
    text = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}"
    if seconds % 60 or micro:
        text += f":{seconds % 60:02}"
    return text + (f".{micro:06}" if micro else "")


def iso(v):
    if isinstance(v, dt.timedelta):
        return duration(v)
    if isinstance(v, ZoneInfo):
        return v.key
    if isinstance(v, dt.timezone):
        return offset(v.utcoffset(None))
    if isinstance(v, dt.date) and not isinstance(v, dt.datetime):
        return v.isoformat()
    if isinstance(v.tzinfo, ZoneInfo):
        return v.replace(tzinfo=None).isoformat() + f"[{v.tzinfo.key}]"
    return v.isoformat()


def stamp(v):
    d = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=v.seconds)
    n = v.nanoseconds
    decimals = f".{n:09}" if n % 1000 else f".{n // 1000:06}" if n % 10 ** 6 else f".{n // 10 ** 6:03}" if n else ""
    return d.isoformat() + decimals + "Z"


WORDS = {"$bin", "$map", "$ext", "$timestamp", "$datetime", "$date", "$time", "$timedelta"}


def shown(v, style):
    """The JSON text of a value, as the table in docs/values.md has it."""
    if v is None or isinstance(v, bool):
        return json.dumps(v, ensure_ascii=False)
    if isinstance(v, int):
        return f'"{v}"' if style == "told" and abs(v) > 2 ** 53 else str(v)
    if isinstance(v, float):
        if math.isfinite(v):
            return number(v)
        return "null" if style != "told" else '"NaN"' if math.isnan(v) else '"Infinity"' if v > 0 else '"-Infinity"'
    if isinstance(v, str):
        return json.dumps(v, ensure_ascii=False)
    if isinstance(v, bytes):
        return '{"$bin":"%s"}' % b64(v)
    if isinstance(v, msgpack.Timestamp):
        return json.dumps(stamp(v))
    if isinstance(v, (dt.date, dt.time, dt.timedelta, dt.tzinfo)):
        return json.dumps(iso(v))
    if isinstance(v, decimal.Decimal):
        return json.dumps(str(v)) if style == "rich" else '{"$ext":[10,"%s"]}' % b64(str(v).encode())
    if isinstance(v, uuid.UUID):
        return '{"$ext":[11,"%s"]}' % b64(v.bytes)
    if isinstance(v, msgpack.ExtType):
        return '{"$ext":[%d,"%s"]}' % (v.code, b64(v.data))
    if isinstance(v, (list, tuple)):
        return "[" + ",".join(shown(x, style) for x in v) + "]"
    return shown_map(v, style)


def shown_map(v, style):
    keys = [name(k, style) for k in v]
    pairs = style == "told" and not all(isinstance(k, str) for k in v)
    if pairs or len(set(keys)) < len(keys) or len(v) == 1 and set(v) & WORDS:
        return '{"$map":[' + ",".join(f"[{shown(k, style)},{shown(x, style)}]" for k, x in v.items()) + "]}"
    return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{shown(x, style)}" for k, x in zip(keys, v.values())) + "}"


def name(key, style):
    """A key of an object: a string, or the text of the value unless that is a string already."""
    if isinstance(key, str):
        return key
    text = shown(key, style)
    return json.loads(text) if text.startswith('"') else text


def pack(v):
    """The bytes that a client of MessagePack gets: dates are text."""
    if isinstance(v, decimal.Decimal):
        v = msgpack.ExtType(10, str(v).encode())
    elif isinstance(v, uuid.UUID):
        v = msgpack.ExtType(11, v.bytes)
    elif isinstance(v, (dt.date, dt.time, dt.timedelta, dt.tzinfo)):
        v = iso(v)
    elif isinstance(v, dict):
        return msgpack.Packer().pack_map_header(len(v)) + b"".join(pack(k) + pack(x) for k, x in v.items())
    elif isinstance(v, (list, tuple)) and not isinstance(v, msgpack.ExtType):
        return msgpack.Packer().pack_array_header(len(v)) + b"".join(map(pack, v))
    return msgpack.packb(v)


# --------------------------------------------------------------------- the client


class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def call(self, service, method, body, kind="json", accept="json"):
        types = {"json": "application/json", "msgpack": "application/msgpack"}
        self.connection.request("POST", f"/rpc/{service}/{method}", body,
                                {"Content-Type": types[kind], "Accept": types[accept]})
        reply = self.connection.getresponse()
        return reply.status, reply.read()


def dates_as_json(v):
    fold = "[fold=1]" if getattr(v, "fold", 0) else ""
    word = {dt.date: "$date", dt.time: "$time", dt.datetime: "$datetime", dt.timedelta: "$timedelta"}[type(v)]
    return {word: iso(v) + fold}


def aiozmq_packed(v):
    """As a client of aiozmq packs it."""
    from aiozmq.rpc.packer import _Packer
    return _Packer(translation_table=TRANSLATORS).packb(v)


def json_arguments(client):
    """A JSON value comes back as it was, and is to the service what Python's json makes of it."""
    v = value(3, json_leaf)
    status, reply = client.call("plain", "keep", json.dumps([v], ensure_ascii=rnd.random() < .5).encode())
    got = listed(service.got[0][0])
    return None if status == 200 and same(got, v) and same(json.loads(reply), v) else (v, got, reply.decode())


def packed_arguments(client):
    """A value of MessagePack is to the service what it is to Python's msgpack, and comes back with the same bytes."""
    key = lambda: rnd.choice([text, text, lambda: rnd.randbytes(3)])()
    v = value(3, packed_leaf, key)
    body = msgpack.packb([v])
    status, reply = client.call("plain", "keep", body, "msgpack", "msgpack")
    got = listed(service.got[0][0])
    return None if status == 200 and same(got, v) and reply == msgpack.packb(v) else (v, got, reply)


def keyword_arguments(client):
    """Keywords arrive as they were, by either form."""
    v = {"k" + text(): value(2, json_leaf) for _ in range(rnd.randrange(1, 4))}
    if rnd.random() < .5:
        status, _ = client.call("plain", "keep", json.dumps({"kwargs": v, "args": [1]}).encode())
    else:
        status, _ = client.call("plain", "keep", msgpack.packb({"kwargs": v, "args": [1]}), "msgpack")
    got = service.got
    return None if status == 200 and got[0] == (1,) and same(listed(got[1]), v) else (v, got)


def results(client):
    """Any result is shown as the documents say, by each style, and passes as MessagePack."""
    service.value = v = value(3, any_leaf, any_key)
    for style in ["plain", "rich", "told"]:
        status, reply = client.call(style, "give", b"")
        if status != 200 or json_differs(reply, shown(v, style)):
            return first_difference(reply.decode(), shown(v, style)), style, status, v
    status, reply = client.call("plain", "give", b"", accept="msgpack")
    return None if status == 200 and reply == pack(v) else (v, reply, pack(v))


def first_difference(a, b):
    """Where two texts part, with what comes around there."""
    place = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    start = max(0, place - 30)
    return a[start:place + 60], b[start:place + 60]


def json_differs(reply, expected):
    """By their values, since there are several shortest texts of a float; a float may be a key, too."""

    def exact(text):
        return "float " + float(text).hex()

    def members(pairs):
        return ["{"] + [(exact(k) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?", k) else k, v) for k, v in pairs]

    def parse(text):
        return json.loads(text, object_pairs_hook=members, parse_float=exact)

    return parse(reply) != parse(expected)


def dates(client):
    """Dates arrive as they were meant, by either form."""
    v = [date(zone) for _ in range(rnd.randrange(1, 5))]
    status, _ = client.call("rich", "keep", json.dumps([[dates_as_json(x) for x in v]]).encode())
    got = listed(service.got[0][0])
    if status != 200 or not same(got, v):
        return v, got, "json"
    v = v + [dt.timezone.utc, dt.timezone(dt.timedelta(hours=1), "é")]
    status, _ = client.call("rich", "keep", aiozmq_packed([v]), "msgpack")
    got = listed(service.got[0][0])
    return None if status == 200 and same(got, v) else (v, got, "msgpack")


def amounts(client):
    """Values of listed codes arrive as they were, in each form."""
    d, u = decimal.Decimal(rnd.randrange(10 ** 9)) / 1000, uuid.UUID(bytes=rnd.randbytes(16))
    body = [{"$ext": [10, rnd.choice([{"text": str(d)}, b64(str(d).encode())])]}, {"$ext": [11, b64(u.bytes)]}]
    status, reply = client.call("rich", "keep", json.dumps([body]).encode())
    if status != 200 or listed(service.got[0][0]) != [d, u] or json.loads(reply) != [str(d), body[1]]:
        return d, u, reply
    packed = aiozmq_packed([[d, u]])
    status, reply = client.call("rich", "keep", packed, "msgpack", "msgpack")
    return None if status == 200 and listed(service.got[0][0]) == [d, u] and packed.endswith(reply) else (d, u, reply)


def refusals(client):
    """What the service must not get is refused, wherever it is; nothing arrives."""
    wrong = rnd.choice([
        lambda: (json.dumps({"$ext": [rnd.randrange(123, 128), b64(rnd.randbytes(5))]}), 422),
        lambda: (json.dumps({"$ext": [rnd.choice([0, 9, 12, -5]), ""]}), 422),
        lambda: (str(2 ** 64 + integer() ** 2), 422), lambda: (str(-2 ** 63 - 1), 422), lambda: ("1e400", 422),
        lambda: ('"\\ud800"', 400), lambda: ('{"a":1,"\\u0061":2}', 400), lambda: ("NaN", 400),
        lambda: ('{"$datetime":"tomorrow"}', 422), lambda: ('{"$bin":"?"}', 422),
    ])
    text, expected = wrong()
    service.got = None
    index = rnd.randrange(3)
    body = "[" + "0," * index + '{"a~/b":[' + text + "]}]"
    status, reply = client.call("rich", "keep", body.encode())
    pointer = json.loads(reply).get("pointer")
    wanted = f"/{index}/a~0~1b/0" if expected == 422 else pointer
    return None if (status, pointer, service.got) == (expected, wanted, None) else (body, status, reply.decode())


def main():
    ready = threading.Event()
    threading.Thread(target=serve, args=(ready,), daemon=True).start()
    ready.wait()
    print(ready.endpoint, flush=True)
    client = Client(int(sys.stdin.readline()))
    for prove in [json_arguments, packed_arguments, keyword_arguments, results, dates, amounts, refusals]:
        failed = []
        for _ in range(count):
            difference = prove(client)
            if difference is not None:
                failed.append(repr(difference)[:1000])
                if len(failed) == 3:
                    break
        print(json.dumps({"property": prove.__name__, "tried": count, "failed": failed}), flush=True)


main()
