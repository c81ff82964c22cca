"""A plain pyzmq peer with a security mechanism: a client, or a server with pyzmq's own authenticator.

Reads one JSON object from its arguments, prints one JSON object a line, and ends with its input.

  client: {"kind": "DEALER", "connect": endpoint, "curve": [public, secret, server]} or {"plain": [user, password]}
          sends "hello" once its handshake is done, then prints each message it gets: {"message": [...]}
          and each event of its monitor but those of the connection itself: {"event": name, "value": number}
  server: {"bind": true, "curve": [public, secret], "domain": d, "keys": [public...]} or {"plain": {user: password}}
          prints {"endpoint": e}, answers every message with itself and the peer's User-Id: {"user": ...}
"""

import json
import sys
import threading

import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils.monitor import recv_monitor_message


def say(**what):
    print(json.dumps(what), flush=True)


def watch(socket):
    monitor = socket.get_monitor_socket()

    def run():
        while True:
            event = recv_monitor_message(monitor)
            name = zmq.Event(event["event"]).name
            if name == "MONITOR_STOPPED":
                return
            if name.startswith("HANDSHAKE"):
                say(event=name, value=int(event["value"]))

    threading.Thread(target=run, daemon=True).start()


def client(context, options):
    socket = context.socket(getattr(zmq, options.get("kind", "DEALER")))
    socket.linger = 0
    if "curve" in options:
        public, secret, server = (key.encode() for key in options["curve"])
        socket.curve_publickey, socket.curve_secretkey, socket.curve_serverkey = public, secret, server
    if "plain" in options:
        user, password = options["plain"]
        socket.plain_username, socket.plain_password = user.encode(), password.encode()
    watch(socket)
    socket.setsockopt(zmq.IMMEDIATE, 1)
    socket.connect(options["connect"])
    socket.send(b"hello")
    while True:
        say(message=[frame.decode() for frame in socket.recv_multipart()])


def server(context, options):
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    socket = context.socket(zmq.ROUTER)
    socket.linger = 0
    domain = options["domain"]
    socket.zap_domain = domain.encode()
    if "curve" in options:
        public, secret = (key.encode() for key in options["curve"])
        socket.curve_server = True
        socket.curve_publickey, socket.curve_secretkey = public, secret
        keys = set(options["keys"])

        class Keys:
            def callback(self, domain, key):
                return key.decode() in keys

        authenticator.configure_curve_callback(domain=domain, credentials_provider=Keys())
    else:
        socket.plain_server = True
        authenticator.configure_plain(domain=domain, passwords=options["plain"])
    watch(socket)
    socket.bind("tcp://127.0.0.1:*")
    say(endpoint=socket.last_endpoint.decode())
    while True:
        frames = socket.recv_multipart(copy=False)
        user = frames[-1].get("User-Id")
        say(user=user)
        socket.send_multipart([frame.bytes for frame in frames] + [user.encode()])


def main():
    options = json.loads(sys.argv[1])
    context = zmq.Context()
    run = server if options.get("bind") else client
    threading.Thread(target=run, args=(context, options), daemon=True).start()
    sys.stdin.read()


main()
