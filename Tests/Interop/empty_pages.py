"""Empty pages for a browser, at every path of a port of their own, and scripts that run in them: each gives back what its page could see."""
import contextlib
import http.server
import threading

LOAD = """([url, name]) => new Promise(done => {
    const element = document.createElement(name)
    element.onload = () => done("load")
    element.onerror = () => done("error")
    element.src = url
    document.body.append(element)
})"""
EVENTS = """([url]) => new Promise(done => {
    const source = new EventSource(url)
    const end = text => { source.close(); done(text) }
    source.onopen = () => end("open")
    source.onerror = () => end("error")
})"""


class Page(http.server.BaseHTTPRequestHandler):
    """An empty page at every path."""

    def do_GET(self):
        body = b"<!doctype html><title>a page</title><body></body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # A page that is left at once is not waited for.
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve():
    """Serves them on 127.0.0.1 until the process ends; returns the port."""
    pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    return pages.server_address[1]
