import Gateway
import Support
import Testing

/// What a Python service raises, as HTTP shows it. `make test` sets ZMQ_GATEWAY_PYTHON.
@Suite("remote exceptions", .inTurn(minutes: 3), .enabled(if: Python.isThere, "\(Python.comment)"))
struct RemoteErrorTests {
  /// The contract's table for classes of Python's; what is not in it is 500.
  static let statuses: [String: Int] = {
    var statuses: [String: Int] = [:]
    let table: [(Int, [String])] = [
      (
        400,
        [
          "ValueError", "UnicodeError", "UnicodeDecodeError", "UnicodeEncodeError", "UnicodeTranslateError",
          "IndexError",
          "OverflowError",
        ]
      ), (403, ["PermissionError"]),
      (404, ["KeyError", "LookupError", "FileNotFoundError", "NotADirectoryError", "IsADirectoryError"]),
      (409, ["FileExistsError"]), (501, ["NotImplementedError"]), (504, ["TimeoutError"]), (503, ["BlockingIOError"]),
      (
        502,
        [
          "ConnectionError", "ConnectionResetError", "ConnectionRefusedError", "ConnectionAbortedError",
          "BrokenPipeError",
          "EOFError",
        ]
      ),
    ]
    for (status, names) in table { for name in names { statuses[name] = status } }
    return statuses
  }()

  @Test("RPC-5: every builtin exception has the status of the contract")
  func builtins() async throws {
    let http = try await Rig.http
    let names = try await http.post("/rpc/math/builtin_exceptions").json.elements.compactMap(\.text)
    #expect(names.count > 50)
    // These want arguments of their own.
    let special = ["UnicodeDecodeError", "UnicodeEncodeError", "UnicodeTranslateError", "ExceptionGroup"]
    for name in names where !special.contains(name) && !name.hasPrefix("Stop") {
      let reply = try await http.post("/rpc/math/exc.\(name)", #"["x"]"#)
      // Python 3.13 has some whose methods here nobody may call.
      if name.hasPrefix("_") {
        #expect(reply.json["code"] == "not-exposed")
        continue
      }
      // Aliases arrive under the name of their class.
      let raised = name == "IOError" || name == "EnvironmentError" ? "OSError" : name
      #expect(reply.status == Self.statuses[name] ?? 500, "\(name): \(reply.body)")
      #expect(reply.json["exception"]["type"] == .string("builtins.\(raised)"))
      #expect(reply.json["exception"]["args"] == ["x"])
      #expect(reply.json["exception"]["repr"] == .string("\(raised)('x')"))
      #expect(reply.json["code"] == "remote-exception")
      #expect(reply.json["origin"] == "backend")
      #expect(reply.json["sent"] == true)
      #expect(reply.json["retryable"] == false)
      #expect(reply.headers["content-type"] == "application/problem+json")
      #expect(reply.headers["gateway-error"] == "remote-exception")
      #expect((reply.headers["retry-after"] != nil) == (reply.status == 503))
    }
  }

  @Test(
    "the Unicode errors, with arguments of their own, are 400",
    arguments: [
      ("UnicodeDecodeError", #"["utf-8",{"$bin":"/w=="},0,1,"bad"]"#),
      ("UnicodeEncodeError", #"["ascii","é",0,1,"bad"]"#), ("UnicodeTranslateError", #"["é",0,1,"bad"]"#),
    ])
  func unicode(name: String, arguments: String) async throws {
    let reply = try await Rig.http.post("/rpc/math/exc.\(name)", arguments)
    #expect(reply.status == 400)
    #expect(reply.json["exception"]["type"] == .string("builtins.\(name)"))
  }

  @Test(
    "aiozmq's own errors",
    arguments: [
      ("nothing", "[]", 404, "no-such-method"), ("math.nothing.at.all", "[]", 404, "no-such-method"),
      ("unmarked", "[]", 404, "no-such-method"), ("math", "[]", 404, "no-such-method"),
      ("add", "[]", 400, "invalid-argument"), ("add", "[1,2,3]", 400, "invalid-argument"),
      ("add", #"{"a":1,"zz":2}"#, 400, "invalid-argument"), ("keyword_only", "[1,2]", 400, "invalid-argument"),
      ("validated.add", #"["x",1]"#, 400, "invalid-argument"), ("add", #"[1,"x"]"#, 500, "remote-exception"),
      ("unpackable_result", "[]", 500, "remote-exception"),
    ])
  func own(method: String, arguments: String, status: Int, code: String) async throws {
    let reply = try await Rig.http.post("/rpc/math/\(method)", arguments)
    #expect(reply.status == status)
    #expect(reply.json["code"] == .string(code))
    #expect(reply.json["origin"] == "backend")
    #expect(reply.json["sent"] == true)
    #expect(reply.headers["gateway-error"] == code)
  }

  @Test("RPC-5: an unknown class is 500 with its name, arguments and repr, as Python's client sees them")
  func unknown() async throws {
    let peer = try await PythonPeer.shared.value
    let reply = try await Rig.http.post("/rpc/math/untranslated_error", #"["a",1,{"$bin":"AA=="}]"#)
    #expect(reply.status == 500)
    #expect(reply.json["exception"]["type"] == "peer.Unlisted")
    #expect(reply.json["exception"]["args"] == ["a", 1, ["$bin": "AA=="]])
    #expect(reply.json["exception"]["repr"] == #"Unlisted('a', 1, b'\x00')"#)
    let call = #"{"method":"untranslated_error","args":["a",1,{"$bytes":"00"}]}"#
    let python = try await Python.lines(of: "peer_calls.py", [peer.rpc], input: call + "\n")
    let error = python.first?["error"] ?? .null
    #expect(error["exc_type"] == reply.json["exception"]["type"])
    #expect(error["exc_repr"] == reply.json["exception"]["repr"])
    #expect(error["arguments"].asGatewayShows == reply.json["exception"]["args"])
  }

  @Test("a service may say how much is shown, and with which status")
  func exposure() async throws {
    let http = try await Rig.http
    let reply = try await http.post("/rpc/strict/exc.KeyError", #"["secret"]"#)
    #expect(reply.status == 409)
    #expect(reply.json["exception"] == ["type": "builtins.KeyError"])
    #expect(!reply.body.contains("secret"))
    #expect(try await http.post("/rpc/strict/custom_error", "[]").status == 418)
  }

  @Test("a gateway that other machines reach shows what callers can mend, and of the rest the class")
  func reachable() async throws {
    let peer = try await PythonPeer.shared.value
    try await Rig.with { rig in
      let yaml = """
        http: { listen: ["0.0.0.0:0"], threads: 1 }
        auth: none
        services: { s: { pattern: rpc, connect: ["\(peer.rpc)"] } }
        """
      let configuration = try Configuration.load(yaml: yaml, file: "test.yaml")
      let gateway = LiveGateway(try await Gateway.start(configuration, logger: Rig.logger))
      rig.cleanup.add { await gateway.stop() }
      let mendable = try await gateway.connectedPost("/rpc/s/exc.ValueError", #"["told"]"#)
      #expect(mendable.status == 400)
      #expect(mendable.json["exception"] == ["type": "builtins.ValueError", "args": ["told"]])
      let other = try await gateway.connectedPost("/rpc/s/exc.RuntimeError", #"["secret"]"#)
      #expect(other.status == 500)
      #expect(other.json["exception"] == ["type": "builtins.RuntimeError"])
      #expect(!other.body.contains("secret"))
    }
  }

  @Test("the instance is the path, and the request's id is the client's own")
  func instance() async throws {
    let reply = try await Rig.http.post(
      "/rpc/math/exc.ValueError?_timeout=20", "[]", headers: ["X-Request-Id": "abc-1"])
    #expect(reply.json["instance"] == "/rpc/math/exc.ValueError")
    #expect(reply.json["requestId"] == "abc-1")
    #expect(reply.json["type"] == "/problems/remote-exception")
  }
}
