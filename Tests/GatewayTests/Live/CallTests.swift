import HTTPServer
import MessagePack
import Support
import Testing

/// Calls over HTTP that a Python service answers. `make test` sets ZMQ_GATEWAY_PYTHON.
@Suite("live calls", .inTurn(minutes: 3), .enabled(if: Python.isThere, "\(Python.comment)"))
struct CallTests {
  @Test(
    "RPC-4: arguments come as array, object or envelope",
    arguments: [
      ("add", "[2,3]", "5"),
      ("add", #"{"a":2,"b":3}"#, "5"),
      ("add", #"{"args":[2],"kwargs":{"b":3}}"#, "5"),
      ("add", #"{"args":[2,3]}"#, "5"),
      ("add", #"{"kwargs":{"a":2,"b":3}}"#, "5"),
      ("ping", "", #""pong""#),
      ("ping", "[]", #""pong""#),
      ("ping", "{}", #""pong""#),
      ("none", "[]", "null"),
      ("add", #"[ "a" , "b" ]"#, #""ab""#),
      ("echo_call", #"[1,[2,3],{"k":null}]"#, #"[[1,[2,3],{"k":null}],{}]"#),
      ("echo_call", #"{"z":1,"a":2}"#, #"[[],{"z":1,"a":2}]"#),
      ("echo_call", #"{"args":1,"b":2}"#, #"[[],{"args":1,"b":2}]"#),
      ("math.add", "[1,2]", "3"),
      ("math.total", #"{"args":[1,2,3],"kwargs":{"start":10}}"#, "16"),
      ("math.deep.deeper.deeper.where", "", #""deep.deeper.deeper""#),
      ("table.a", "", #""a""#),
      ("table.subnamespace.b", "", #""b""#),
      ("dyn.x.y.func", "", #"[["x","y"],"val"]"#),
      ("keyword_only", #"{"args":[1],"kwargs":{"b":2}}"#, "[1,2]"),
    ])
  func call(method: String, body: String, result: String) async throws {
    let reply = try await Rig.http.post("/rpc/math/\(method)", body)
    #expect(reply.status == 200)
    #expect(reply.body == result)
    #expect(reply.headers["content-type"] == "application/json")
  }

  @Test("each of many concurrent clients gets its own result (RPC-8)")
  func concurrent() async throws {
    let http = try await Rig.http
    try await withThrowingTaskGroup { group in
      for client in 0..<10 {
        group.addTask {
          let connection = try HTTPConnection(port: http.port)
          defer { connection.disconnect() }
          for call in 0..<30 {
            let text = "[\"\(client)-\(call)\"]"
            connection.send("POST", "/rpc/math/echo", headers: ["Content-Type": "application/json"], body: text.bytes)
            let reply = try await offThread { try connection.reply() }
            #expect(reply.body == "\"\(client)-\(call)\"")
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test(
    "GET calls a safe method with the query's arguments",
    arguments: [
      ("add?a=2&b=3", #""23""#), ("add?a:=2&b:=3", "5"), ("add?arg:=1&arg:=2", "3"), ("echo?x=%7B%22", #""{\"""#),
      ("echo_call?arg=a&n:=1.5&_timeout=5", #"[["a"],{"n":1.5}]"#), ("echo?x:=[1,%7B%7D]", "[1,{}]"),
    ])
  func get(target: String, result: String) async throws {
    let reply = try await Rig.http.get("/rpc/math/\(target)")
    #expect(reply.status == 200)
    #expect(reply.body == result)
  }

  @Test("a result that GET fetched has a tag; when it still holds, 304 answers without a body")
  func tag() async throws {
    let http = try await Rig.http
    let first = try await http.get("/rpc/math/echo?x=1")
    let tag = try #require(first.headers["etag"])
    let same = try await http.get("/rpc/math/echo?x=1", headers: ["If-None-Match": tag])
    #expect(same.status == 304)
    #expect(same.body.isEmpty)
    #expect(same.headers["etag"] == tag)
    // RFC 9110, 8.6: the length is that of the answer that still holds, or is not told.
    #expect(same.headers["content-length"] == first.headers["content-length"])
    let weak = try await http.get("/rpc/math/echo?x=1", headers: ["If-None-Match": "\"a\", W/\(tag)"])
    #expect(weak.status == 304)
    // One list in two lines.
    let connection = try HTTPConnection(port: http.port)
    defer { connection.disconnect() }
    let lines = "If-None-Match: \"a\", \"b\"\r\nIf-None-Match: \(tag)\r\n"
    connection.send("GET /rpc/math/echo?x=1 HTTP/1.1\r\nHost: localhost\r\n\(lines)\r\n".bytes)
    #expect(try await offThread { try connection.reply().status } == 304)
    let other = try await http.get("/rpc/math/echo?x=2", headers: ["If-None-Match": tag])
    #expect(other.status == 200)
    #expect(other.headers["etag"] != tag)
    #expect(try await http.post("/rpc/math/echo", "[1]").headers["etag"] == nil)
  }

  @Test("HEAD answers as GET does, without the body")
  func head() async throws {
    let http = try await Rig.http
    let head = try await http.send("HEAD", "/rpc/math/add?a:=2&b:=3")
    #expect(head.status == 200)
    #expect(head.headers["content-length"] == "1")
    #expect(head.headers["etag"] == (try await http.get("/rpc/math/add?a:=2&b:=3")).headers["etag"])
    #expect(try await http.send("HEAD", "/rpc/math/math.add?a:=2&b:=3").status == 405)
  }

  @Test("several calls on one connection, also sent ahead, are answered in their order")
  func pipelined() async throws {
    let http = try await Rig.http
    let connection = try HTTPConnection(port: http.port)
    defer { connection.disconnect() }
    for delay in [0.05, 0.0, 0.02] {
      connection.send(
        "POST", "/rpc/math/slow", headers: ["Content-Type": "application/json"], body: "[\(delay),\(delay)]".bytes)
    }
    for delay in ["0.05", "0.0", "0.02"] { #expect(try await offThread { try connection.reply().body } == delay) }
  }

  @Test("a call may come in chunks")
  func chunked() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(http: "chunked: accept")
      let connection = try HTTPConnection(port: gateway.http.port)
      defer { connection.disconnect() }
      connection.send(
        "POST", "/rpc/s/work", headers: ["Transfer-Encoding": "chunked", "Content-Type": "application/json"])
      connection.send("2\r\n[2\r\n3\r\n,3]\r\n0\r\n\r\n".bytes)
      try await backend.answerNext(5)
      let reply = try await offThread { try connection.reply() }
      #expect(reply.body == "5")
    }
  }

  @Test(
    "a call that comes in chunks is refused where it is not to be trusted, or not wanted",
    arguments: ["auto", "refuse"])
  func chunkedRefused(policy: String) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(http: "chunked: \(policy)")
      let connection = try HTTPConnection(port: gateway.http.port)
      defer { connection.disconnect() }
      connection.send(
        "POST", "/rpc/s/work", headers: ["Transfer-Encoding": "chunked", "Content-Type": "application/json"])
      connection.send("3\r\n[2]\r\n0\r\n\r\n".bytes)
      let isAccepted = try policy == "auto" && ParserStrictness.linked() == .strict
      if isAccepted { try await backend.answerNext(5) }
      let reply = try await offThread { try connection.reply() }
      #expect(reply.status == (isAccepted ? 200 : 411))
      #expect(reply.headers["gateway-error"] == (isAccepted ? nil : "length-required"))
      #expect(isAccepted || reply.json["code"] == "length-required")
    }
  }

  @Test("OPTIONS tells the verbs of a method")
  func options() async throws {
    let http = try await Rig.http
    let safe = try await http.send("OPTIONS", "/rpc/math/add")
    #expect(safe.status == 204)
    #expect(safe.headers["allow"] == "GET, HEAD, POST, OPTIONS")
    #expect(try await http.send("OPTIONS", "/rpc/math/ping").headers["allow"] == "POST, OPTIONS")
  }

  @Test("curl's defaults make a call")
  func curl() async throws {
    let port = try await Rig.http.port
    let curl = try Subprocess("curl", ["-s", "-d", "[2,3]", "127.0.0.1:\(port)/rpc/math/add"])
    #expect(try await curl.rest() == "5")
    #expect(try await curl.ended() == 0)
  }
}
