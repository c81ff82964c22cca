"""Plain pyzmq peers on both sides of a queue (ROUTER, DEALER) and of a forwarder (XSUB, XPUB), whose four endpoints are the arguments.

Prints how many requests had their own reply, how many events came that were subscribed to, and the length of a subscription that libzmq
4.3.4 cannot pass on, which was made before the others.
"""

import json
import os
import sys
import threading

import zmq

LONGEST = 250


def serve(context, endpoint):
    socket = context.socket(zmq.REP)
    socket.connect(endpoint)
    while True:
        socket.send_multipart([b"reply"] + socket.recv_multipart())


def ask(context, endpoint, name, counts):
    socket = context.socket(zmq.REQ)
    socket.linger = 0
    socket.connect(endpoint)
    for number in range(100):
        request = [name.encode(), str(number).encode(), b"x" * (number * 37)]
        socket.send_multipart(request)
        counts.append(socket.recv_multipart() == [b"reply"] + request)


def queue(context, front, back):
    threading.Thread(target=serve, args=(context, back), daemon=True).start()
    counts = []
    clients = [threading.Thread(target=ask, args=(context, front, name, counts)) for name in "abc"]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return sum(counts)


def forwarder(context, front, back):
    subscriber = context.socket(zmq.SUB)
    # libzmq sends them in their order.
    subscriber.subscribe(b"l" * LONGEST)
    subscriber.subscribe(b"z")
    subscriber.connect(back)
    publisher = context.socket(zmq.XPUB)
    publisher.connect(front)
    assert publisher.recv() == b"\x01z"
    for number in range(100):
        publisher.send_multipart([b"b", b"not this"])
        publisher.send_multipart([b"z", str(number).encode()])
    return sum(subscriber.recv_multipart() == [b"z", str(number).encode()] for number in range(100))


def main():
    context = zmq.Context()
    requests = queue(context, *sys.argv[1:3])
    events = forwarder(context, *sys.argv[3:5])
    print(json.dumps({"requests": requests, "events": events, "longest": LONGEST}), flush=True)


main()
# The thread that serves never ends by itself.
os._exit(0)
