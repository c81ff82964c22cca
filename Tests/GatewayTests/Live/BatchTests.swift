import MessagePack
import Support
import Testing
import ZeroMQ

/// `/batch`, in front of a backend that the test plays, and of the Python service.
@Suite("a batch", .inTurn(minutes: 3))
struct BatchTests {
  private static let lines = ["Accept": "application/x-ndjson"]

  /// An item for the service `s`.
  private func item(_ method: String, _ more: String = "") -> String {
    #"{"service":"s","method":"\#(method)"\#(more.isEmpty ? "" : ",\(more)")}"#
  }

  @Test("is answered in its order, each item as it would have been alone, by real services of every pattern")
  func python() async throws {
    let http = try await Rig.http
    let reply = try await http.post(
      "/batch",
      """
      [{"id":"sum","service":"math","method":"add","args":[2,3]},
       {"id":1.50,"service":"math","method":"echo_call","args":[1],"kwargs":{"b":{"$bin":"AAEC"}}},
       {"service":"jobs","method":"batched","args":["x"]},
       {"service":"news","topic":{"$bin":"/w=="},"method":"batched"},
       {"id":null,"service":"strict","method":"echo","args":[9007199254740993]},
       {"service":"pairs","method":"echo","args":[9007199254740993]},
       {"service":"math","method":"no.such"}]
      """)
    #expect(reply.status == 200)
    #expect(reply.headers["content-type"] == "application/json")
    let answers = reply.json.elements
    #expect(answers.map { $0["id"] } == ["sum", .number("1.50"), 2, 3, .null, 5, 6])
    #expect(answers.map { $0["status"] } == [200, 200, 202, 202, 200, 200, 404])
    #expect(answers[0] == ["id": "sum", "status": 200, "result": 5])
    let alone = try await http.post("/rpc/math/echo_call", #"{"args":[1],"kwargs":{"b":{"$bin":"AAEC"}}}"#)
    #expect(answers[1]["result"] == alone.json)
    #expect(answers[2]["result"] == ["accepted": true])
    #expect(answers[4]["result"] == .number("9007199254740993"))
    #expect(answers[5]["result"] == "9007199254740993")
    #expect(answers[6]["error"]["code"] == "no-such-method")
    #expect(answers[6]["error"]["instance"] == "/batch")
    #expect(answers[6]["error"]["requestId"].text == reply.headers["x-request-id"])
    let job = try await eventually("the job in Python") {
      try await http.post("/rpc/math/received.pipeline").json.elements.last { $0["method"] == "batched" }
    }
    #expect(job["args"] == ["x"])
  }

  @Test(
    "tells in the place of an item what is wrong with it, and makes the other calls",
    arguments: [
      (#"5"#, 400, "bad-shape", "An item is an object"), (#"{"method":"a"}"#, 400, "bad-shape", "no \"service\""),
      (#"{"service":"s"}"#, 400, "bad-shape", "no \"method\""),
      (#"{"service":"s","methd":"a"}"#, 400, "bad-shape", "did you mean \"method\"?"),
      (#"{"service":"s","method":"a","method":"b"}"#, 400, "bad-json", "twice"),
      (#"{"service":5,"method":"a"}"#, 400, "bad-shape", "is a text"),
      (#"{"service":"s","method":"a","args":{}}"#, 400, "bad-shape", "\"args\" is an array"),
      (#"{"service":"s","method":"a","kwargs":[]}"#, 400, "bad-shape", "\"kwargs\" an object"),
      (#"{"service":"s","method":"a","kwargs":{"$bin":""}}"#, 400, "bad-shape", "\"kwargs\" an object"),
      (#"{"service":"s","method":"a","args":[1,]}"#, 400, "bad-json", "(byte 39)"),
      (#"{"service":"s","method":"a",}"#, 400, "bad-json", "(byte 29)"),
      (#"{"service":"s","method":"a","timeout":"2"}"#, 400, "bad-timeout", "no number of seconds"),
      (#"{"service":"s","method":"a","timeout":0}"#, 400, "bad-timeout", "above zero"),
      (#"{"service":"s","method":"a","topic":"t"}"#, 400, "bad-shape", "pubsub service has a \"topic\""),
      (#"{"service":"t","method":"a"}"#, 404, "no-such-service", "no service \"t\""),
      (#"{"service":"s","method":"secret"}"#, 404, "not-exposed", "not exposed"),
      (#"{"service":"s","method":"_a"}"#, 404, "not-exposed", "no name of a method"),
      (#"{"service":"s","method":"a","args":[18446744073709551616]}"#, 422, "not-encodable", "integers travel"),
    ])
  func faults(item: String, status: Int, code: String, detail: String) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("methods: { hide: [secret] }")
      async let reply = gateway.http.post("/batch", "[\(item),\(self.item("b", #""id":"good""#))]")
      try await backend.answerNext(.int(7))
      let answers = try await reply.json.elements
      #expect(answers.count == 2)
      #expect(answers[0]["id"] == 0)
      #expect(answers[0]["status"] == .number("\(status)"))
      #expect(answers[0]["error"]["code"] == .string(code))
      #expect(answers[0]["error"]["sent"] == false)
      #expect(answers[0]["error"]["detail"].text?.contains(detail) == true, "\(answers[0])")
      if status == 422 { #expect(answers[0]["error"]["pointer"] == "/0/args/0") }
      #expect(answers[1] == ["id": "good", "status": 200, "result": 7])
    }
  }

  @Test("bears the id of an item that is wrong otherwise, and refuses what is no id", arguments: ["[]", "{}", "true"])
  func ids(id: String) async throws {
    let reply = try await Rig.http.post("/batch", #"[{"x":1,"id":"a"},{"id":\#(id),"service":"math","method":"add"}]"#)
    #expect(reply.json.elements.map { $0["id"] } == ["a", 1])
    #expect(reply.json.elements.map { $0["status"] } == [400, 400])
  }

  @Test(
    "is refused as a whole when it is no array",
    arguments: [("", "bad-shape"), ("{}", "bad-shape"), ("1", "bad-shape"), ("[1", "bad-json"), ("[{}] x", "bad-json")])
  func whole(body: String, code: String) async throws {
    let reply = try await Rig.http.post("/batch", body)
    #expect(reply.status == 400)
    #expect(reply.json["code"] == .string(code))
  }

  @Test("as long as http.limits.batch is answered, one item more is refused, and none is an empty array")
  func longest() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(http: "limits: { batch: 2 }")
      async let reply = gateway.http.post("/batch", "[\(item("a")),\(item("b"))]")
      for _ in 0..<2 { try await backend.answerNext(.nil) }
      #expect(try await reply.json.elements.map { $0["status"] } == [200, 200])
      let refused = try await gateway.http.post("/batch", "[\(item("a")),\(item("b")),\(item("c"))]")
      #expect(refused.status == 400)
      #expect(refused.json["detail"].text?.contains("http.limits.batch") == true)
      #expect(await backend.waiting == 0)
      #expect(try await gateway.http.post("/batch", "[]").body == "[]")
    }
  }

  @Test("takes POST only, and what it answers with has to be accepted")
  func verbs() async throws {
    let http = try await Rig.http
    let get = try await http.get("/batch")
    #expect(get.status == 405)
    #expect(get.headers["allow"] == "POST, OPTIONS")
    #expect(try await http.post("/batch", "[]", headers: ["Accept": "text/html"]).status == 406)
    for (accept, type) in [
      ("application/x-ndjson", "application/x-ndjson"), ("*/*", "application/json"),
      ("application/json, application/x-ndjson;q=0.5", "application/json"),
      ("application/json;q=0.5, application/x-ndjson", "application/x-ndjson"),
      ("application/x-ndjson;q=0, */*", "application/json"),
    ] {
      let reply = try await http.post("/batch", "[]", headers: ["Accept": accept])
      #expect(reply.headers["content-type"] == type, "\(accept)")
      #expect(reply.body == (type == "application/json" ? "[]" : ""))
    }
  }

  @Test("comes in lines, each as its call ends")
  func streamed() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(http: "limits: { inline: 4KiB }")
      let body = "[\(item("slow", #""id":"s""#)),\(item("quick")),{}]"
      let client = try gateway.http.begin(
        "POST", "/batch", headers: Self.lines.merging(["Content-Type": "application/json"]) { $1 }, body: body)
      let head = try await offThread { try client.head() }
      #expect(head.status == 200)
      #expect(head.headers["content-type"] == "application/x-ndjson")
      #expect(try await offThread { try client.chunkText() }.hasPrefix(#"{"id":2,"status":400,"error":{"#))
      let (slow, quick) = (try await backend.call(), try await backend.call())
      try await backend.answer(quick, [7])
      #expect(try await offThread { try client.chunkText() } == "{\"id\":1,\"status\":200,\"result\":7}\n")
      let text = String(repeating: "x", count: 5_000)
      try await backend.answer(slow, Value.string(text).packed)
      var rest = ""
      while let chunk = try await offThread({ try client.chunk() }) { rest += String(decoding: chunk, as: UTF8.self) }
      #expect(rest == "{\"id\":\"s\",\"status\":200,\"result\":\"\(text)\"}\n")
    }
  }

  @Test("whose client leaves frees the places of its calls", arguments: [[:], lines])
  func leaving(headers: [String: String]) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("in-flight: 2")
      let client = try gateway.http.begin(
        "POST", "/batch", headers: headers.merging(["Content-Type": "application/json"]) { $1 },
        body: "[\(item("a")),\(item("b"))]")
      for _ in 0..<2 { _ = try await backend.call() }
      #expect(try await gateway.http.post("/rpc/s/probe?_timeout=0.05").json["code"] == "overloaded")
      client.disconnect()
      try await eventually("free places") {
        try await gateway.http.post("/rpc/s/probe?_timeout=0.05").status != 503
      }
    }
  }

  @Test("holds each item to its own deadline, else to that of the request")
  func deadlines() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      let time = try await duration {
        async let reply = gateway.http.post("/batch?_timeout=0.1", "[\(item("a")),\(item("b", #""timeout":50"#))]")
        let calls = [try await backend.call(), try await backend.call()]
        try await eventually("the first deadline") {
          // A call of its own with the same deadline ends after it.
          try await gateway.http.post("/rpc/s/other?_timeout=0.1").status == 504
        }
        try await backend.answer(calls[1], [7])
        let answers = try await reply.json.elements
        #expect(answers.map { $0["status"] } == [504, 200])
        #expect(answers[0]["error"]["sent"] == true)
      }
      #expect(time < .seconds(25))
    }
  }

  @Test("whose answers have no room together tells it in their places")
  func memory() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(http: "limits: { memory: 1MiB, inline: 1MiB }")
      async let reply = gateway.http.post("/batch", "[\(item("a")),\(item("b")),\(item("c"))]")
      let text = Value.string(String(repeating: "x", count: 200_000)).packed
      for _ in 0..<3 { try await backend.answer(try await backend.call(), text) }
      let answers = try await reply.json.elements
      #expect(answers[0]["status"] == 200)
      #expect(answers[2]["status"] == 502)
      #expect(answers[2]["error"]["code"] == "reply-too-large")
      try await eventually("the memory is given back") {
        async let reply = gateway.http.post("/batch", "[\(item("a"))]")
        try await backend.answer(try await backend.call(), text)
        return try await reply.json[0]["status"] == 200
      }
    }
  }
}
