import Support
import Testing

@testable import HTTPServer

@Suite("First bytes", .inTurn(minutes: 3))
struct AcceptorTests {
  private let acceptor = Acceptor(streamPath: "/api/sub/", reservedPaths: ["/live", "/ready", "/api/live"])

  private func destination(_ text: String, isSurplus: Bool = false, hasEnded: Bool = false) -> Acceptor.Destination? {
    var text = text
    return text.withUTF8 {
      acceptor.destination(of: UnsafeRawBufferPointer($0), isSurplus: isSurplus, hasEnded: hasEnded)
    }
  }

  private func prefix(_ text: String, _ count: Int) -> String {
    String(decoding: text.utf8.prefix(count), as: UTF8.self)
  }

  /// A head for that target of so many bytes and lines, the request line and the empty one among them.
  private func head(_ target: String, bytes: Int, lines: Int = 3) -> String {
    let start = "GET \(target) HTTP/1.1\r\n" + String(repeating: "a:\r\n", count: lines - 3) + "b:"
    return start + String(repeating: "x", count: bytes - start.utf8.count - 4) + "\r\n\r\n"
  }

  @Test(
    "a short GET or HEAD of a stream alone goes among the streams, as soon as its head is there",
    arguments: [get("/api/sub/news"), "HEAD /api/sub/news?topic=a HTTP/1.0\r\n\r\n"])
  func stream(request: String) {
    for count in 1..<request.utf8.count { #expect(destination(prefix(request, count)) == nil) }
    #expect(destination(request) == .streams)
  }

  @Test(
    "whatever is not that goes among the calls, at the first byte that tells",
    arguments: [
      "P", "\r", "\0", "\u{16}", "g", "GET  ", "GET /api/subs", "GET /s", "GET /r", "HEAD /api/l", "GET h", "HEAD\t",
    ])
  func calls(start: String) {
    for count in 1..<max(1, start.utf8.count) { #expect(destination(prefix(start, count)) == nil) }
    #expect(destination(start) == .calls)
    #expect(destination(start + "GET /api/sub/news HTTP/1.1\r\n\r\n") == .calls)
  }

  @Test("a deeper path goes among the calls as soon as that shows; a slash in the query makes none")
  func deeper() {
    for path in ["/api/sub/news/last", "/api/sub/news/topics?a", "/api/sub//"] {
      let start = "GET \(path)"
      let slash = "GET /api/sub/".utf8.count + (path.contains("news") ? 4 : 0)
      for count in 1...slash { #expect(destination(prefix(start, count)) == nil) }
      #expect(destination(prefix(start, slash + 1)) == .calls)
      #expect(destination(get(path)) == .calls)
    }
    #expect(destination(get("/api/sub/news?topic=a/b")) == .streams)
  }

  @Test("without a path of streams everything is a call")
  func noStreams() {
    let acceptor = Acceptor(streamPath: "", reservedPaths: [])
    for text in ["G", get("/api/sub/news"), get("/live")] {
      let destination = Array(text.utf8).withUnsafeBytes { acceptor.destination(of: $0, isSurplus: false) }
      #expect(destination == .calls)
    }
  }

  @Test("a head that is long, has many lines, or is not alone goes among the calls, which have the memory for it")
  func long() {
    let room = Acceptor.streamMemory - 1_536
    #expect(destination(head("/api/sub/a", bytes: room - 3 * 64)) == .streams)
    #expect(destination(head("/api/sub/a", bytes: room - 3 * 64 + 1)) == .calls)
    #expect(destination(head("/api/sub/a", bytes: room - 20 * 64, lines: 20)) == .streams)
    #expect(destination(head("/api/sub/a", bytes: room - 20 * 64 + 1, lines: 20)) == .calls)
    #expect(destination(get("/api/sub/a") + "G") == .calls)
    let unfinished = "GET /api/sub/a HTTP/1.1\r\nX: "
    let last = Acceptor.longestLook - unfinished.utf8.count
    #expect(destination(unfinished + String(repeating: "x", count: last - 1)) == nil)
    #expect(destination(unfinished + String(repeating: "x", count: last)) == .calls)
  }

  @Test(
    "when no more follows, part of a request goes among the calls",
    arguments: ["G", "GET /api/sub/n", get("/api/sub/n")])
  func ended(part: String) {
    #expect(destination(part, hasEnded: true) == .calls)
  }

  @Test(
    "beyond a limit the reserve is for GET and HEAD of its paths",
    arguments: [
      ("/live", true), ("/live?", true), ("/ready?verbose", true), ("/api/live", true), ("/lives", false),
      ("/live/", false), ("/api/ready", false), ("/", false), ("/api/sub/news", false), ("http://a/live", true),
      ("HTTPS://a.b:80/ready?verbose", true), ("http://[::1]:80/api/live", true), ("http:///live", true),
      ("http://a", false), ("http://a?/live", false), ("http://a/b/live", false), ("http:/live", false),
      ("ftp://a/live", false), ("http://a/lives", false),
    ])
  func reserve(target: String, isReserved: Bool) {
    let expected: Acceptor.Destination = isReserved ? .reserve : .calls
    #expect(destination(get(target), isSurplus: true) == expected)
    #expect(destination("HEAD \(target) HTTP/1.1\r\n\r\n", isSurplus: true) == expected)
    #expect(destination(post(target, ""), isSurplus: true) == .calls)
    #expect(destination(prefix(get(target), get(target).utf8.count - 1), isSurplus: true) == nil)
    #expect(destination(prefix(get(target), get(target).utf8.count - 1), isSurplus: true, hasEnded: true) == expected)
    #expect(destination(get(target)) == (target == "/api/sub/news" ? .streams : .calls))
  }

  @Test("beyond a limit a head is waited for only as far as is looked")
  func surplusHead() {
    let start = "POST / HTTP/1.1\r\nX: "
    let last = Acceptor.longestLook - start.utf8.count
    #expect(destination("P", isSurplus: true) == nil)
    #expect(destination(start + String(repeating: "x", count: last - 1), isSurplus: true) == nil)
    #expect(destination(start + String(repeating: "x", count: last), isSurplus: true) == .calls)
  }
}
