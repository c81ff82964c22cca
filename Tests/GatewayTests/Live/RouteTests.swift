import Gateway
import MessagePack
import Support
import Testing

/// REST routes in front of a Python service. `make test` sets ZMQ_GATEWAY_PYTHON.
@Suite("REST routes", .inTurn(minutes: 3), .enabled(if: Python.isThere, "\(Python.comment)"))
struct RouteTests {
  private static let gateway = Task { () -> LiveGateway in
    let peer = try await PythonPeer.shared.value
    let yaml = """
      http: { listen: ["127.0.0.1:0"], threads: 2, prefix: /api }
      services:
        s:
          pattern: rpc
          connect: ["\(peer.rpc)"]
          methods: { safe: [echo_call], settings: { slow: { timeout: 100ms } } }
          routes:
            GET /users/{id}: "echo_call(id:int, limit:float?, all:bool?, name?, filter:json?)"
            PUT /users/{id}: "echo_call(id:int, user:json, size:float?, name:str?)"
            DELETE /users/{id}: echo_call
            GET /users/me: echo_call
            GET /users/me/{x}/z: echo_call
            GET /users/{a}/{b}/y: echo_call
            GET /files/{path+}: echo_call
            POST /slow/{seconds}: "slow(seconds:float)"
            PATCH /users: "echo_call(a:int)"
      """
    let configuration = try Configuration.load(yaml: yaml, file: "routes.yaml")
    let live = LiveGateway(try await Gateway.start(configuration, logger: Rig.logger))
    try await live.isConnected("/api/rpc/s/ping")
    return live
  }

  private static var http: HTTPClient {
    get async throws { try await gateway.value.http }
  }

  @Test("take a body in MessagePack, and answer in it")
  func packed() async throws {
    let headers = ["Content-Type": "application/msgpack", "Accept": "application/msgpack"]
    let body: Value = ["user": ["a": .binary([1])], "size": 2]
    let reply = try await Self.http.send("PUT", "/api/users/5", headers: headers, body: body.packed)
    let called: Value = [[], ["id": 5, "user": ["a": .binary([1])], "size": 2.0]]
    #expect(reply.status == 200)
    #expect(reply.bytes == called.packed)
    for (wrong, code) in [
      ([0x82, 0xA1], "bad-msgpack"), ([0x91, 0x01], "bad-shape"),
      ([0x81, 0xA4] + "user".bytes + [0xD4, 0x7E, 0], "not-encodable"),
    ] as [([UInt8], JSON)] {
      #expect(try await Self.http.send("PUT", "/api/users/5", headers: headers, body: wrong).json["code"] == code)
    }
  }

  @Test(
    "pass what stands in path and query, by keyword and with its type",
    arguments: [
      ("/users/5", #"{"id":5}"#), ("/users/-5?limit=2", #"{"id":-5,"limit":2.0}"#),
      ("/users/5?limit=1.5&all=true", #"{"id":5,"limit":1.5,"all":true}"#),
      ("/users/5?all:=false&limit:=2", #"{"id":5,"limit":2.0,"all":false}"#),
      ("/users/5?name=7", #"{"id":5,"name":"7"}"#), ("/users/5?name:=%22a%22", #"{"id":5,"name":"a"}"#),
      ("/users/5?filter=%5B1,null%5D&_timeout=20", #"{"id":5,"filter":[1,null]}"#),
      ("/users/18446744073709551615", #"{"id":18446744073709551615}"#), ("/users/me", "{}"),
      ("/users/%6de", "{}"), ("/users/me/q/y", #"{"a":"me","b":"q"}"#), ("/users/me/q/z", #"{"x":"q"}"#),
      ("/files/a/b%20c/%C3%A4?", #"{"path":"a/b c/ä"}"#),
    ])
  func fetching(target: String, keywords: String) async throws {
    let reply = try await Self.http.get("/api\(target)")
    #expect(reply.status == 200)
    #expect(reply.body == "[[],\(keywords)]")
    #expect(reply.headers["etag"] != nil)
    let head = try await Self.http.send("HEAD", "/api\(target)")
    #expect(head.status == 200)
    #expect(head.headers["etag"] == reply.headers["etag"])
  }

  @Test(
    "pass what stands in the body, where there is one",
    arguments: [
      ("PUT", "/users/5", #"{"user":{"a":[1]}}"#, #"{"id":5,"user":{"a":[1]}}"#),
      ("PUT", "/users/5", #"{"size":2,"user":null}"#, #"{"id":5,"user":null,"size":2.0}"#),
      ("PUT", "/users/5?size=3", #"{"user":{"$bin":"AAE="}}"#, #"{"id":5,"user":{"$bin":"AAE="},"size":3.0}"#),
      ("DELETE", "/users/5", "", #"{"id":"5"}"#), ("PATCH", "/users", #"{"a":1}"#, #"{"a":1}"#),
    ])
  func submitting(verb: String, target: String, body: String, keywords: String) async throws {
    let json = ["Content-Type": "application/json"]
    let reply = try await Self.http.send(verb, "/api\(target)", headers: json, body: body.bytes)
    #expect(reply.status == 200)
    #expect(reply.body == "[[],\(keywords)]")
    #expect(reply.headers["etag"] == nil)
  }

  @Test(
    "refuse what does not fit, and say what would",
    arguments: [
      ("GET", "/users/x", "", 400, "bad-query", #"{id} in the path is of type int, which "x" is not."#),
      ("GET", "/users/5.0", "", 400, "bad-query", #"{id} in the path is of type int, which "5.0" is not."#),
      ("GET", "/users/007", "", 400, "bad-query", #"{id} in the path is of type int, which "007" is not."#),
      (
        "GET", "/users/18446744073709551616", "", 400, "bad-query",
        #"{id} in the path is of type int, which "18446744073709551616" is not."#
      ),
      ("GET", "/users/5?all=1", "", 400, "bad-query", #""all" in the query is of type bool, which "1" is not."#),
      ("GET", "/users/5?name:=7", "", 400, "bad-query", #""name" in the query is of type str, which "7" is not."#),
      (
        "GET", "/users/5?limit:=9007199254740993", "", 400, "bad-query",
        #""limit" in the query is of type float, which "9007199254740993" is not."#
      ),
      ("GET", "/users/5?filter=x", "", 400, "bad-query", #""filter" in the query is of type json, which "x" is not."#),
      (
        "GET", "/users/5?limi=1", "", 400, "bad-query",
        #""limi" in the query is no argument here; did you mean "limit"?"#
      ),
      ("GET", "/users/5?id=6", "", 400, "bad-query", #""id" is given twice; the second one stands in the query."#),
      ("GET", "/users/5?arg=6", "", 400, "bad-query", #"This path takes no "arg"; its arguments have names."#),
      ("GET", "/users/5?_limit=6", "", 400, "unknown-parameter", #""_limit" is no control parameter here."#),
      (
        "PUT", "/users/5", "", 400, "invalid-argument", #""user" is missing; it is a member of the body, of type json."#
      ),
      (
        "PUT", "/users/5", #"{"usr":1}"#, 400, "invalid-argument",
        #""usr" in the body is no argument here; did you mean "user"?"#
      ),
      ("PUT", "/users/5", #"{"user":1,"name":2}"#, 400, "invalid-argument", #""name" is of type str."#),
      (
        "PUT", "/users/5", #"{"user":1,"id":5}"#, 400, "invalid-argument",
        #""id" is given twice; the second one stands in the body."#
      ),
      (
        "PUT", "/users/5", "[1]", 400, "bad-shape",
        "The body of this path is a JSON object whose members are the arguments by name."
      ),
      ("PUT", "/users/5", "{", 400, "bad-json", nil), ("GET", "/users/%FF", "", 400, "bad-target", nil),
    ] as [(String, String, String, Int, String, String?)])
  func misfits(
    verb: String, target: String, body: String, status: Int, code: String, detail: String?
  ) async throws {
    let headers = body.isEmpty ? [:] : ["Content-Type": "application/json"]
    let reply = try await Self.http.send(
      verb, "/api\(target)", headers: headers, body: body.isEmpty ? nil : body.bytes)
    #expect(reply.status == status)
    #expect(reply.json["code"] == .string(code))
    #expect(reply.json["sent"] == false)
    if let detail { #expect(reply.json["detail"] == .string(detail)) }
    if code == "invalid-argument", reply.json["detail"].text?.contains("missing") != true {
      #expect(reply.json["pointer"] != .null)
    }
  }

  @Test("take the verbs that they have, and name them")
  func verbs() async throws {
    let http = try await Self.http
    for (target, allow) in [
      ("/users/7", "GET, HEAD, PUT, DELETE, OPTIONS"), ("/users/me", "GET, HEAD, OPTIONS"),
      ("/users", "OPTIONS, PATCH"), ("/slow/1", "POST, OPTIONS"),
    ] {
      let options = try await http.send("OPTIONS", "/api\(target)")
      #expect(options.status == 204)
      #expect(options.headers["allow"] == allow)
      let wrong = try await http.send("TRACE", "/api\(target)")
      #expect(wrong.status == 405)
      #expect(wrong.headers["allow"] == allow)
    }
  }

  @Test("lead from nowhere else", arguments: ["/users/", "/users/5/6", "/users/5/", "/files", "/files/", "/Users/5"])
  func elsewhere(target: String) async throws {
    let reply = try await Self.http.get("/api\(target)")
    #expect(reply.json["code"] == "no-such-route")
  }

  @Test("are among what may have been meant")
  func hint() async throws {
    let reply = try await Self.http.get("/api/user/5")
    #expect(reply.json["detail"] == "Nothing is served at this path; did you mean /api/users/5?")
  }

  @Test("make calls as any other: with the settings of their method, and refused to foreign pages")
  func calls() async throws {
    let http = try await Self.http
    #expect(try await http.post("/api/slow/2").json["code"] == "timeout")
    let foreign = ["Origin": "https://evil.example"]
    #expect(try await http.send("DELETE", "/api/users/5", headers: foreign).status == 403)
  }

  @Test("stand in the served interface, which is valid OpenAPI")
  func document() async throws {
    let http = try await Self.http
    let json = try await http.get("/api/openapi.json").json
    let item = json["paths"]["/users/{id}"]
    #expect(item.members.map(\.key) == ["get", "head", "put", "delete"])
    #expect(item["get"]["summary"] == "Call the method echo_call of the service s.")
    let operations = json["paths"].members.flatMap { $0.value.members.map(\.value) }.filter { $0["responses"] != .null }
    let ids = operations.compactMap { $0["operationId"].text }
    #expect(ids.count > 20 && ids.count == operations.count && Set(ids).count == ids.count)
    #expect(item["get"]["operationId"] == "s.echo_call.route")
    #expect(item["put"]["requestBody"]["content"]["application/json"]["schema"]["required"] == ["user"])
    #expect(json["paths"]["/files/{path}"]["get"] != .null)
    let directory = try TemporaryDirectory()
    let file = try directory.file("openapi.yaml", try await http.get("/api/openapi.yaml").body)
    let validator = try Subprocess(
      Python.path ?? "", ["-m", "openapi_spec_validator", file], complaints: .withOutput)
    let output = try await validator.rest()
    #expect(try await validator.ended() == 0, "\(output)")
  }
}
