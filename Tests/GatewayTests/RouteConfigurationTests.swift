import ConfigurationReader
import HTTPServer
import Support
import Testing

@testable import Gateway

@Suite("A route", .inTurn(minutes: 3))
struct RouteConfigurationTests {
  private func route(_ pattern: String, _ target: String) throws -> Configuration.Route {
    try Configuration.Route(pattern, target)
  }

  @Test("has a verb, a path and a method with typed arguments")
  func whole() throws {
    let route = try route("PUT /users/{id}/files/{path+}", "users.put( id:int, path, size:float ?, on:bool?,data:json)")
    #expect(route.verb == .put)
    #expect(route.path == [.literal("users"), .value("id"), .literal("files"), .rest("path")])
    #expect(route.template == "/users/{id}/files/{path+}")
    #expect(route.method == "users.put")
    #expect(
      route.parameters == [
        .init(name: "id", kind: .int, isOptional: false, isInPath: true),
        .init(name: "path", kind: .str, isOptional: false, isInPath: true),
        .init(name: "size", kind: .float, isOptional: true, isInPath: false),
        .init(name: "on", kind: .bool, isOptional: true, isInPath: false),
        .init(name: "data", kind: .json, isOptional: false, isInPath: false),
      ])
  }

  @Test("without parentheses passes what stands in its path, as text")
  func short() throws {
    #expect(
      try route("POST /a/{b}", "c.d").parameters == [.init(name: "b", kind: .str, isOptional: false, isInPath: true)])
    #expect(try route("POST /a", "c").parameters == [])
    #expect(try route("POST /a", "c()").parameters == [])
    #expect(try route("POST /a", "c( )").parameters == [])
  }

  @Test(
    "that is wrong is told with its place",
    arguments: [
      ("\"/a\": m", "a route is a verb and a path, such as GET /users/{id}"),
      ("GET a: m", "a route is a verb and a path, such as GET /users/{id}"),
      ("get /a: m", "\"get\" is none of GET, POST, PUT, PATCH, DELETE"),
      ("HEAD /a: m", "\"HEAD\" is none of GET, POST, PUT, PATCH, DELETE"),
      (
        "POST /: m",
        "a segment of a path is {name}, or letters, digits, \"-\", \".\", \"_\" and \"~\"; \"\" is neither"
      ),
      (
        "POST /a/: m",
        "a segment of a path is {name}, or letters, digits, \"-\", \".\", \"_\" and \"~\"; \"\" is neither"
      ),
      (
        "POST /a/%20: m",
        "a segment of a path is {name}, or letters, digits, \"-\", \".\", \"_\" and \"~\"; \"%20\" is neither"
      ),
      (
        "POST /a/..: m",
        "a segment of a path is {name}, or letters, digits, \"-\", \".\", \"_\" and \"~\"; \"..\" is neither"
      ),
      ("POST /{a}: m", "the first segment of a path is a name of its own, such as /users"),
      ("POST /rpc/x: m", "/rpc is the gateway's own"), ("POST /status: m", "/status is the gateway's own"),
      ("POST /a/{b+}/c: m", "{name+} stands only at the end of a path"),
      ("POST /a/{b}/{b}: m", "a parameter stands twice in the path"),
      (
        "POST /a/{_b}: m",
        "\"_b\" is no name of a parameter: letters, digits and \"_\", beginning with a letter"
      ),
      (
        "POST /a/{}: m",
        "\"\" is no name of a parameter: letters, digits and \"_\", beginning with a letter"
      ),
      (
        "POST /a/{arg}: m",
        "\"arg\" cannot be the name of a parameter: it has a meaning of its own in queries and bodies"
      ),
      ("POST /a: _m", "\"_m\" is no name of a method that can be called"),
      ("POST /a: \"m(b\"", "the parameters end with \")\": users.get(id:int)"),
      ("POST /a: \"m(b:number)\"", "\"number\" is no type; use str, int, float, bool, json"),
      ("POST /a: \"m(b:boot)\"", "\"boot\" is no type; use str, int, float, bool, json; did you mean \"bool\"?"),
      ("POST /a: \"m(b,b)\"", "the parameter \"b\" stands twice"),
      ("POST /a: \"m(b,)\"", "\"\" is no name of a parameter: letters, digits and \"_\", beginning with a letter"),
      ("POST /a/{b}: m()", "{b} of the path is none of the parameters of m"),
      ("POST /a/{b}: \"m(b:int?)\"", "{b} is in the path, so it cannot be left out"),
      ("GET /a: m", "GET needs a method that is declared safe; add \"m\" to methods.safe, or use POST"),
      ("POST /a: hidden", "\"hidden\" is not exposed by this service's methods"),
      ("POST /a: []", "expected a method, such as users.get(id:int), not a list"),
    ])
  func faults(entry: String, expected: String) {
    let found = complaints(rpc("methods: { hide: [hidden] }", "routes:", "  \(entry)"))
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("7:") == true)
    #expect(found.first?.hasSuffix(": \(expected)") == true, "\(found)")
  }

  @Test("may not lead from where another one does, of any service")
  func conflicts() {
    let yaml = """
      services:
        a:
          pattern: rpc
          connect: tcp://h:1
          routes:
            POST /x/{a}: m
            POST /x/{b}: n
            PUT /x/{b}: n
            POST /x/{b+}: n
        b:
          pattern: rpc
          connect: tcp://h:1
          routes: { "PUT /x/{c}": m, "POST /x/{c}/y": m }
      """
    #expect(
      complaints(yaml) == [
        "7:7: services.a.routes.POST /x/{b}: leads from the same requests as a route above",
        "13:15: services.b.routes.PUT /x/{c}: leads from the same requests as a route in services.a",
      ])
  }

  @Test(
    "may not contradict the declaration of its method",
    arguments: [
      (
        "m(id:int, limit:int)",
        "contradiction: \"limit\" is no argument of \"m\" as methods.declare has it; did you mean \"limits\"?"
      ),
      ("m(id:bool)", "contradiction: \"id\" is of type bool here, and of type int in methods.declare"),
      ("m(id:int)", nil), ("m(id:int, ratio:int?, more:json?)", nil), ("m(id:json, limits:json)", nil),
      ("m", "contradiction: \"id\" is of type str here, and of type int in methods.declare"),
      (
        "n(id:int)",
        "contradiction: methods.declare says that \"n\" needs \"name\"; pass it, and not as one that may be left out"
      ),
      (
        "n(id:int, name?)",
        "contradiction: methods.declare says that \"n\" needs \"name\"; pass it, and not as one that may be left out"
      ),
      ("n(id:int, name, x:int?)", nil),
      ("n(id:int, name, x:str?)", "contradiction: \"x\" is of type str here, and of type int in methods.declare"),
      ("undeclared(id, anything:bool)", nil),
    ] as [(String, String?)])
  func declarations(target: String, expected: String?) {
    let found = complaints(
      rpc(
        "methods: { declare: { m: \"(id:int, ratio:float?, limits:list[int]?, more?)\", n: \"(id:int, name, **rest:int)\" } }",
        "routes: { \"POST /a/{id}\": \"\(target)\" }"))
    #expect(found.count == (expected == nil ? 0 : 1), "\(found)")
    if let expected { #expect(found.first?.hasSuffix(": \(expected)") == true, "\(found)") }
  }

  @Test("belongs to a service that answers")
  func patterns() {
    #expect(
      complaints("services: { a: { pattern: pipeline, connect: tcp://h:1, routes: {} } }") == [
        "1:57: services.a.routes: does not apply: only methods of pattern rpc are answered"
      ])
  }
}
