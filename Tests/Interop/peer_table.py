#!/usr/bin/env python3
"""Print the calls that two services must answer alike, a JSON object on each line, for peer_calls.py.

With --packed, "args" and "kwargs" are the hexadecimal digits of what travels.
"""
import builtins
import json
import sys

from aiozmq.rpc.packer import _Packer

from peer_json import TRANSLATION_TABLE, from_json

VALUES = [
    None, True, False, 0, 1, -1, 31, 127, 128, 255, 256, 65535, 65536, 2 ** 31, 2 ** 32, 2 ** 53, -32, -33, -128, -129,
    -32768, -32769, -2 ** 31, -2 ** 31 - 1, {"$int": str(2 ** 63 - 1)}, {"$int": str(2 ** 64 - 1)}, {"$int": str(-2 ** 63)},
    0.0, {"$float": "-0.0"}, 1.0, 1.5, -2.25, 1e308, 5e-324, {"$float": "nan"}, {"$float": "inf"}, {"$float": "-inf"},
    "", "hello", "h\u00e9llo \u4e16\u754c \U0001f600", "a" * 31, "a" * 32, "a" * 255, "a" * 256, "a" * 65536, "nul\0byte",
    "it's \"quoted\"", {"$bytes": ""}, {"$bytes": "00ff"}, {"$bytes": "01" * 256}, {"$bytes": "02" * 65536},
    [], [1, 2, 3], [[]], [[[1], 2], [3]], list(range(15)), list(range(16)), {}, {"a": 1}, {"a": {"b": [None, {"c": []}]}},
    {"$map": [[{"$bytes": "6b"}, 1]]}, {"k%02d" % i: i for i in range(16)}, {"$ext": {"code": 5, "hex": "aa"}},
    {"$ext": {"code": 100, "hex": "00" * 20}}, {"$timestamp": [5, 1]}, {"$timestamp": [-5, 999999999]},
    {"$date": "2014-03-25"}, {"$time": "15:51:00"}, {"$datetime": "2024-02-29T12:34:56.789012"},
    {"$datetime": "2014-03-25T16:12:00+05:30"}, {"$datetime": "2024-10-27T02:30:00+01:00", "fold": 1, "zone": "Europe/Paris"},
    {"$timedelta": [1, 7384, 5]}, {"$timedelta": [-1, 86399, 999999]}, {"$tz": {"zone": "Europe/Paris"}}, {"$point": [1, 2]},
]

# The text of these comes from Python's inspect module; both sides run the words of 3.11.
BINDING = [
    ("add", [], {}), ("add", [1, 2, 3], {}), ("add", [1], {"a": 1}), ("add", [1], {"zz": 1}), ("add", [], {"zz": 1}),
    ("add", [], {"b": 1}), ("keyword_only", [1], {}), ("keyword_only", [1, 2], {}), ("keyword_only", [], {"b": 2}),
    ("ping", [1], {}), ("ping", [], {"a": 1}), ("math.total", [1], {"stop": 2}), ("echo_call", [1, 2], {"x": 3}),
    ("echo_call", [], {}), ("add", [1], {"it's": 2}),
]

CALLS = [
    ("ping", [], {}), ("none", [], {}), ("_private", [], {}), ("add", [1], {}), ("add", [1, 2], {}), ("add", [], {"a": 1, "b": 5}),
    ("add", ["a", "b"], {}), ("add", [1, 0.5], {}), ("add", [1, None], {}), ("keyword_only", [1], {"b": 2}),
    ("math.add", [2, 3], {}), ("math.sub", [2, 3], {}), ("math.mul", [2, 3], {}), ("math.div", [7, 2], {}),
    ("math.div", [1, 0], {}), ("math.divmod", [-7, 2], {}), ("math.total", [1, 2, 3], {}), ("math.total", [1], {"start": 10}),
    ("math.deep.where", [], {}), ("math.deep.deeper.where", [], {}), ("math.deep.deeper.deeper.deeper.where", [], {}),
    ("table.a", [], {}), ("table.subnamespace.b", [], {}), ("dyn.func", [], {}), ("dyn.a.b.func", [], {}),
    ("nope", [], {}), ("nope.func", [], {}), ("add.x", [], {}), ("math", [], {}), ("unmarked", [], {}), ("add.", [1], {}),
    ("math..add", [1, 2], {}), (".ping", [], {}), ("__class__", [], {}), ("table.c", [], {}), ("\u0441\u0435\u0440\u0432\u0438\u0441.\u043c", [], {}),
    ("validated.add", ["1", 2], {}), ("validated.add", ["x", 2], {}), ("validated.default", [], {}), ("validated.default", ["7"], {}),
    ("validated.optional", [None], {}), ("validated.optional", [5], {}), ("validated.optional", ["x"], {}),
    ("ints", [], {}), ("floats", [], {}), ("strings", [], {}), ("slow", [0.01], {}), ("slow", [0, "x"], {}), ("block", [0.01], {}),
    ("large", [0], {}), ("large", [1000], {}), ("large", [1 << 20], {}), ("large_list", [10000], {}), ("size", ["h\u00e9"], {}),
    ("size", [{"$bytes": "00" * (1 << 20)}], {}), ("size", [5], {}), ("deep", [1], {}), ("deep", [64], {}), ("deep", [400], {}),
    ("reverse", [{"$bytes": "010203"}], {}), ("point.make", [1, 2], {}), ("point.swap", [{"$point": [1, 2]}], {}),
    ("point.total", [{"$point": [1, 2]}, {"$point": [3, 4]}], {}), ("point.total", [], {}),
    ("custom_error", [], {}), ("custom_error", ["a", 1, None], {}), ("untranslated_error", [], {}),
    ("untranslated_error", ["it's", {"$bytes": "00ff"}, [1], 1.5, None, True, {"k": 1}], {}), ("untranslated_error", ["one"], {}),
    ("raise_builtin", ["StopIteration"], {}), ("typed.add", ["a", "b"], {}), ("unpackable_result", [], {}),
    ("unpackable_result", ["big"], {}), ("unpackable_result", [], {"kind": "negative_big"}), ("unpackable_result", ["object"], {}),
    ("describe", [None], {}), ("describe", [True], {}), ("describe", [5], {}), ("describe", ["it's"], {}), ("describe", [[1]], {}),
    ("describe", [{"$bytes": "00ff27"}], {}), ("describe", [{"a": [1, 1.5]}], {}),
    ("unpackable_result", ["complex"], {}), ("unpackable_result", ["nothing"], {}),
]

DATES = {
    "date": {"$date": "2014-03-25"}, "time": {"$time": "15:51:00"}, "time_us": {"$time": "23:59:59.999999"},
    "time_utc": {"$time": "15:51:00+00:00"}, "time_fold": {"$time": "01:30:00", "fold": 1},
    "datetime": {"$datetime": "2024-02-29T12:34:56.789012"}, "datetime_utc": {"$datetime": "2014-03-25T16:12:00+00:00"},
    "datetime_offset": {"$datetime": "2014-03-25T16:12:00+05:30"},
    "datetime_zone": {"$datetime": "2024-07-01T09:00:00+02:00", "zone": "Europe/Paris"},
    "datetime_fold": {"$datetime": "2024-10-27T02:30:00+01:00", "fold": 1, "zone": "Europe/Paris"},
    "timedelta": {"$timedelta": [1, 7384, 5]}, "timedelta_negative": {"$timedelta": [-1, 86399, 999999]},
    "tz_utc": {"$tz": {"offset": 0}}, "tz_offset": {"$tz": {"offset": 19800}}, "tz_zone": {"$tz": {"zone": "Europe/Paris"}},
}
WHENS = ["date", "datetime", "datetime_utc", "datetime_offset", "datetime_zone", "datetime_fold"]
DELTAS = [[0, 0, 0], [1, 7384, 5], [-1, 86399, 999999], [300, 0, 0], [-40000, 1, 1], [999999999, 0, 0]]


def dates():
    for name, value in DATES.items():
        yield "dates.sample", [name], {}
        yield "dates.equal", [name, value], {}
    yield "dates.equal", ["date", DATES["datetime"]], {}
    yield "dates.equal", ["time_fold", {"$time": "01:30:00"}], {}
    yield "dates.equal", ["timedelta", DATES["timedelta_negative"]], {}
    yield "dates.sample", ["nothing"], {}
    yield "dates.samples", [], {}
    for name in ["date", "time", "time_us", "time_utc", "datetime", "datetime_utc", "datetime_offset"]:
        yield "dates.iso", [DATES[name]], {}
    for name in WHENS:
        for delta in DELTAS:
            yield "dates.add", [DATES[name], {"$timedelta": delta}], {}


def nested(depth):
    value = "bottom"
    for _ in range(depth):
        value = [value]
    return value


def exceptions():
    unicode_args = {
        "UnicodeDecodeError": ["utf-8", {"$bytes": "ff"}, 0, 1, "bad"], "UnicodeEncodeError": ["utf-8", "x", 0, 1, "bad"],
        "UnicodeTranslateError": ["x", 0, 1, "bad"],
    }
    for name in sorted(dir(builtins)):
        cls = getattr(builtins, name)
        # A group holds exceptions, which cannot be packed; a name that is another's alias travels as that.
        if not isinstance(cls, type) or not issubclass(cls, Exception) or cls.__name__ != name:
            continue
        if name in ("ExceptionGroup", "StopIteration", "StopAsyncIteration"):
            continue
        yield "raise_builtin", [name] + unicode_args.get(name, ["text"] if issubclass(cls, (OSError, SyntaxError)) else ["text", 5]), {}
        yield "exc." + name, unicode_args.get(name, []), {}


def main():
    calls = [("echo", [value], {}) for value in VALUES] + BINDING + CALLS + list(exceptions()) + list(dates())
    calls += [("depth", [nested(depth)], {}) for depth in (0, 1, 100, 498)]
    if "--packed" not in sys.argv:
        calls += [("large", [16 << 20], {}), ("size", [{"$zeros": 16 << 20}], {}), ("echo", [{"$zeros": 16 << 20}], {})]
    packer = _Packer(translation_table=TRANSLATION_TABLE)
    for method, args, kwargs in calls:
        if "--packed" in sys.argv:
            args, kwargs = (packer.packb(from_json(value)).hex() for value in (args, kwargs))
        print(json.dumps({"method": method, "args": args, "kwargs": kwargs}))


main()
