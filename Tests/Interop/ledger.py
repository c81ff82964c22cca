"""Keeps a ledger of every number that a thousand streams get, while they drop and resume at random.

Publishes numbers, spread over topics, and follows them with raw sockets. Each stream must get each number of its topic exactly once,
or be told of it by a `gap`. Prints `{"endpoint":...}` when it publishes, `{"restart":true}` when it is time to start the gateway
anew on the same port (its port is the only line of the input), and at the end what has become of all.
"""
import argparse
import json
import random
import re
import select
import socket
import sys
import threading
import time

import msgpack
import zmq

TOPICS = 10
NUMBER = re.compile(rb'"args":\[(\d+)\]')
MISSED = re.compile(rb'"reason":"([a-z-]+)","missed":(null|\d+)')

options = argparse.ArgumentParser()
options.add_argument("--clients", type=int, default=1_000)
options.add_argument("--rate", type=int, default=500)
options.add_argument("--seconds", type=float, default=10)
options.add_argument("--seed", type=int, default=1)
options.add_argument("endpoint")
options = options.parse_args()
chance = random.Random(options.seed)

published = 0
is_publishing = True


def publish():
    global published
    socket = zmq.Context.instance().socket(zmq.PUB)
    socket.set(zmq.SNDHWM, 0)
    socket.set(zmq.LINGER, 0)
    socket.bind(options.endpoint)
    start = time.monotonic()
    while is_publishing:
        while published < (time.monotonic() - start) * options.rate:
            arguments = msgpack.packb([published])
            socket.send_multipart([b"t%d" % (published % TOPICS), b"m", arguments, b"\x80"])
            published += 1
        time.sleep(0.002)
    time.sleep(30)


class Ledger:
    """What all streams have in common."""

    violations = []
    events = resumed = 0
    gaps = {}
    # By epoch, the number of an event less what was published with it.
    offsets = {}

    def complain(self, text):
        if len(self.violations) < 10:
            self.violations.append(text)


ledger = Ledger()


class Client:
    def __init__(self, index):
        # Every fiftieth follows all topics.
        self.topic = None if index % 50 == 0 else index % TOPICS
        self.is_chunked = index % 2 == 0
        self.socket = None
        self.id = None  # The last one seen, as the browser would keep it.
        self.epoch, self.position = None, 0
        self.wakes = 0

    def connect(self):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", port))
        self.fresh, self.owes_gap = True, False
        self.raw, self.text, self.in_chunk = b"", b"", None
        target = "/sub/s" + ("" if self.topic is None else f"?topic=t{self.topic}")
        head = "Host: localhost\r\n"
        if self.id:
            ledger.resumed += 1
            if chance.random() < 0.5:
                head += f"Last-Event-ID: {self.id}\r\n"
            else:
                target += ("&" if "?" in target else "?") + f"_last_event_id={self.id}"
        self.request = f"GET {target} HTTP/1.{int(self.is_chunked)}\r\n{head}\r\n".encode()
        self.wakes = time.monotonic() + chance.expovariate(0.5) if not is_ending else 1e18

    def close(self):
        self.socket.close()
        self.socket = None
        # Some stay away for longer than the history goes back.
        away = 3 if chance.random() < 0.05 else chance.random()
        self.wakes = time.monotonic() + (0.1 if is_ending else away)

    def received(self, data):
        if self.fresh:
            self.raw += data
            if b"\r\n\r\n" not in self.raw:
                return
            head, data = self.raw.split(b"\r\n\r\n", 1)
            if b" 200 " not in head:
                # The gateway is stopping.
                if b" 503 " not in head:
                    ledger.complain(f"refused: {head[:100]}")
                return self.close()
            self.fresh, self.raw, self.is_chunked_now = False, b"", b"chunked" in head
        self.text += self.dechunk(data) if self.is_chunked_now else data
        *blocks, self.text = self.text.split(b"\n\n")
        for block in blocks:
            self.block(block)

    def dechunk(self, data):
        self.raw += data
        parts = []
        while True:
            end = self.raw.find(b"\r\n")
            if end < 0:
                break
            size = int(self.raw[:end], 16)
            if len(self.raw) < end + 2 + size + 2:
                break
            parts.append(self.raw[end + 2:end + 2 + size])
            self.raw = self.raw[end + size + 4:]
        return b"".join(parts)

    def block(self, block):
        if not block.startswith(b"id: "):
            if b"\nid: " not in block:
                return
            # The opening, or a heartbeat: all up to that event was not for this stream.
            self.reach(re.search(rb"\nid: (.*)", block)[1])
            return
        line, rest = block.split(b"\n", 1)
        if rest.startswith(b"data: "):
            ledger.events += 1
            self.reach(line[4:], int(NUMBER.search(rest)[1]))
        elif rest.startswith(b"event: bye"):
            self.reach(line[4:])
        else:
            self.told(line[4:], rest)

    def split(self, id):
        epoch, number = id.decode().split("-")
        return epoch, int(number)

    def mine(self, first, end):
        """The first of my numbers from `first` on and before `end`."""
        if self.topic is not None:
            first += (self.topic - first) % TOPICS
        return first if first < end else None

    def reach(self, id, number=None):
        """The stream has come to that event; it was `number`, or not for this stream."""
        epoch, sequence = self.split(id)
        if number is not None:
            offset = ledger.offsets.setdefault(epoch, sequence - number)
            if offset != sequence - number:
                ledger.complain(f"{number} has the id {id.decode()} and another one elsewhere")
            if self.mine(number, number + 1) is None:
                ledger.complain(f"{number} is not of topic {self.topic}")
        if self.epoch is None:
            self.epoch, self.position = epoch, sequence if number is None else sequence - 1
        if epoch != self.epoch:
            return ledger.complain(f"from {self.id} to {id.decode()} without a gap")
        if sequence < self.position or number is not None and sequence == self.position:
            return ledger.complain(f"{id.decode()} comes after {self.position}")
        if (offset := ledger.offsets.get(epoch)) is not None:
            # The first number of an epoch is that the publisher came.
            lost = self.mine(max(self.position + 1, 2) - offset, sequence + (number is None) - offset)
            if lost is not None:
                ledger.complain(f"{lost} was lost between {self.position} and {id.decode()}, topic {self.topic}")
        self.position, self.id = sequence, id.decode()

    def told(self, id, rest):
        epoch, sequence = self.split(id)
        reason, missed = MISSED.search(rest).groups() if rest.startswith(b"event: gap") else (rest, b"-1")
        ledger.gaps[reason.decode()] = ledger.gaps.get(reason.decode(), 0) + 1
        if rest.startswith(b"event: lagged"):
            # On a busy machine these clients may be slow. What the stream had looked at before, and was not for it, does not count.
            seen = sequence - int(re.search(rb'"missed":(\d+)', rest)[1])
            offset = ledger.offsets.get(epoch, 0)
            if epoch != self.epoch or not self.position <= seen < sequence or self.mine(
                    self.position + 1 - offset, seen + 1 - offset) is not None:
                ledger.complain(f"from {self.id} to {id.decode()}: {rest}")
        elif reason == b"evicted":
            if epoch != self.epoch or int(missed) != sequence - self.position or int(missed) <= 0:
                ledger.complain(f"from {self.id} to {id.decode()}: {rest}")
        elif reason == b"restart":
            if epoch == self.epoch or missed != b"null":
                ledger.complain(f"from {self.id} to {id.decode()}: {rest}")
        else:
            ledger.complain(f"from {self.id} to {id.decode()}: {rest}")
        self.epoch, self.position, self.id = epoch, sequence, id.decode()

    def is_complete(self):
        offset = ledger.offsets.get(self.epoch)
        if offset is None or self.socket is None or self.epoch != newest_epoch():
            return False
        return self.mine(self.position + 1 - offset, published) is None


def newest_epoch():
    return list(ledger.offsets)[-1] if ledger.offsets else None


threading.Thread(target=publish, daemon=True).start()
print(json.dumps({"endpoint": options.endpoint}), flush=True)
port = int(sys.stdin.readline())
clients = [Client(index) for index in range(options.clients)]
by_descriptor = {}
poll = select.epoll()
start = time.monotonic()
is_ending = is_restarting = False
end = start + options.seconds + 60


def forget(client):
    poll.unregister(client.socket)
    del by_descriptor[client.socket.fileno()]
    client.close()


while True:
    now = time.monotonic()
    if not is_restarting and now > start + options.seconds / 2:
        is_restarting = True
        print(json.dumps({"restart": True}), flush=True)
    if len(ledger.offsets) > 1:
        # The second gateway has as much time as the first had, however long it took to start.
        end = min(end, now + options.seconds / 2)
    if not is_ending and now > end:
        is_ending, is_publishing, end = True, False, now
        for client in clients:
            client.wakes = min(client.wakes, now + 0.2) if client.socket is None else 1e18
    if is_ending and (all(client.is_complete() for client in clients) or now > end + 15):
        break
    for client in clients:
        if client.wakes > now:
            continue
        if client.socket:
            forget(client)
        else:
            client.connect()
            by_descriptor[client.socket.fileno()] = client
            poll.register(client.socket, select.EPOLLIN | select.EPOLLOUT)
    for descriptor, events in poll.poll(0.005):
        client = by_descriptor.get(descriptor)
        if client is None:
            continue
        try:
            if events & select.EPOLLOUT and client.request:
                client.socket.send(client.request)
                client.request = b""
                poll.modify(client.socket, select.EPOLLIN)
            if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                data = client.socket.recv(1 << 18)
                if not data:
                    forget(client)
                    continue
                client.received(data)
                if client.socket is None:
                    del by_descriptor[descriptor]
        except OSError:
            forget(client)

print(json.dumps({
    "violations": ledger.violations,
    "incomplete": sum(not client.is_complete() for client in clients),
    "published": published,
    "events": ledger.events,
    "resumed": ledger.resumed,
    "evicted": ledger.gaps.get("evicted", 0),
    "restart": ledger.gaps.get("restart", 0),
    "epochs": len(ledger.offsets),
}), flush=True)
