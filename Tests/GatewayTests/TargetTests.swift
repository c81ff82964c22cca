import Testing

@testable import Gateway

@Suite("A request target", .timeLimit(.minutes(1)))
struct TargetTests {
  static let name255 = String(repeating: "a", count: 255)
  static let topic245 = String(repeating: "t", count: 245)

  private func parse(_ target: String, prefix: String = "") throws(Refusal) -> Target {
    try Target(target.utf8.span, prefix: prefix)
  }

  private func refusal(_ target: String, prefix: String = "") -> ProblemCode? {
    refusal(Array(target.utf8), prefix: prefix)
  }

  private func refusal(_ target: [UInt8], prefix: String = "") -> ProblemCode? {
    do throws(Refusal) {
      _ = try Target(target.span, prefix: prefix)
      return nil
    } catch {
      return error.code
    }
  }

  @Test(
    "leads to a route",
    arguments: [
      ("/rpc/math/add", .rpc(service: "math", method: "add")),
      ("/rpc/a.b-c_D9/ns.sub.get_x-1", .rpc(service: "a.b-c_D9", method: "ns.sub.get_x-1")),
      ("/rpc/_a/add_", .rpc(service: "_a", method: "add_")),
      ("/rpc/%6dath/a%64d", .rpc(service: "math", method: "add")), ("/%72pc/a/b", .rpc(service: "a", method: "b")),
      ("/rpc/\(name255)/\(name255)", .rpc(service: name255, method: name255)),
      ("/push/jobs/run", .push(service: "jobs", method: "run")),
      ("/pub/news/eu.orders/created", .pub(service: "news", topic: Array("eu.orders".utf8), method: "created")),
      ("/sub/news", .sub(service: "news")), ("/sub/news?topic=a", .sub(service: "news")), ("/live", .live),
      ("/openapi.json", .openAPIJSON), ("/openapi.yaml", .openAPIYAML),
      ("/problems/timeout", .problem(code: "timeout")),
      ("/rpc/math/add?", .rpc(service: "math", method: "add")),
      ("/rpc/math/add?a=/../x", .rpc(service: "math", method: "add")),
    ] as [(String, Route)])
  func routes(target: String, route: Route) throws {
    #expect(try parse(target).route == route)
  }

  @Test(
    "takes any bytes as a topic, decoded once",
    arguments: [
      ("-", []), ("%2D", [0x2D]), ("--", [0x2D, 0x2D]), ("%2F", [0x2F]), ("%00", [0]), ("%ff%FE", [0xFF, 0xFE]),
      ("%2541", Array("%41".utf8)), ("a+b", Array("a+b".utf8)), ("%2E%2e", [0x2E, 0x2E]), ("...", [0x2E, 0x2E, 0x2E]),
      (topic245, Array(topic245.utf8)), (String(repeating: "%74", count: 245), Array(topic245.utf8)),
    ] as [(String, [UInt8])])
  func topics(segment: String, topic: [UInt8]) throws {
    #expect(try parse("/pub/news/\(segment)/created").route == .pub(service: "news", topic: topic, method: "created"))
  }

  @Test(
    "with a topic that is empty, too long or badly escaped is malformed",
    arguments: ["", topic245 + "t", ".", "..", "%", "%4", "%4g", "%g4", "a%", "%-1"])
  func badTopics(segment: String) {
    #expect(refusal("/pub/news/\(segment)/created") == .badTarget)
  }

  @Test(
    "is malformed when it could be read in two ways",
    arguments: [
      "", "rpc/math/add", "*", "?", "http://h/rpc/math/add", "/rpc/math/a dd", "/rpc/math/add#x", "/rpc/math/add?a b",
      "/rpc/math/add?a#b", "/rpc/math/\u{1}", "/rpc/math/\u{7F}", "/rpc/math/ä", "/rpc/math/add?ä", "/rpc/math/%00",
      "/rpc/math/%1f", "/rpc/math/%7F", "/rpc/math/%0Aadd", "/rpc/ma%2Fth/add", "/rpc/math/a%2fdd", "/rpc/math/%",
      "/rpc/math/%4", "/rpc/math/%zz", "/rpc/%gg/add", "/%/math/add", "/./rpc/math/add", "/../rpc/math/add",
      "/rpc/../add", "/rpc/math/..", "/rpc/math/.", "/rpc/%2e%2E/add", "/rpc/math/%2e", "/..", "/sub/..",
      "/problems/%2e.",
    ])
  func malformed(target: String) {
    #expect(refusal(target) == .badTarget)
  }

  @Test(
    "is malformed when it holds a raw byte of 0x80 or more, or a control byte",
    arguments: [0x00, 0x1F, 0x20, 0x7F, 0x80, 0xFF] as [UInt8])
  func rawBytes(byte: UInt8) {
    #expect(refusal(Array("/rpc/math/add".utf8) + [byte]) == .badTarget)
    #expect(refusal(Array("/pub/a/".utf8) + [byte] + Array("/b".utf8)) == .badTarget)
    #expect(refusal(Array("/rpc/math/add?a=".utf8) + [byte]) == .badTarget)
  }

  @Test(
    "of no route is not found",
    arguments: [
      "/", "/rpc", "/rpc/", "/rpc/math", "/rpc/math/add/", "/rpc/math/add/x", "/push/a", "/pub/a/b", "/pub/a/b/c/d",
      "/sub", "/sub/a/", "/sub/a/topics", "/live/", "/livee", "/RPC/math/add", "//rpc/math/add", "/openapi",
      "/problems",
      "/problems/a/b", "/metrics", "/batch", "/jsonrpc/math", "/%20",
    ])
  func unknown(target: String) {
    #expect(refusal(target) == (target == "/rpc/" ? .noSuchService : .noSuchRoute))
  }

  @Test(
    "of a name no service has is not found",
    arguments: ["", "a%20b", "a~b", "a:b", "a+b", "a%C3%A4", "a@b", name255 + "a"])
  func services(name: String) {
    for target in ["/rpc/\(name)/add", "/push/\(name)/add", "/pub/\(name)/t/add", "/sub/\(name)"] {
      #expect(refusal(target) == .noSuchService)
    }
  }

  @Test(
    "of a name no callable method has is not exposed",
    arguments: [
      "", "_private", "a._b", "_", "a._", "__init__", ".a", "a.", "a..b", "...", "a%20b", "a~b", "%5Fprivate", "a%2E_b",
      name255 + "a",
    ])
  func methods(name: String) {
    for target in ["/rpc/math/\(name)", "/push/math/\(name)", "/pub/math/t/\(name)"] {
      #expect(refusal(target) == .notExposed)
    }
  }

  @Test("starts with the prefix, whole and once")
  func prefix() throws {
    #expect(try parse("/api/v1/rpc/math/add?x", prefix: "/api/v1").route == .rpc(service: "math", method: "add"))
    for other in ["/rpc/math/add", "/api/v1", "/api/v1rpc/math/add", "/api", "/", "/API/v1/live", "/api/v2/live"] {
      #expect(refusal(other, prefix: "/api/v1") == .noSuchRoute)
    }
  }

  @Test(
    "says where its query is",
    arguments: [("/live", ""), ("/live?", ""), ("/live?a=1", "a=1"), ("/live?a?b", "a?b")])
  func query(target: String, expected: String) throws {
    let query = try parse(target).query
    #expect(String(decoding: Array(target.utf8)[query], as: UTF8.self) == expected)
  }
}

@Suite("A route", .timeLimit(.minutes(1)))
struct RouteTests {
  @Test("takes its verbs and names them")
  func verbs() {
    let rpc = Route.rpc(service: "a", method: "b")
    #expect(rpc.verbs().allow == "POST, OPTIONS")
    #expect(rpc.verbs(isSafe: true).allow == "GET, HEAD, POST, OPTIONS")
    #expect(Route.push(service: "a", method: "b").verbs(isSafe: true).allow == "POST, OPTIONS")
    #expect(Route.pub(service: "a", topic: [], method: "b").verbs().allow == "POST, OPTIONS")
    for route in [Route.sub(service: "a"), .live, .openAPIJSON, .openAPIYAML, .problem(code: "a")] {
      #expect(route.verbs().allow == "GET, HEAD, OPTIONS")
      for verb in ["GET", "HEAD", "OPTIONS"] {
        #expect(throws: Never.self) { try route.check(Verbs(verb)) }
      }
    }
  }

  @Test("refuses GET of a method that is not safe as such", arguments: ["GET", "HEAD"])
  func unsafe(verb: String) {
    let route = Route.rpc(service: "a", method: "b")
    let refusal = #expect(throws: Refusal.self) { try route.check(Verbs(verb)) }
    #expect(refusal?.code == .notSafe)
    #expect(refusal?.allow == "POST, OPTIONS")
    #expect(throws: Never.self) { try route.check(Verbs(verb), isSafe: true) }
  }

  @Test("refuses any other verb", arguments: ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "get", "", "POSTS"])
  func others(verb: String) {
    for route in [Route.rpc(service: "a", method: "b"), .push(service: "a", method: "b"), .live] {
      let refusal = #expect(throws: Refusal.self) { try route.check(Verbs(verb), isSafe: true) }
      #expect(refusal?.code == .methodNotAllowed)
      #expect(refusal?.allow == route.verbs(isSafe: true).allow)
    }
    #expect(throws: Refusal.self) { try Route.live.check(.post) }
    #expect(throws: Refusal.self) { try Route.push(service: "a", method: "b").check(.get) }
  }
}
