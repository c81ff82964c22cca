#!/usr/bin/env python3
"""Measures the libraries ZeroMQ and ZeroMQRPC beside a bare C loop over libzmq and aiozmq, in turn, in one run.

    libraries.py [--rounds 5] [--seconds 1] [--only messages,round-trips,calls] [--python PYTHON] [--built] [--write]

Builds Benchmarks/Libraries first, unless --built is given. --write puts the tables into Benchmarks/RESULTS.md and a plot into Benchmarks/results.svg; without it
they are only printed. Needs libzmq3-dev, and for the peer a Python with Tests/requirements.txt (uvloop is used where it is installed).

Run it on a machine that does nothing else. The figure to trust is the processor time, and of that the ratio to C, which is the median of
the ratios of the rounds. A round measures each contender once, one after the other; every measurement begins after a tenth of the
messages. What is measured of messages is the side that receives them, libzmq's own threads included: the sender is the same C program
each time, in a process of its own; over inproc it is a thread of the same process, which is not counted. Of calls it is both sides."""

import argparse
import json
import math
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = HERE / "Libraries"
SIZES = {"10 B": 10, "1 KiB": 1 << 10, "64 KiB": 64 << 10}
TRANSPORTS = ["tcp", "ipc", "inproc"]
NAMES = {
    "messages": {"c": "C, one thread", "delegate": "`TransportDelegate`", "batches": "`batches`", "read": "`read`, one at a time", "aiozmq": "aiozmq streams"},
    "round-trips": {"c": "C, one thread", "delegate": "`TransportDelegate`", "stream": "`read` and `send`", "aiozmq": "aiozmq streams"},
    "calls": {"c": "C, DEALER and ROUTER", "reactor": "`CallEngine`, methods that do not wait", "async": "`RPCClient`, `async` methods", "aiozmq": "aiozmq.rpc"},
}
# Messages or calls that take about a second, for each contender: those of C by size, the others as parts of it.
MESSAGES = {"10 B": 3_000_000, "1 KiB": 1_200_000, "64 KiB": 60_000}
PART = {"c": 1, "delegate": 0.8, "batches": 0.7, "read": 0.15, "stream": 0.5, "aiozmq": 0.02, "reactor": 0.7, "async": 0.3}
ROUND_TRIPS, CALLS = 20_000, {1: 20_000, 64: 200_000}
# What the libraries are to reach: processor time as a multiple of bare C's.
AIMS = {("10 B over tcp", "delegate"): 1.15, ("10 B over tcp", "batches"): 1.4, ("10 B over tcp", "read"): 3,
        ("calls, 64 at a time", "reactor"): 1.4, ("calls, 64 at a time", "async"): 2.5}


class Bench:
    def __init__(self, options):
        self.options = options
        if not options.built:
            subprocess.run(["swift", "build", "-c", "release", "--package-path", PACKAGE], check=True, stdout=sys.stderr)
        self.program = PACKAGE / ".build/release/library-bench"

    def command(self, contender):
        if contender == "aiozmq":
            return [self.options.python, HERE / "peers/aiozmq_bench.py"]
        return [self.program]

    def start(self, contender, *words):
        return subprocess.Popen([*self.command(contender), *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def count(self, usual, contender, least=200):
        return max(least, int(usual * PART[contender] * self.options.seconds))

    def messages(self, contender, transport, size, directory):
        """Processor time and time of the wall for each message, in nanoseconds."""
        count = self.count(MESSAGES[size], contender)
        receiver = self.start(contender, "pull", contender, endpoint(transport, directory), SIZES[size], count)
        sender = None
        try:
            where = receiver.stdout.readline().strip()
            if transport != "inproc":
                sender = subprocess.Popen([self.program, "push", where, str(SIZES[size]), str(count)])
            return result(receiver)
        finally:
            end(receiver, sender)

    def round_trips(self, contender, transport, size, directory):
        count = self.count(ROUND_TRIPS, contender) if contender == "aiozmq" else int(ROUND_TRIPS * self.options.seconds)
        echo = self.start(contender, "echo", contender, endpoint(transport, directory), SIZES[size], count)
        ping = None
        try:
            where = echo.stdout.readline().strip()
            if transport == "inproc":
                return result(echo)
            ping = subprocess.Popen([self.program, "ping", where, str(SIZES[size]), str(count)], stdout=subprocess.PIPE, text=True)
            return result(ping)
        finally:
            end(echo, ping)

    def calls(self, contender, at_a_time):
        """Of both sides together."""
        count = self.count(CALLS[at_a_time], contender)
        service = self.start(contender, "serve", contender, "tcp://127.0.0.1:*")
        client = None
        try:
            where = service.stdout.readline().strip()
            client = self.start(contender, "call", contender, where, at_a_time, count, service.pid)
            return result(client)
        finally:
            end(client, service)


def endpoint(transport, directory):
    return {"tcp": "tcp://127.0.0.1:*", "ipc": f"ipc://{directory}/bench", "inproc": "inproc://bench"}[transport]


def result(process):
    patience = threading.Timer(120, process.kill)
    patience.start()
    line = process.stdout.readline()
    patience.cancel()
    if not line:
        raise RuntimeError(f"{process.args} ended without a result, or took two minutes")
    return json.loads(line)


def end(*processes):
    for process in processes:
        if process:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()


def measured(contenders, rounds, measure):
    """The results of the rounds, by contender."""
    rows = {contender: [] for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            rows[contender].append(measure(contender))
    return rows


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def ratios(rows, contender, key):
    """Of each round, from the least to the most."""
    return sorted(ours[key] / c[key] for ours, c in zip(rows[contender], rows["c"]))


def ratio(rows, contender, key):
    return statistics.median(ratios(rows, contender, key))


def short(number):
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def costs(names, rows, unit):
    text = f"| | processor time a {unit} | to C | {unit}s a second |\n|---|---|---|---|\n"
    for contender, runs in rows.items():
        text += f"| {names[contender]} | {short(median(runs, 'cpu_ns') / 1e3)} µs | {ratio(rows, contender, 'cpu_ns'):.2f} | {short(1e9 / median(runs, 'wall_ns'))} |\n"
    return text


def latencies(names, rows):
    text = "| | median | 99th percentile | median to C |\n|---|---|---|---|\n"
    for contender, runs in rows.items():
        text += f"| {names[contender]} | {short(median(runs, 'median_ns') / 1e3)} µs | {short(median(runs, 'p99_ns') / 1e3)} µs | {ratio(rows, contender, 'median_ns'):.2f} |\n"
    return text


def aims(figures):
    """What was wanted beside what is, of what was measured."""
    rounds, lines = dict(figures), []
    for (what, contender), most in AIMS.items():
        if what in rounds:
            all_of_them = rounds[what][contender]
            middle = statistics.median(all_of_them)
            lines.append(f"| {label(contender)}, {what} | {most:g} | {middle:.2f} | {all_of_them[0]:.2f} to {all_of_them[-1]:.2f} | {'yes' if middle <= most else '**no**'} |")
    if not lines:
        return ""
    return ("## What was wanted\n\nProcessor time as a multiple of bare C's. On two cores, which sender, receiver and libzmq's threads share, the ratios of two runs "
            "differ by up to a third: what counts is the median of the rounds.\n\n| | at most | measured | rounds | reached |\n|---|---|---|---|---|\n" + "\n".join(lines) + "\n\n")


def plot(figures):
    """Bars of the ratios to C, on a logarithmic scale, as SVG: a group a measurement, a bar a contender."""
    colours = {"c": "#777777", "delegate": "#1b7837", "reactor": "#1b7837", "batches": "#2166ac", "async": "#2166ac", "read": "#b2182b", "aiozmq": "#e08214"}
    left, width, height, step = 230, 460, 13, 1
    bars, y, most = [], 46, max(statistics.median(rounds) for _, contenders in figures for rounds in contenders.values())
    scale = width / math.log10(max(most, 10) * 1.5)
    for title, contenders in figures:
        bars.append(f'<text x="10" y="{y + 11}" font-weight="bold">{title}</text>')
        y += 18
        for contender, rounds in contenders.items():
            value = statistics.median(rounds)
            length = max(1, scale * math.log10(max(value, 1.02)))
            bars.append(f'<text x="{left - 8}" y="{y + 10}" text-anchor="end">{label(contender)}</text>'
                        f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{height - step}" fill="{colours[contender]}"/>'
                        f'<text x="{left + length + 6:.1f}" y="{y + 10}">{value:.2f}</text>')
            y += height + 2
        y += 10
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 70}" height="{y}" font-family="sans-serif" font-size="11">'
            f'<rect width="100%" height="100%" fill="white"/><text x="10" y="22" font-size="14">Processor time, as a multiple of bare C (logarithmic)</text>'
            + "".join(bars) + "</svg>\n")


def label(contender):
    return {"c": "C", "delegate": "TransportDelegate", "batches": "batches", "read": "read", "aiozmq": "aiozmq", "reactor": "CallEngine, inline methods", "async": "RPCClient, async methods"}[contender]


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    cores = sum(line.startswith("processor") for line in open("/proc/cpuinfo"))
    swift = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout.split("Swift version ")[1].split()[0]
    return f"{model}, {cores} cores; Linux {platform.release()}; Swift {swift}"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=float, default=1, help="about how long one measurement takes")
    p.add_argument("--only", default="messages,round-trips,calls")
    p.add_argument("--transports", default=",".join(TRANSPORTS))
    p.add_argument("--sizes", default="10,1024,65536")
    p.add_argument("--python", default=str(HERE.parent / ".venv/bin/python"))
    p.add_argument("--built", action="store_true", help="measure what was built before")
    p.add_argument("--write", action="store_true")
    o = p.parse_args()
    peer = pathlib.Path(o.python).exists() and subprocess.run([o.python, "-c", "import aiozmq, msgpack"], capture_output=True).returncode == 0
    loop = "uvloop" if peer and subprocess.run([o.python, "-c", "import uvloop"], capture_output=True).returncode == 0 else "asyncio's own loop"
    if not peer:
        print(f"skipped: {o.python} has no aiozmq", file=sys.stderr)
    bench, text, figures = Bench(o), "", []

    def rounds(figure):
        """How often it is measured: what was wanted more often, for it is judged by the median."""
        return 3 * o.rounds if any(figure == wanted for wanted, _ in AIMS) else o.rounds

    def contenders(what):
        return [name for name in NAMES[what] if peer or name != "aiozmq"]

    with tempfile.TemporaryDirectory(prefix="zb") as directory:
        sizes = [name for name, size in SIZES.items() if str(size) in o.sizes.split(",")]
        for what, measure, table in [("messages", bench.messages, lambda rows: costs(NAMES["messages"], rows, "message")),
                                     ("round-trips", bench.round_trips, lambda rows: latencies(NAMES["round-trips"], rows))]:
            if what not in o.only.split(","):
                continue
            text += {"messages": "## Messages received\n\nA PUSH of C sends as fast as it can; what is measured is a PULL.\n\n",
                     "round-trips": "## Round trips\n\nA DEALER of C sends a message and waits for it; what differs is the ROUTER that sends it back.\n\n"}[what]
            for transport in o.transports.split(","):
                for size in sizes:
                    times = rounds(f"{size} over {transport}") if what == "messages" else o.rounds
                    rows = measured(contenders(what), times, lambda contender: measure(contender, transport, size, directory))
                    text += f"### {size} over {transport}\n\n{table(rows)}\n"
                    print(f"{what}, {size} over {transport}", file=sys.stderr)
                    if what == "messages":
                        figures.append((f"{size} over {transport}", {c: ratios(rows, c, "cpu_ns") for c in rows}))
        if "calls" in o.only.split(","):
            text += "## Calls\n\n`add(1, 2)` over tcp, client and service in a process each; the processor time is that of both.\n\n"
            for at_a_time in CALLS:
                rows = measured(contenders("calls"), rounds(f"calls, {at_a_time} at a time"), lambda contender: bench.calls(contender, at_a_time))
                text += f"### {at_a_time} at a time\n\n{costs(NAMES['calls'], rows, 'call')}\n"
                print(f"calls, {at_a_time} at a time", file=sys.stderr)
                figures.append((f"calls, {at_a_time} at a time", {c: ratios(rows, c, "cpu_ns") for c in rows}))

    head = f"""# What the libraries cost

Measured by `python3 Benchmarks/libraries.py --write`, which [Benchmarks](README.md) explains: the medians of {o.rounds} rounds, and of {3 * o.rounds}
for what was wanted, in which the contenders took turns, about {o.seconds:g} s each; "to C" is the median of the ratios of the rounds. {machine()}; aiozmq with {loop}.
Over inproc aiozmq shares its interpreter with the sender.

![Processor time, as a multiple of bare C](results.svg)

"""
    if o.write:
        (HERE / "RESULTS.md").write_text((head + aims(figures) + text).rstrip() + "\n")
        (HERE / "results.svg").write_text(plot(figures))
    else:
        print(aims(figures) + text)


if __name__ == "__main__":
    main()
