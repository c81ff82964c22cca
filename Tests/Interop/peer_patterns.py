"""A plain pyzmq socket that its input drives: one JSON command a line, one JSON answer a line. Bytes travel as Latin-1.

Its argument is {"kind": "PULL", "connect": endpoint} or {"kind": "PULL"}, which binds. It prints {"endpoint": e} first. Then

  {"send": [...]}       sends a message, prints {"sent": true}
  {"repeat": [...]}     sends a message a hundred times a second from now on, prints {"sent": true}
  {"receive": true}     waits for a message, prints {"message": [...]}
  {"echo": true}        as receive, and sends it back
  {"subscribe": "..."}  subscribes, prints {"sent": true}

The kind "TCP" is no socket of ZeroMQ's but a plain TCP connection: what it receives is a message of one frame, with the bytes that have
come, and none at the end of the connection.
"""

import json
import socket
import sys
import threading
import time

import zmq


class Plain:
    """A TCP connection that is used as a socket of ZeroMQ's."""

    def __init__(self, endpoint):
        host, port = endpoint.removeprefix("tcp://").split(":") if endpoint else ("127.0.0.1", 0)
        if endpoint:
            self.connection = socket.create_connection((host, int(port)))
            self.last_endpoint = endpoint
        else:
            self.listener = socket.create_server((host, port))
            self.connection = None
            self.last_endpoint = f"tcp://{host}:{self.listener.getsockname()[1]}"

    def connected(self):
        if self.connection is None:
            self.connection, _ = self.listener.accept()
        return self.connection

    def send_multipart(self, message):
        self.connected().sendall(b"".join(message))

    def recv_multipart(self):
        return [self.connected().recv(65536)]


def opened(kind, endpoint):
    """The socket, and its endpoint."""
    if kind == "TCP":
        plain = Plain(endpoint)
        return plain, plain.last_endpoint
    peer = zmq.Context.instance().socket(getattr(zmq, kind))
    peer.linger = 1000
    if endpoint:
        peer.connect(endpoint)
        return peer, endpoint
    peer.bind("tcp://127.0.0.1:*")
    return peer, peer.last_endpoint.decode()


def say(**what):
    print(json.dumps(what), flush=True)


def frames(texts):
    return [text.encode("latin-1") for text in texts]


def repeat(peer, message):
    while True:
        peer.send_multipart(message)
        time.sleep(0.01)


def main():
    options = json.loads(sys.argv[1])
    peer, endpoint = opened(options["kind"], options.get("connect"))
    say(endpoint=endpoint)
    for line in sys.stdin:
        command = json.loads(line)
        if "send" in command:
            peer.send_multipart(frames(command["send"]))
            say(sent=True)
        elif "repeat" in command:
            threading.Thread(target=repeat, args=(peer, frames(command["repeat"])), daemon=True).start()
            say(sent=True)
        elif "subscribe" in command:
            peer.subscribe(command["subscribe"])
            say(sent=True)
        else:
            message = peer.recv_multipart()
            if "echo" in command:
                peer.send_multipart(message)
            say(message=[frame.decode("latin-1") for frame in message])


main()
