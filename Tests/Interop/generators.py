"""Makes clients of the demonstration's document with openapi-generator, in Python, TypeScript and Go, and calls it with the one in Python.

usage: generators.py PROGRAM
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

program = sys.argv[1]
generator = pathlib.Path(sys.executable).parent / "openapi-generator-cli"
if not shutil.which("java"):
    sys.exit("there is no java on the PATH, which openapi-generator needs: apt-get install default-jre-headless")


def generate(document, name, directory):
    made = subprocess.run(
        [generator, "generate", "-i", document, "-g", name, "-o", directory], capture_output=True, text=True)
    files = [file for file in directory.rglob("*") if file.is_file()]
    if made.returncode != 0 or len(files) < 20:
        sys.exit(f"{name}: {made.stdout}{made.stderr}")
    print(f"{name}: {len(files)} files")


demo = subprocess.Popen(
    [program, "demo", "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
try:
    base = "http://" + next(found.group(1) for line in demo.stderr if (found := re.search(r"addresses=(\S+)", line)))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        document = folder / "openapi.json"
        # Until calc has described itself.
        while True:
            text = urllib.request.urlopen(base + "/openapi.json").read()
            if b"The sum of two numbers" in text:
                break
            time.sleep(0.1)
        document.write_bytes(text)
        for name in ["typescript-fetch", "go", "python"]:
            generate(document, name, folder / name)
        call = f"""
import sys
sys.path.insert(0, {str(folder / "python")!r})
import openapi_client as made
client = made.ApiClient(made.Configuration(host={base!r}))
print(made.CalcApi(client).calc_add(made.CalcAddRequest(a=2, b=3)))
"""
        called = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True)
        # It takes the result of any number for a float.
        if called.returncode != 0 or float(called.stdout) != 5:
            sys.exit(f"the client in Python: {called.stdout}{called.stderr}")
        print("the client in Python calls")
finally:
    demo.terminate()
    demo.wait()
