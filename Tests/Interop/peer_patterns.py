"""A plain pyzmq socket that its input drives: one JSON command a line, one JSON answer a line. Bytes travel as Latin-1.

Its argument is {"kind": "PULL", "connect": endpoint} or {"kind": "PULL"}, which binds. It prints {"endpoint": e} first. Then

  {"send": [...]}       sends a message, prints {"sent": true}
  {"repeat": [...]}     sends a message a hundred times a second from now on, prints {"sent": true}
  {"receive": true}     waits for a message, prints {"message": [...]}
  {"echo": true}        as receive, and sends it back
  {"subscribe": "..."}  subscribes, prints {"sent": true}
"""

import json
import sys
import threading
import time

import zmq


def say(**what):
    print(json.dumps(what), flush=True)


def frames(texts):
    return [text.encode("latin-1") for text in texts]


def repeat(socket, message):
    while True:
        socket.send_multipart(message)
        time.sleep(0.01)


def main():
    options = json.loads(sys.argv[1])
    socket = zmq.Context.instance().socket(getattr(zmq, options["kind"]))
    socket.linger = 1000
    if "connect" in options:
        socket.connect(options["connect"])
        say(endpoint=options["connect"])
    else:
        socket.bind("tcp://127.0.0.1:*")
        say(endpoint=socket.last_endpoint.decode())
    for line in sys.stdin:
        command = json.loads(line)
        if "send" in command:
            socket.send_multipart(frames(command["send"]))
            say(sent=True)
        elif "repeat" in command:
            threading.Thread(target=repeat, args=(socket, frames(command["repeat"])), daemon=True).start()
            say(sent=True)
        elif "subscribe" in command:
            socket.subscribe(command["subscribe"])
            say(sent=True)
        else:
            message = socket.recv_multipart()
            if "echo" in command:
                socket.send_multipart(message)
            say(message=[frame.decode("latin-1") for frame in message])


main()
