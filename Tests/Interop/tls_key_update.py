"""Has `openssl s_client` ask for new keys, then send a request, each when it has got to that, and prints all that it says.

    tls_key_update.py PORT
"""

import subprocess
import sys

client = subprocess.Popen(
    ["openssl", "s_client", "-connect", f"127.0.0.1:{sys.argv[1]}", "-tls1_3", "-crlf"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
said = b""


def until(text):
    global said
    while text not in said:
        piece = client.stdout.read1(65536)
        if not piece:
            sys.exit(f"no {text} in {said}")
        said += piece


def type_in(line):
    client.stdin.write(line)
    client.stdin.flush()


until(b"Verify return code")
until(b"---\n")
# A command is the first letter of what is read at once.
type_in(b"K\n")
until(b"KEYUPDATE")
type_in(b"GET /x HTTP/1.1\nHost: a\nConnection: close\n\n")
until(b"/x 0")
client.kill()
client.wait()
print(said.decode(errors="replace"))
