import Gateway
import MessagePack
import Support
import Testing
import ZeroMQ

/// Methods whose signatures stand in the configuration: calls with other arguments are refused before anything is sent.
@Suite("A declared method", .inTurn(minutes: 3))
struct DeclaredMethodTests {
  private static let methods = """
    methods:
      safe: [add]
      declare:
        add: "(a:int, b:float?, *, name:str | None?) -> float"
        rest: "(*values:list[int], **others:dict[str, bytes])"
        any: "(x)"
    """

  @Test(
    "refuses what is not of its types, with what is wrong",
    arguments: [
      ("add", "[]", "\"a\" is missing; \"add\" needs it."), ("add", #"{"b":1}"#, "\"a\" is missing; \"add\" needs it."),
      ("add", #"["x"]"#, "\"a\" is of type int."), ("add", "[1.0]", "\"a\" is of type int."),
      ("add", "[true]", "\"a\" is of type int."), ("add", "[null]", "\"a\" is of type int."),
      (
        "add", #"[1,"2"]"#,
        "\"b\" is of type float, and \"2\" is text: write 2 without quotes, in a query arg:=2."
      ), ("add", #"{"a":1,"name":5}"#, "\"name\" is of type str | None."),
      ("add", "[1,2,3]", "\"add\" takes at most 2 by position, and was given 3."),
      ("add", #"{"a":1,"nmae":"x"}"#, "\"nmae\" is no argument of \"add\"; did you mean \"name\"?"),
      ("add", #"{"a":1,"zzzzzz":"x"}"#, "\"zzzzzz\" is no argument of \"add\"."),
      ("add", #"{"args":[1],"kwargs":{"a":1}}"#, "\"a\" is given twice."),
      ("rest", "[[1],[2,3.5]]", "\"values\" is of type list[int]."),
      ("rest", "[1]", "\"values\" is of type list[int]."),
      ("rest", #"{"k":{"a":{"$bin":"AA=="},"b":"AA=="}}"#, "\"k\" is of type dict[str, bytes]."),
      ("any", "[1,2]", "\"any\" takes at most 1 by position, and was given 2."),
    ])
  func refused(method: String, body: String, detail: String) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend(Self.methods)
      let reply = try await gateway.http.post("/rpc/s/\(method)", body)
      #expect(reply.status == 400)
      #expect(reply.json["code"] == "invalid-argument")
      #expect(reply.json["sent"] == false)
      #expect(reply.json["detail"].text == detail)
    }
  }

  @Test(
    "is told with a pointer to the argument that is wrong, wherever it stands",
    arguments: [
      ("/rpc/s/add", #"["x"]"#, "", "/0"), ("/rpc/s/add", #"{"a":1,"name":5}"#, "", "/name"),
      ("/rpc/s/add", #"{"args":[1,"2"]}"#, "", "/args/1"), ("/rpc/s/add", #"{"kwargs":{"a":"x"}}"#, "", "/kwargs/a"),
      ("/rpc/s/add", #"{"a":1,"n/m~e":"x"}"#, "", "/n~1m~0e"), ("/rpc/s/add", "[1,2,3]", "", "/2"),
      ("/rpc/s/add", #"{"args":[1],"kwargs":{"a":1}}"#, "", "/kwargs/a"), ("/rpc/s/add", "{}", "", nil),
      (
        "/batch", #"[{"service":"s","method":"any","args":[1,2]},{"service":"s","method":"add","kwargs":{"a":"x"}}]"#,
        "1.error", "/1/kwargs/a"
      ),
      ("/batch", #"[{"service":"s","method":"add","args":["x"]}]"#, "0.error", "/0/args/0"),
      ("/jsonrpc/s", #"{"jsonrpc":"2.0","id":1,"method":"add","params":["x"]}"#, "error.data", "/params/0"),
      (
        "/jsonrpc/s", #"[{"jsonrpc":"2.0","id":1,"method":"add","params":{"a":"x"}}]"#, "0.error.data", "/0/params/a"
      ),
    ] as [(String, String, String, String?)])
  func pointers(target: String, body: String, path: String, pointer: String?) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend(Self.methods)
      var problem = try await gateway.http.post(target, body).json
      for step in path.split(separator: ".") { problem = Int(step).map { problem[$0] } ?? problem[String(step)] }
      #expect(problem["code"] == "invalid-argument", "\(problem)")
      #expect(problem["pointer"] == pointer.map { .string($0) } ?? .null, "\(problem)")
    }
  }

  @Test(
    "tells a query whose text would fit as JSON what to write",
    arguments: [
      ("a=5", "\"a\" is of type int, and \"5\" is text: write 5 without quotes, in a query a:=5.", "/kwargs/a"),
      ("arg=5", "\"a\" is of type int, and \"5\" is text: write 5 without quotes, in a query arg:=5.", "/args/0"),
      ("a=x", "\"a\" is of type int.", "/kwargs/a"), ("a=5.5", "\"a\" is of type int.", "/kwargs/a"),
    ])
  func query(query: String, detail: String, pointer: String) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend(Self.methods)
      let reply = try await gateway.http.get("/rpc/s/add?\(query)")
      #expect(reply.status == 400)
      #expect(reply.json["detail"].text == detail)
      #expect(reply.json["pointer"].text == pointer)
    }
  }

  @Test("gives its result and its parameters to the document of its routes too")
  func routes() async throws {
    let yaml = """
      services:
        s:
          pattern: rpc
          connect: ["ipc:///nowhere/s"]
          methods:
            safe: [find]
            declare:
              find: "(id:int, name:str?, *tags:str, **more:int) -> list[str]"
          routes: { "GET /things/{id}": "find(id:int)", "POST /things/{id}": "find(id:int, name:str?)" }
      """
    let document = OpenAPIDocument(try Configuration.load(yaml: yaml, file: "gateway.yaml"))
    let paths = try #require(JSON(String(decoding: document.json, as: UTF8.self)))["paths"]
    for verb in ["get", "head", "post"] {
      let result = paths["/things/{id}"][verb]["responses"]["200"]["content"]["application/json"]["schema"]
      #expect(result.description == #"{"type":"array","items":{"type":"string"}}"#, "\(verb)")
    }
    let find = paths["/rpc/s/find"]
    let body = find["post"]["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    #expect(
      body[0].description
        == #"{"type":"object","properties":{"id":{"type":"integer"},"name":{"type":"string"}},"required":["id"],"additionalProperties":{"type":"integer"}}"#
    )
    #expect(body[1]["type"] == "array")
    // What else may be given keeps its place behind those that are named.
    let parameters = find["get"]["parameters"].elements
    #expect(parameters.compactMap { $0["name"].text } == ["id:", "name"])
    for name in ["Keywords", "Positional"] {
      #expect(parameters.contains(["$ref": .string("#/components/parameters/\(name)")]), "\(name)")
    }
  }

  @Test(
    "takes what is of its types, and passes it on as it is",
    arguments: [
      ("add", "[1]"), ("add", "[18446744073709551615,2]"), ("add", #"{"a":1,"b":2.5,"name":"x"}"#),
      ("add", #"{"args":[1,2.5],"kwargs":{"name":null}}"#), ("rest", "[]"), ("rest", "[[],[1,2]]"),
      ("rest", #"{"args":[[1]],"kwargs":{"values":{},"k":{"a":{"$bin":"AA=="}}}}"#), ("any", #"[{"a":[null]}]"#),
      ("undeclared", "[1,2,3]"),
    ])
  func taken(method: String, body: String) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(Self.methods)
      async let reply = gateway.http.post("/rpc/s/\(method)", body)
      let call = try await backend.call()
      #expect(call.method == method)
      try await backend.answer(call, [0x01])
      #expect(try await reply.status == 200)
    }
  }

  @Test("is held to by GET, batches, JSON-RPC and calls that nobody waits for")
  func others() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend(Self.methods)
      let fetched = try await gateway.http.get("/rpc/s/add?a=2")
      #expect(fetched.status == 400)
      #expect(fetched.json["code"] == "invalid-argument")
      let batch = try await gateway.http.post("/batch", #"[{"service":"s","method":"add","args":["x"]}]"#)
      #expect(batch.json[0]["status"] == 400)
      #expect(batch.json[0]["error"]["code"] == "invalid-argument")
      let call = #""jsonrpc":"2.0","method":"add","params":["x"]"#
      let told = try await gateway.http.post("/jsonrpc/s", "{\(call),\"id\":1}")
      #expect(told.json["error"]["code"] == -32602)
      #expect(try await gateway.http.post("/jsonrpc/s", "{\(call)}").status == 204)
      let started = try await gateway.http.post("/rpc/s/add", #"["x"]"#, headers: ["Prefer": "respond-async"])
      #expect(started.status == 400)
    }
  }

  @Test("of a pipeline and of a publisher refuse as well")
  func oneWay() async throws {
    try await Rig.with { rig in
      let (worker, subscriber) = (
        try await rig.wire(.pull), try await rig.wire(.subscribe, bind: rig.directory.endpoint("p"))
      )
      try await subscriber.subscribe("")
      let declared = "methods: { declare: { go: \"(n:int)\" } }"
      let gateway = try await rig.gateway(
        """
        s: { pattern: pipeline, connect: ["\(await worker.endpoint)"], \(declared) }
        p: { pattern: pubsub, publish: { connect: ["\(await subscriber.endpoint)"] }, \(declared) }
        """, threads: 1)
      for target in ["/push/s/go", "/pub/p/-/go"] {
        try await gateway.isConnected(target, "[1]")
        let refused = try await gateway.http.post(target, #"["1"]"#)
        #expect(refused.status == 400)
        #expect(
          refused.json["detail"]
            == "\"n\" is of type int, and \"1\" is text: write 1 without quotes, in a query arg:=1.")
        #expect(refused.json["pointer"] == "/0")
        #expect(try await gateway.http.post(target, "[1]").status == 202)
      }
    }
  }

  @Test("stands in the interface document with its types, before what the service says of itself")
  func document() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend(Self.methods)
      let paths = try await gateway.http.get("/openapi.json").json["paths"]
      let add = paths["/rpc/s/add"]
      #expect(
        add["post"]["requestBody"]["content"]["application/json"]["schema"].description
          == #"{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"number"},"name":{"type":["string","null"]}},"required":["a"],"additionalProperties":false}"#
      )
      #expect(
        add["post"]["responses"]["200"]["content"]["application/json"]["schema"].description
          == #"{"type":["number","null"]}"#)
      #expect(add["get"]["parameters"].elements.map { $0["name"] }.prefix(3) == ["a:", "b:", "name:"])
      #expect(paths["/rpc/s/rest"]["post"] != .null)
      #expect(try await gateway.http.get("/").json["services"][0]["methods"].elements.count == 3)
    }
  }
}
