import MessagePack
import Support
import Testing
import ZeroMQ

/// Values of all kinds, in both forms. `make test` sets ZMQ_GATEWAY_PYTHON.
@Suite(
  "values between clients and services", .inTurn(minutes: 4), .enabled(if: Python.isThere, "\(Python.comment)"))
struct ValueTests {
  @Test("random values arrive and come back as docs/values.md says, by JSON and MessagePack, or are refused")
  func properties() async throws {
    try await Rig.with { rig in
      let seed = UInt32.random(in: .min ... .max)
      let python = try Python.start("values.py", ["\(seed)", "400"])
      rig.cleanup.add { await python.destroy() }
      let endpoint = try #require(try await python.line())
      let gateway = try await rig.gateway(
        """
        plain: { pattern: rpc, connect: ["\(endpoint)"] }
        rich: { pattern: rpc, connect: ["\(endpoint)"], datetimes: pickle, ext: { 10: text, 11: base64 } }
        told: { pattern: rpc, connect: ["\(endpoint)"], json: { ints: string, nonfinite: string, keys: pairs } }
        """, threads: 1)
      for service in ["plain", "rich", "told"] { try await gateway.isConnected("/rpc/\(service)/give") }
      python.write("\(gateway.http.port)\n")
      var names: [String] = []
      while let line = try await python.line() {
        let result = try #require(JSON(line))
        names.append(result["property"].text ?? "")
        #expect(result["failed"] == [], "seed \(seed): \(line)")
      }
      #expect(
        names == [
          "json_arguments", "packed_arguments", "keyword_arguments", "results", "dates", "amounts", "refusals",
        ], "seed \(seed)")
    }
  }

  @Test(
    "Accept decides what a result is written as",
    arguments: [
      (nil, "application/json"), ("*/*", "application/json"), ("application/json", "application/json"),
      ("application/msgpack", "application/msgpack"), ("APPLICATION/MsgPack", "application/msgpack"),
      ("application/x-msgpack", "application/x-msgpack"), ("application/vnd.msgpack", "application/vnd.msgpack"),
      ("application/*", "application/json"), ("application/msgpack, */*", "application/msgpack"),
      ("*/*, application/msgpack", "application/msgpack"), ("application/msgpack;q=0.5, */*", "application/json"),
      ("application/msgpack;q=0.5, application/json;q=0.4", "application/msgpack"),
      ("application/msgpack;q=0.4, application/json;q=0.5", "application/json"),
      ("application/json, application/msgpack", "application/json"),
      ("application/msgpack, application/json", "application/msgpack"),
      ("application/json;q=0, */*", "application/msgpack"),
      ("application/msgpack ; Q=0.9, text/html", "application/msgpack"),
      ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"), ("", "application/json"),
    ])
  func accepted(accept: String?, type: String) async throws {
    let headers = accept.map { ["Accept": $0] } ?? [:]
    let reply = try await Rig.http.post("/rpc/math/add", "[2,3]", headers: headers)
    #expect(reply.status == 200)
    #expect(reply.headers["content-type"] == type)
    #expect(reply.bytes == (type == "application/json" ? "5".bytes : [5]))
  }

  @Test("several lines of Accept are one list")
  func acceptLines() async throws {
    for (lines, type) in [
      (["text/html", "application/msgpack"], "application/msgpack"),
      (["application/json;q=0.1", "application/msgpack;q=0.2"], "application/msgpack"),
      (["application/msgpack;q=0", "*/*"], "application/json"),
    ] {
      let connection = try HTTPConnection(port: try await Rig.http.port)
      defer { connection.disconnect() }
      let accept = lines.map { "Accept: \($0)\r\n" }.joined()
      connection.send(
        "POST /rpc/math/add HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\(accept)Content-Length: 5\r\n\r\n[2,3]"
          .bytes)
      let reply = try await offThread { try connection.reply() }
      #expect(reply.headers["content-type"] == type)
    }
  }

  @Test(
    "a client that wants neither form is refused before its call is made",
    arguments: ["text/html", "*/*;q=0", "application/json;q=0"])
  func unacceptable(accept: String) async throws {
    let reply = try await Rig.http.post("/rpc/math/add", "[2,3]", headers: ["Accept": accept])
    #expect(reply.status == 406)
    #expect(reply.json["code"] == "not-acceptable")
  }

  @Test(
    "MessagePack has the shapes of JSON, under each of its names",
    arguments: ["application/msgpack", "application/x-msgpack", "application/vnd.msgpack", "Application/MsgPack; v=5"])
  func shapes(type: String) async throws {
    let http = try await Rig.http
    let bodies: [Value] = [
      [2, 3], ["a": 2, "b": 3], ["args": [2], "kwargs": ["b": 3]], ["args": [2, 3]], ["kwargs": ["b": 3, "a": 2]],
    ]
    for body in bodies {
      let reply = try await http.send("POST", "/rpc/math/add", headers: ["Content-Type": type], body: body.packed)
      #expect(reply.body == "5")
    }
    let reply = try await http.send(
      "POST", "/rpc/math/ping", headers: ["Content-Type": type, "Accept": "application/msgpack"])
    #expect(reply.bytes == Value("pong").packed)
  }

  @Test("errors are problem documents for a client of MessagePack too, and tell where it is wrong")
  func problems() async throws {
    let http = try await Rig.http
    func reply(_ method: String, _ body: [UInt8]) async throws -> HTTPReply {
      let headers = ["Content-Type": "application/msgpack", "Accept": "application/msgpack"]
      let reply = try await http.send("POST", "/rpc/math/\(method)", headers: headers, body: body)
      #expect(reply.headers["content-type"] == "application/problem+json")
      return reply
    }
    for (body, status, code, pointer) in [
      ([0x92, 1], 400, "bad-msgpack", JSON.null), ([0x90, 0], 400, "bad-msgpack", .null),
      ([0xC1], 400, "bad-msgpack", .null),
      (Value(5).packed, 400, "bad-shape", .null), ([0x91, 0xA1, 0xFF], 400, "bad-msgpack", "/0"),
      (Value.array([1, ["x": .ext(126, [1])]]).packed, 422, "not-encodable", "/1/x"),
      (Value.array([.ext(5, [1])]).packed, 422, "not-encodable", "/0"),
      ([0x91, 0x81, 1, 2], 422, "not-encodable", "/0"),
    ] as [([UInt8], Int, JSON, JSON)] {
      let reply = try await reply("echo", body)
      #expect(reply.status == status)
      #expect(reply.json["code"] == code)
      #expect(reply.json["pointer"] == pointer)
      #expect(reply.json["sent"] == false)
    }
    #expect(try await reply("add", Value.array(["a", 1]).packed).json["exception"]["type"] == "builtins.TypeError")
  }

  @Test("a result in MessagePack passes as it came, and the options of json do not apply to it")
  func results() async throws {
    let http = try await Rig.http
    let packed = ["Accept": "application/msgpack"]
    let floats = try await http.post("/rpc/strict/floats", headers: packed)
    #expect(floats.status == 200)
    #expect(floats.bytes.contains(sequence: [0xCB, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0]))
    let ints = try await http.post("/rpc/pairs/ints", headers: packed)
    #expect(ints.bytes.contains(sequence: [0xCF] + [UInt8](repeating: 0xFF, count: 8)))
    #expect(try await http.post("/rpc/pairs/danger.int_keys", headers: packed).bytes.prefix(2) == [0x82, 1])
    #expect(
      try await http.post("/rpc/math/dates.sample", #"["date"]"#, headers: packed).bytes == Value("2014-03-25").packed)
    // One that is longer than http.limits.inline is passed on beside the shard.
    let large = try await http.post("/rpc/math/large", "[500000]", headers: packed)
    #expect(large.headers["content-type"] == "application/msgpack")
    #expect(large.bytes.count == 500_005)
  }

  @Test("GET has a tag of its own in each form, and says that the form depends on Accept")
  func tags() async throws {
    let http = try await Rig.http
    let json = try await http.get("/rpc/math/add?a:=2&b:=3")
    let packed = try await http.get("/rpc/math/add?a:=2&b:=3", headers: ["Accept": "application/msgpack"])
    #expect(json.bytes == "5".bytes)
    #expect(packed.bytes == [5])
    let tag = try #require(packed.headers["etag"])
    #expect(json.headers["etag"] != tag)
    #expect(json.headers["vary"] == "Accept")
    let known = try await http.get(
      "/rpc/math/add?a:=2&b:=3", headers: ["Accept": "application/msgpack", "If-None-Match": tag])
    #expect(known.status == 304)
    #expect(known.headers["vary"] == "Accept")
    #expect(try await http.get("/rpc/math/add?a:=2&b:=3", headers: ["If-None-Match": tag]).status == 200)
  }

  @Test(
    "a GET's problem names the parameter, and its place in the envelope that the query stands for",
    arguments: [
      ("a:=[1,18446744073709551616]", "/kwargs/a/1", "a"),
      ("arg=1&arg:={\"x\":{\"$ext\":[5,\"\"]}}", "/args/1/x", "arg"),
      ("a~%2Fb:=1e400", "/kwargs/a~0~1b", "a~/b"),
    ])
  func queries(query: String, pointer: String, name: String) async throws {
    let reply = try await Rig.http.get("/rpc/math/echo_call?\(query.escapedBrackets)")
    #expect(reply.status == 422)
    #expect(reply.json["pointer"] == .string(pointer))
    #expect(reply.json["detail"].text?.contains("\"\(name)\"") == true)
  }

  @Test("depth and number of values are bounded in every form")
  func limits() async throws {
    let peer = try await PythonPeer.shared.value
    try await Rig.with { rig in
      let gateway = try await rig.gateway(
        #"s: { pattern: rpc, connect: ["\#(peer.rpc)"], methods: { safe: ["*"] } }"#,
        http: "limits: { depth: 5, elements: 20 }", threads: 1)
      try await gateway.isConnected("/rpc/s/ping")
      let http = gateway.http
      func nested(_ depth: Int) -> Value { depth == 1 ? [] : [nested(depth - 1)] }
      func text(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
      let packed = ["Content-Type": "application/msgpack", "Accept": "application/msgpack"]
      for (depth, status) in [(5, 200), (6, 422)] {
        #expect(try await http.post("/rpc/s/size", text(depth)).status == (depth == 5 ? 200 : 422))
        let reply = try await http.send("POST", "/rpc/s/echo", headers: packed, body: nested(depth).packed)
        #expect(reply.status == status)
        #expect(status == 200 || reply.json["pointer"] == "/0/0/0/0/0")
        // The arguments of a GET are one deeper than each of its values.
        #expect(try await http.get("/rpc/s/echo?arg:=\(text(depth - 1).escapedBrackets)").status == status)
      }
      for (count, status) in [(19, 200), (20, 422)] {
        let body = Value.array([.array(Array(repeating: 1, count: count - 1))])
        let reply = try await http.send("POST", "/rpc/s/echo", headers: packed, body: body.packed)
        #expect(reply.status == status, "\(count)")
        let json = "[[" + Array(repeating: "1", count: count - 1).joined(separator: ",") + "]]"
        #expect(try await http.post("/rpc/s/echo", json).status == status)
      }
      // Results: `deep` nests that much, `large_list` has that many.
      for accept in ["application/json", "application/msgpack"] {
        for (method, count, status) in [
          ("deep", 5, 200), ("deep", 6, 502), ("large_list", 19, 200), ("large_list", 20, 502),
        ] {
          let reply = try await http.post("/rpc/s/\(method)", "[\(count)]", headers: ["Accept": accept])
          #expect(reply.status == status, "\(method) \(count)")
        }
      }
    }
  }

  @Test("a pipeline takes MessagePack, dates and listed types")
  func oneWay() async throws {
    try await Rig.with { rig in
      let worker = try await rig.wire(.pull)
      let gateway = try await rig.gateway(
        #"jobs: { pattern: pipeline, connect: ["\#(await worker.endpoint)"], datetimes: pickle, ext: { 10: text } }"#,
        threads: 1)
      let body = Value.array([1, .ext(10, [0x31])])
      let pushed = try await eventually("a worker") {
        let reply = try await gateway.http.send(
          "POST", "/push/jobs/resize", headers: ["Content-Type": "application/msgpack"], body: body.packed)
        return reply.headers["gateway-error"] == "no-backend" ? nil : reply
      }
      #expect(pushed.status == 202)
      #expect(pushed.body == #"{"accepted":true}"#)
      #expect(try await worker.receive() == ["resize".bytes, body.packed, [0x80]])
      #expect(try await gateway.http.post("/push/jobs/resize", #"[{"$date":"2024-02-29"}]"#).status == 202)
      let dated = try await worker.receive()
      #expect(dated[1].prefix(4) == [0x91, 0xC7, 26, 127])
      let refused = try await gateway.http.send(
        "POST", "/push/jobs/resize", headers: ["Content-Type": "application/msgpack"],
        body: Value.array([.ext(11, [])]).packed)
      #expect(refused.status == 422)
    }
  }

  @Test("JSON-RPC is JSON, and says so to a client that sends MessagePack")
  func jsonRPC() async throws {
    let body: Value = ["jsonrpc": "2.0", "method": "ping", "id": 1]
    let reply = try await Rig.http.send(
      "POST", "/jsonrpc/math", headers: ["Content-Type": "application/msgpack"], body: body.packed)
    #expect(reply.status == 415)
    #expect(reply.json["code"] == "unsupported-media-type")
  }
}

extension String {
  /// With what may not stand in a query as it is.
  fileprivate var escapedBrackets: String {
    [("\"", "%22"), ("[", "%5B"), ("]", "%5D"), ("{", "%7B"), ("}", "%7D")].reduce(self) {
      $0.replacing($1.0, with: $1.1)
    }
  }
}

extension [UInt8] {
  fileprivate func contains(sequence: [UInt8]) -> Bool {
    indices.contains { self[$0...].starts(with: sequence) }
  }
}
