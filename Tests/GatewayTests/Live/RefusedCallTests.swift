import Support
import Testing

/// What the gateway refuses by itself. The Python service behind it sees none of these. `make test` sets ZMQ_GATEWAY_PYTHON.
@Suite("refused calls", .inTurn(minutes: 3), .enabled(if: Python.isThere, "\(Python.comment)"))
struct RefusedCallTests {
  struct Refused: Sendable, CustomStringConvertible {
    var method = "POST"
    var target = "/rpc/math/echo_call"
    var headers: [String: String] = [:]
    var body: String? = "[]"
    let status: Int
    let code: String
    var description: String { "\(method) \(target) \(headers) \(body?.prefix(40) ?? "-")" }
  }

  private static func post(_ body: String, _ status: Int, _ code: String) -> Refused {
    Refused(headers: ["Content-Type": "application/json"], body: body, status: status, code: code)
  }
  private static func path(_ target: String, _ status: Int, _ code: String) -> Refused {
    Refused(target: target, headers: ["Content-Type": "application/json"], status: status, code: code)
  }
  private static func get(_ target: String, _ status: Int, _ code: String, accept: String = "*/*") -> Refused {
    Refused(method: "GET", target: target, headers: ["Accept": accept], body: nil, status: status, code: code)
  }
  private static func typed(_ type: String, _ more: [String: String], _ status: Int, _ code: String) -> Refused {
    Refused(headers: more.merging(["Content-Type": type]) { $1 }, body: "[]", status: status, code: code)
  }

  static let bodies: [Refused] = [
    post("[1,", 400, "bad-json"), post("{", 400, "bad-json"), post("[1]x", 400, "bad-json"),
    post("nope", 400, "bad-json"),
    post(#"{"a":1,"a":2}"#, 400, "bad-json"), post(#"[{"a":{"b":1,"b":1}}]"#, 400, "bad-json"),
    post(#"["\ud800"]"#, 400, "bad-json"), post("[01]", 400, "bad-json"), post("[NaN]", 400, "bad-json"),
    post("[\"\u{1}\"]", 400, "bad-json"), post("1", 400, "bad-shape"), post(#""x""#, 400, "bad-shape"),
    post("null", 400, "bad-shape"), post("true", 400, "bad-shape"),
    post("[18446744073709551616]", 422, "not-encodable"), post("[-9223372036854775809]", 422, "not-encodable"),
    post("[1e400]", 422, "not-encodable"), post(#"[{"$ext":[123,"AA=="]}]"#, 422, "not-encodable"),
    post(#"[{"$ext":[127,"AA=="]}]"#, 422, "not-encodable"), post(#"[{"$ext":[5,"AA=="]}]"#, 422, "not-encodable"),
    post(#"[{"$date":"2024-01-01"}]"#, 422, "not-encodable"),
  ]
  static let paths: [Refused] = [
    path("/rpc/nothing/add", 404, "no-such-service"), path("/rpc/jobs/add", 404, "no-such-service"),
    path("/push/math/add", 404, "no-such-service"), path("/pub/jobs/t/add", 404, "no-such-service"),
    path("/pub/math/t/add", 404, "no-such-service"), path("/rpc/math/_private", 404, "not-exposed"),
    path("/rpc/math/math._add", 404, "not-exposed"), path("/rpc/math/__class__", 404, "not-exposed"),
    path("/rpc/math/%5Fprivate", 404, "not-exposed"), path("/rpc/math/danger.hidden", 404, "not-exposed"),
    path("/rpc/math/secret.x", 404, "not-exposed"), path("/push/jobs/secret", 404, "not-exposed"),
    path("/nothing", 404, "no-such-route"), path("/", 405, "method-not-allowed"),
    path("/rpc/math", 404, "no-such-route"),
    path("/rpc/math/add/more", 404, "no-such-route"), path("/rpc/math/echo_call?x=1", 400, "unknown-parameter"),
    path("/rpc/math/echo_call?_timeou=1", 400, "unknown-parameter"),
    path("/rpc/math/echo_call?_timeout=x", 400, "bad-timeout"),
    path("/rpc/math/echo_call?_timeout=0", 400, "bad-timeout"), path("/rpc/math/echo_call?%zz", 400, "bad-query"),
  ]
  static let heads: [Refused] = [
    get("/rpc/math/ping", 405, "not-safe"), get("/push/jobs/x", 405, "method-not-allowed"),
    get("/pub/news/t/x", 405, "method-not-allowed"),
    Refused(method: "PUT", target: "/rpc/math/add", status: 405, code: "method-not-allowed"),
    Refused(method: "DELETE", target: "/rpc/math/add", body: nil, status: 405, code: "method-not-allowed"),
    Refused(target: "/sub/news", status: 405, code: "method-not-allowed"),
    Refused(target: "/live", status: 405, code: "method-not-allowed"),
    get("/rpc/math/add?a=1", 406, "not-acceptable", accept: "text/html"),
    get("/rpc/math/add?a=1", 406, "not-acceptable", accept: "application/json;q=0"),
    get("/sub/news", 406, "not-acceptable", accept: "application/json"),
    Refused(method: "GET", target: "/rpc/math/echo_call", body: "[2,3]", status: 400, code: "bad-request"),
    Refused(method: "GET", target: "/live", body: "{}", status: 400, code: "bad-request"),
    Refused(method: "GET", target: "/sub/news", body: "{}", status: 400, code: "bad-request"),
    get("/rpc/math/add?a=\"", 400, "bad-target"), get("/rpc/math/add?a={1}", 400, "bad-target"),
    get("/rpc/math/add|", 400, "bad-target"), get("/rpc/math/add?^", 400, "bad-target"),
    get("/sub/nothing", 404, "no-such-service"), get("/sub/math", 404, "no-such-service"),
    typed("text/plain", [:], 415, "unsupported-media-type"),
    typed("application/xml", [:], 415, "unsupported-media-type"),
    typed("application/x-www-form-urlencoded", ["Origin": "http://evil.example"], 403, "cross-site"),
    typed("application/x-www-form-urlencoded", ["Sec-Fetch-Site": "cross-site"], 403, "cross-site"),
    typed("application/x-www-form-urlencoded", ["Origin": "http://localhost"], 415, "unsupported-media-type"),
    typed("application/x-www-form-urlencoded", ["Sec-Fetch-Site": "none"], 415, "unsupported-media-type"),
    typed("multipart/form-data", [:], 415, "unsupported-media-type"),
    typed("application/json", ["Content-Encoding": "gzip"], 415, "unsupported-encoding"),
    Refused(headers: [:], body: "[]", status: 415, code: "unsupported-media-type"),
    Refused(
      headers: ["Content-Type": "application/x-www-form-urlencoded"], body: "a=1", status: 415,
      code: "unsupported-media-type"),
    Refused(target: "/" + String(repeating: "a", count: 8 << 10), status: 414, code: "uri-too-long"),
    Refused(headers: ["X-Long": String(repeating: "a", count: 17 << 10)], status: 431, code: "headers-too-large"),
  ]

  @Test("is a problem document with its code in a header", arguments: bodies + paths + heads)
  func refused(_ request: Refused) async throws {
    let reply = try await Rig.http.send(
      request.method, request.target, headers: request.headers, body: request.body?.bytes)
    #expect(reply.status == request.status, "\(reply.body)")
    #expect(reply.headers["content-type"] == "application/problem+json")
    #expect(reply.headers["gateway-error"] == request.code)
    #expect(reply.json["code"] == .string(request.code))
    #expect(reply.json["status"].integer == request.status)
    #expect(reply.json["origin"] == "gateway")
    #expect(reply.json["sent"] == false)
    #expect(reply.json["type"] == .string("/problems/\(request.code)"))
    #expect(reply.json["requestId"].text?.isEmpty == false)
    #expect((reply.headers["allow"] != nil) == (request.status == 405))
  }

  @Test("Accept in several lines is one list")
  func acceptLines() async throws {
    let port = try await Rig.http.port
    for (lines, status) in [
      (["text/plain", "application/json"], 200), (["text/plain", "text/html, */*;q=0.1"], 200),
      (["*/*", "application/*;q=0"], 406), (["text/plain", "text/html"], 406), (["", ""], 200),
    ] {
      let connection = try HTTPConnection(port: port)
      defer { connection.disconnect() }
      let accept = lines.map { "Accept: \($0)\r\n" }.joined()
      connection.send("GET /rpc/math/add?a:=2&b:=3 HTTP/1.1\r\nHost: localhost\r\n\(accept)\r\n".bytes)
      #expect(try await offThread { try connection.reply().status } == status, "\(lines)")
    }
  }

  @Test("a target in absolute form is served, and its problems name the path")
  func absolute() async throws {
    let http = try await Rig.http
    #expect(try await http.get("http://localhost:1/rpc/math/add?a:=2&b:=3").body == "5")
    #expect(try await http.get("http://localhost/nothing").json["instance"] == "/nothing")
    #expect(try await http.send("OPTIONS", "http://localhost").status == 204)
  }

  @Test("OPTIONS allows what is taken: of the server as a whole, and of its own page")
  func options() async throws {
    let http = try await Rig.http
    #expect(try await http.send("OPTIONS", "*").headers["allow"] == "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH")
    #expect(try await http.send("OPTIONS", "/").headers["allow"] == "GET, HEAD, OPTIONS")
    #expect(try await http.get("/").status == 200)
  }

  @Test("405 lists the verbs that are allowed")
  func allow() async throws {
    let http = try await Rig.http
    #expect(try await http.get("/rpc/math/ping").headers["allow"] == "POST, OPTIONS")
    #expect(try await http.send("PUT", "/rpc/math/add").headers["allow"] == "GET, HEAD, POST, OPTIONS")
    #expect(try await http.post("/sub/news").headers["allow"] == "GET, HEAD, OPTIONS")
  }

  @Test("bad JSON is answered with the byte where it goes wrong")
  func place() async throws {
    let reply = try await Rig.http.post("/rpc/math/echo", #"[1,2,x]"#)
    #expect(reply.json["detail"].text?.contains("byte 5") == true, "\(reply.body)")
  }

  @Test(
    "a value that cannot travel is pointed at",
    arguments: [
      ("[1,[18446744073709551616]]", "/1/0"), (#"{"a":{"b/c":[0,1e999]}}"#, "/a/b~1c/1"),
      (#"{"args":[],"kwargs":{"x":{"$ext":[126,"AA=="]}}}"#, "/kwargs/x"),
    ])
  func pointer(body: String, pointer: String) async throws {
    let reply = try await Rig.http.post("/rpc/math/echo_call", body)
    #expect(reply.status == 422)
    #expect(reply.json["pointer"] == .string(pointer), "\(reply.body)")
  }

  @Test(
    "types that are JSON, and curl's default without a foreign page, are taken",
    arguments: [
      "application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.x+json",
      "application/x-www-form-urlencoded",
    ])
  func accepted(type: String) async throws {
    let reply = try await Rig.http.post("/rpc/math/echo", " [1]", headers: ["Content-Type": type])
    #expect(reply.body == "1")
  }

  @Test("what a client accepts may be a range")
  func ranges() async throws {
    let http = try await Rig.http
    for accept in ["application/json", "application/*", "*/*", "text/html, */*;q=0.1", "application/json;q=0.5"] {
      #expect(try await http.post("/rpc/math/ping", "", headers: ["Accept": accept]).status == 200, "\(accept)")
    }
  }
}
