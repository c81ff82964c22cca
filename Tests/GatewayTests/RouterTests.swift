import HTTPServer
import Support
import Testing

@testable import Gateway

@Suite("The router: a request target", .inTurn(minutes: 3))
struct RouterTests {
  static let name255 = String(repeating: "a", count: 255)
  static let topic245 = String(repeating: "t", count: 245)

  private func problem(_ target: String, prefix: String = "") async throws -> ProblemCode? {
    try await problem(Array(target.utf8), prefix: prefix)
  }

  private func problem(_ target: [UInt8], prefix: String = "") async throws -> ProblemCode? {
    try await RouterBench.with(prefix: prefix) { router in
      do throws(Problem) {
        _ = try router.route(Self.verb(of: target), target.span)
        return nil
      } catch {
        return error.code
      }
    }
  }

  /// A verb with which a target may lead somewhere.
  private static func verb(of target: [UInt8]) -> HTTPMethod {
    ["/sub", "/problems"].contains { target.starts(with: $0.utf8) } ? .get : .post
  }

  /// What a target leads to, in words.
  private func destination(_ target: String, prefix: String = "") async throws -> String {
    try await RouterBench.with(prefix: prefix) { router in
      switch try router.route(.post, Array(target.utf8).span).responder {
      case let call as CallResponder: "call \(call.method.text)"
      case let push as PushResponder: "push \(push.method.text)"
      case let publish as PublishResponder: "publish \(publish.topic) \(publish.method.text)"
      case let page as ProblemPageResponder: String(page.page.markdown.prefix { $0 != "\n" })
      case let other: "\(other)".hasPrefix("ReadyResponder") ? "ready" : "\(type(of: other)) \(other.methods.allow)"
      }
    }
  }

  @Test(
    "leads to its responder, with what it names",
    arguments: [
      ("/rpc/math/add", "call add"), ("/rpc/a.b-c_D9/ns.sub.get_x-1", "call ns.sub.get_x-1"),
      ("/rpc/_a/add_", "call add_"), ("/rpc/%6dath/a%64d", "call add"), ("/%72pc/math/b", "call b"),
      ("/rpc/\(name255)/\(name255)", "call \(name255)"), ("/push/jobs/run", "push run"),
      ("/pub/news/eu/created", "publish [101, 117] created"), ("/sub/news", "StreamResponder GET, HEAD, OPTIONS"),
      ("/sub/news?topic=a", "StreamResponder GET, HEAD, OPTIONS"), ("/live", "LiveResponder GET, HEAD, OPTIONS"),
      ("/ready?verbose", "ready"), ("/openapi.json", "OpenAPIResponder GET, HEAD, OPTIONS"),
      ("/openapi.yaml", "OpenAPIResponder GET, HEAD, OPTIONS"), ("/problems/timeout", "# timeout"),
      ("/problems", "# Problems"), ("/", "HomeResponder GET, HEAD, OPTIONS"),
      ("/?utm=x", "HomeResponder GET, HEAD, OPTIONS"),
      ("/rpc/math/add?", "call add"), ("/rpc/math/add?a=/../x", "call add"),
    ])
  func routes(target: String, responder: String) async throws {
    #expect(try await destination(target) == responder)
  }

  @Test("that names a service of another pattern, or none, is not found")
  func otherServices() async throws {
    for target in ["/rpc/jobs/a", "/rpc/none/a", "/push/math/a", "/pub/math/t/a", "/pub/quiet/t/a", "/sub/loud"] {
      #expect(try await problem(target) == .noSuchService, "\(target)")
    }
  }

  @Test("of a method that is hidden is not found")
  func hidden() async throws {
    for target in ["/rpc/math/secret", "/push/jobs/secret", "/pub/news/t/secret"] {
      #expect(try await problem(target) == .notExposed)
    }
  }

  @Test("* is for OPTIONS only")
  func asterisk() async throws {
    let allow = try await RouterBench.with { try $0.route(.options, Array("*".utf8).span).responder.methods.allow }
    #expect(allow == "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH")
    #expect(try await problem("*") == .badTarget)
  }

  @Test(
    "takes any bytes as a topic, decoded once",
    arguments: [
      ("-", []), ("%2D", [0x2D]), ("--", [0x2D, 0x2D]), ("%2F", [0x2F]), ("%00", [0]), ("%ff%FE", [0xFF, 0xFE]),
      ("%2541", Array("%41".utf8)), ("a+b", Array("a+b".utf8)), ("%2E%2e", [0x2E, 0x2E]), ("...", [0x2E, 0x2E, 0x2E]),
      (topic245, Array(topic245.utf8)), (String(repeating: "%74", count: 245), Array(topic245.utf8)),
    ] as [(String, [UInt8])])
  func topics(segment: String, topic: [UInt8]) async throws {
    #expect(try await destination("/pub/news/\(segment)/created") == "publish \(topic) created")
  }

  @Test(
    "with a topic that is empty, too long or badly escaped is malformed",
    arguments: ["", topic245 + "t", ".", "..", "%", "%4", "%4g", "%g4", "a%", "%-1"])
  func badTopics(segment: String) async throws {
    #expect(try await problem("/pub/news/\(segment)/created") == .badTarget)
  }

  @Test(
    "is malformed when it could be read in two ways",
    arguments: [
      "", "rpc/math/add", "*", "?", "http://h/rpc/math/add", "/rpc/math/a dd", "/rpc/math/add#x", "/rpc/math/add?a b",
      "/rpc/math/add?a#b", "/rpc/math/\u{1}", "/rpc/math/\u{7F}", "/rpc/math/ä", "/rpc/math/add?ä", "/rpc/math/%00",
      "/rpc/math/%1f", "/rpc/math/%7F", "/rpc/math/%0Aadd", "/rpc/ma%2Fth/add", "/rpc/math/a%2fdd", "/rpc/math/%",
      "/rpc/math/%4", "/rpc/math/%zz", "/rpc/%gg/add", "/%/math/add", "/./rpc/math/add", "/../rpc/math/add",
      "/rpc/../add", "/rpc/math/..", "/rpc/math/.", "/rpc/%2e%2E/add", "/rpc/math/%2e", "/..", "/sub/..",
      "/problems/%2e.", "/a/../live", "/live/..", "/live/.", "/rpc/./math/add", "/rpc/math/add/..", "/pub/news/t/x/..",
      "/a/.?b", "/.?a=/b",
    ])
  func malformed(target: String) async throws {
    #expect(try await problem(target) == .badTarget)
  }

  @Test(
    "is malformed when it holds a raw byte of 0x80 or more, or a control byte",
    arguments: [0x00, 0x1F, 0x20, 0x7F, 0x80, 0xFF] as [UInt8])
  func rawBytes(byte: UInt8) async throws {
    #expect(try await problem(Array("/rpc/math/add".utf8) + [byte]) == .badTarget)
    #expect(try await problem(Array("/pub/a/".utf8) + [byte] + Array("/b".utf8)) == .badTarget)
    #expect(try await problem(Array("/rpc/math/add?a=".utf8) + [byte]) == .badTarget)
  }

  @Test(
    "that has to be escaped is told how",
    arguments: [
      ("/sub/news?topic=a.>", "Byte 18 of the request target (\">\") must be percent-encoded: %3E."),
      ("/sub/a\u{1}", "Byte 6 of the request target must be percent-encoded: %01."),
      ("/sub/\u{E4}", "Byte 5 of the request target must be percent-encoded: %C3."),
    ])
  func escapes(target: String, detail: String) async throws {
    #expect(try await refusal(.get, target).detail == detail)
  }

  @Test(
    "of no route is not found",
    arguments: [
      "/rpc", "/rpc/", "/rpc/math", "/rpc/math/add/", "/rpc/math/add/x", "/push/a", "/pub/a/b", "/pub/a/b/c/d",
      "/sub", "/sub/a/", "/sub/a/topic", "/live/", "/livee", "/RPC/math/add", "//rpc/math/add", "/openapi",
      "/problems/a/b", "/problems/none", "/metrics/x", "/batch/x", "/calls", "/calls/", "/jsonrpc", "/jsonrpc/math/add",
      "/%20",
    ])
  func unknown(target: String) async throws {
    #expect(try await problem(target) == .noSuchRoute)
  }

  @Test(
    "of a name no service has is not found",
    arguments: ["", "a%20b", "a~b", "a:b", "a+b", "a%C3%A4", "a@b", name255 + "a"])
  func services(name: String) async throws {
    for target in ["/rpc/\(name)/add", "/push/\(name)/add", "/pub/\(name)/t/add", "/sub/\(name)"] {
      #expect(try await problem(target) == .noSuchService)
    }
  }

  @Test(
    "of a name no callable method has is not exposed",
    arguments: [
      "", "_private", "a._b", "_", "a._", "__init__", ".a", "a.", "a..b", "...", "a%20b", "a~b", "%5Fprivate", "a%2E_b",
      name255 + "a",
    ])
  func methods(name: String) async throws {
    for target in ["/rpc/math/\(name)", "/push/math/\(name)", "/pub/math/t/\(name)"] {
      #expect(try await problem(target) == .notExposed)
    }
  }

  private func refusal(_ method: HTTPMethod, _ target: String, prefix: String = "") async throws -> Problem {
    try await RouterBench.with(prefix: prefix) { router in
      do throws(Problem) {
        let route = try router.route(method, Array(target.utf8).span)
        return route.responder.refusal(of: method)
      } catch {
        return error
      }
    }
  }

  @Test(
    "that no verb of that name can lead anywhere says so, whatever it names",
    arguments: [
      ("/rpc/none/_a", HTTPMethod.put, "POST, OPTIONS"), ("/rpc/math/secret", .delete, "POST, OPTIONS"),
      ("/rpc/math/getSecret", .patch, "GET, HEAD, POST, OPTIONS"), ("/push/none/a", .get, "POST, OPTIONS"),
      ("/pub/none/t/a", .get, "POST, OPTIONS"), ("/sub/none", .post, "GET, HEAD, OPTIONS"),
      ("/jsonrpc/none", .get, "POST, OPTIONS"), ("/problems/none", .post, "GET, HEAD, OPTIONS"),
    ])
  func verbs(target: String, method: HTTPMethod, allow: String) async throws {
    let problem = try await refusal(method, target)
    #expect(problem.code == .methodNotAllowed)
    #expect(problem.allow == allow)
  }

  @Test(
    "of a name that is not there is told so when its verb could lead somewhere",
    arguments: [
      ("/rpc/none/a", HTTPMethod.get), ("/rpc/math/secret", .get), ("/sub/none", .head), ("/push/none/a", .options),
    ])
  func missing(target: String, method: HTTPMethod) async throws {
    #expect(try await refusal(method, target).status == 404)
  }

  @Test(
    "that leads nowhere is told what may have been meant",
    arguments: [
      ("/rcp/math/add", "did you mean /rpc/math/add?"), ("/rpcs", "did you mean /rpc?"),
      ("//rpc/math/add", "did you mean /rpc/math/add?"), ("//zzz", "calls go to /rpc/{service}/{method}."),
      ("/opanapi.json", "did you mean /openapi.json?"), ("/RPC/math/add", "did you mean /rpc/math/add?"),
      ("/rpc/math/stock/level", "did you mean /rpc/math/stock.level?"),
      ("/rpc/math/a/b/c/", "did you mean /rpc/math/a.b.c?"), ("/rpc/math/add/", "did you mean /rpc/math/add?"),
      ("/live/", "did you mean /live?"), ("/ready/", "did you mean /ready?"),
      ("/push/jobs/a/b", "did you mean /push/jobs/a.b?"), ("/pub/news/t/a/b", "did you mean /pub/news/t/a.b?"),
      ("/math/add", "did you mean /rpc/math/add?"), ("/jobs/add", "did you mean /push/jobs/add?"),
      ("/news/t/say", "did you mean /pub/news/t/say?"), ("/news/say", "calls go to /rpc/{service}/{method}."),
      ("/math/stock/level", "calls go to /rpc/{service}/{method}."), ("/math", "calls go to /rpc/{service}/{method}."),
      ("/rpc/none/a/b", "calls go to /rpc/{service}/{method}."),
      ("/rpc/math/_a/b", "calls go to /rpc/{service}/{method}."),
      ("/pub/news/t", "write /pub/{service}/{topic}/{method}."), ("/sub", "write /sub/{service}."),
      ("/rcp/%3Cscript%3E", "calls go to /rpc/{service}/{method}."),
      ("/" + String(repeating: "r", count: 8_000), "calls go to /rpc/{service}/{method}."),
      ("/rcp/" + String(repeating: "r", count: 8_000), "calls go to /rpc/{service}/{method}."),
    ])
  func hints(target: String, hint: String) async throws {
    #expect(try await refusal(.post, target).detail == "Nothing is served at this path; \(hint)")
  }

  @Test(
    "at which other programs are probed is told which ones there are, within the prefix and outside of it",
    arguments: ["/health", "/healthz", "/healthcheck", "/livez", "/readyz", "/ping"])
  func probes(target: String) async throws {
    let detail =
      "Nothing is served at this path; /live tells whether the gateway runs, and /ready whether it can take calls."
    #expect(try await refusal(.get, target).detail == detail)
    #expect(try await refusal(.get, target, prefix: "/api").detail == detail)
    #expect(try await refusal(.get, "/api\(target)", prefix: "/api").detail == detail)
    #expect(try await refusal(.get, "\(target)/more").detail != detail)
  }

  @Test("that leads nowhere is told what was meant with the prefix, and of the prefix when it lacks it")
  func prefixedHints() async throws {
    let problem = try await refusal(.post, "/api/rcp/math/add", prefix: "/api")
    #expect(problem.detail == "Nothing is served at this path; did you mean /api/rpc/math/add?")
    let outside = try await refusal(.post, "/rpc/math/add", prefix: "/api")
    #expect(outside.detail == "Nothing is served at this path; paths start with /api/.")
  }

  @Test(
    "of a service that is not there is told of one of nearly that name, if it is used in this way",
    arguments: [
      ("/rpc/mth/add", "There is no service \"mth\" here; did you mean \"math\"?"),
      ("/rpc/job/add", "There is no service \"job\" here."),
      ("/push/job/add", "There is no service \"job\" here; did you mean \"jobs\"?"),
      ("/sub/new", "There is no service \"new\" here; did you mean \"news\"?"),
      ("/sub/lou", "There is no service \"lou\" here."),
      ("/rpc/jobs/add", "\"jobs\" is no rpc service; it is a pipeline, called by /push/jobs/{method}."),
      ("/rpc/\(name255.dropLast())/add", "There is no service \"\(name255.dropLast())\" here."),
    ])
  func nearServices(target: String, detail: String) async throws {
    #expect(try await refusal(Self.verb(of: target.bytes), target).detail == detail)
  }

  @Test("starts with the prefix, whole and once")
  func prefix() async throws {
    #expect(try await destination("/api/v1/rpc/math/add?x", prefix: "/api/v1") == "call add")
    for other in [
      "/rpc/math/add", "/api/v1", "/api/v1rpc/math/add", "/api", "/", "/API/v1/live", "/api/v2/live", "/openapi.json",
      "/problems/timeout", "/live/x",
    ] {
      #expect(try await problem(other, prefix: "/api/v1") == .noSuchRoute)
    }
  }

  @Test("of a probe is found beside the prefix as well", arguments: ["", "/api/v1"])
  func probes(prefix: String) async throws {
    #expect(try await destination(prefix + "/live", prefix: "/api/v1") == "LiveResponder GET, HEAD, OPTIONS")
    #expect(try await destination(prefix + "/ready?verbose", prefix: "/api/v1") == "ready")
  }

  @Test(
    "says where its query is",
    arguments: [("/live", ""), ("/live?", ""), ("/live?a=1", "a=1"), ("/live?a?b", "a?b")])
  func query(target: String, expected: String) async throws {
    let query = try await RouterBench.with { try $0.route(.get, Array(target.utf8).span).query }
    #expect(String(decoding: Array(target.utf8)[query], as: UTF8.self) == expected)
  }
}
