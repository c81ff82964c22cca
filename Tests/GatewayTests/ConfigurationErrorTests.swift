import ConfigurationReader
import Support
import Testing

@testable import Gateway

@Suite("A wrong configuration", .inTurn(minutes: 3))
struct ConfigurationErrorTests {
  @Test("is described one problem a line, with file, place and suggestion")
  func description() {
    let yaml = "http: { thread: 1 }\ngrce: 5s\n"
    #expect(throws: ConfigurationErrors.self) { try Configuration.load(yaml: yaml, file: "gateway.yaml") }
    do throws(ConfigurationErrors) {
      _ = try Configuration.load(yaml: yaml, file: "gateway.yaml")
    } catch {
      #expect(
        error.description == """
          gateway.yaml:1:9: http.thread: unknown key; did you mean "threads"?
          gateway.yaml:2:1: grce: unknown key; did you mean "grace"?
          """)
    }
  }

  @Test("that writes a key twice is told where the first stands; the rest is checked when that is mended")
  func duplicates() {
    let yaml = """
      grace: 5
      services:
        a: { pattern: rpc, connect: tcp://h:1 }
        "b":
          pattern: rpc
          connect: tcp://h:1
          timeout: 1s
          timeout: 2
      """
    #expect(complaints(yaml) == ["7:5: timeout: duplicate key; it is written again further down"])
    #expect(
      complaints(yaml.replacing("    timeout: 2", with: "")) == ["1:8: grace: a duration needs a unit: 5s or 5ms"])
  }

  @Test(
    "with the wrong kind of value is told what was expected",
    arguments: [
      ("[]", "1:1: expected a mapping of keys, not a list"),
      ("text", "1:1: expected a mapping of keys, not a single value"),
      ("http: 1", "1:7: http: expected a mapping of keys, not a single value"),
      ("services: []", "1:11: services: expected a mapping of keys, not a list"),
      ("grace: {}", "1:8: grace: expected a duration such as 5s, not a mapping"),
      ("grace:", "1:7: grace: has no value; expected a duration such as 5s"),
      ("http: { threads: [1] }", "1:18: http.threads: expected a whole number, not a list"),
      ("http: { threads: 1.0 }", "1:18: http.threads: expected a whole number, not \"1.0\""),
      ("http: { threads: -1 }", "1:18: http.threads: must be between 0 and 256"),
      ("http: { listen: {} }", "1:17: http.listen: expected a list, not a mapping"),
      ("http: { listen: [] }", "1:9: http.listen: needs at least one address"),
      (
        "http: { hosts: [\"http://a.example\", a.example] }",
        "1:17: http.hosts[0]: \"http://a.example\" is no name of a host; write it without scheme and port, such as api.example"
      ),
      ("http: { hosts: {} }", "1:16: http.hosts: expected a list, not a mapping"),
      ("http: { listen: [[a]] }", "1:18: http.listen[0]: expected host:port or unix:/path, not a list"),
      ("[a]: 1", "1:1: a key must be a string"),
      ("auth: [none]", "1:7: auth: expected none, keys or jwt, not a list"),
      ("errors: { expose: all }", "1:19: errors.expose: \"all\" is none of auto, full, message, class, none"),
      (
        "errors: { expose: messages }",
        "1:19: errors.expose: \"messages\" is none of auto, full, message, class, none; did you mean \"message\"?"
      ),
      ("errors: { map: { A: 399 } }", "1:21: errors.map.A: must be between 400 and 599"),
      ("errors: { map: { A: 600 } }", "1:21: errors.map.A: must be between 400 and 599"),
    ])
  func kinds(yaml: String, expected: String) {
    #expect(complaints(yaml) == [expected])
  }

  @Test("accepts the numbers at a limit and refuses the next")
  func limits() {
    #expect(complaints("http: { threads: 0 }") == [])
    #expect(complaints("http: { threads: 256 }") == [])
    #expect(complaints("http: { threads: 257 }").count == 1)
    #expect(complaints("errors: { map: { A: 400, B: 599 } }") == [])
    for (good, bad) in [("in-flight: 1", "in-flight: 0"), ("in-flight: 1000000", "in-flight: 1000001")] {
      #expect(complaints(rpc(good)) == [])
      #expect(complaints(rpc(bad)) == ["5:16: services.math.in-flight: must be between 1 and 1000000"])
    }
    #expect(complaints(rpc("timeout: 1ms")) == [])
    #expect(complaints(rpc("timeout: 0s")) == ["5:14: services.math.timeout: must be between 1ms and 24h"])
    #expect(complaints("http: { limits: { depth: 500 } }") == [])
    #expect(complaints("http: { limits: { depth: 501 } }").count == 1)
    #expect(complaints("http: { limits: { body: 0 } }").count == 1)
    #expect(complaints("async: { calls: 100000, keep: 24h }\nidempotency: { keys: 1000000, keep: 168h }") == [])
    #expect(complaints("async: { calls: 1, keep: 1s }\nidempotency: { keys: 1, keep: 1s }") == [])
    #expect(complaints("async: { calls: 0 }") == ["1:17: async.calls: must be between 1 and 100000"])
    #expect(complaints("async: { keep: 25h }") == ["1:16: async.keep: must be between 1s and 24h"])
    #expect(complaints("idempotency: { keys: 1000001 }").count == 1)
    #expect(complaints("idempotency: { keep: 999ms }").count == 1)
    #expect(complaints("idempotency: { key: 5 }").count == 1)
  }

  @Test(
    "with a bad prefix is told so",
    arguments: ["api", "/api/", "//api", "/a//b", "/a b", "/a/../b", "/./a", "/%41", "/ä"])
  func prefix(text: String) {
    #expect(complaints("http: { prefix: \"\(text)\" }").count == 1)
  }

  @Test("keeps a good prefix", arguments: [("", ""), ("/", ""), ("/api", "/api"), ("/a/b-1._~", "/a/b-1._~")])
  func goodPrefix(text: String, expected: String) throws {
    #expect(try Configuration.load(yaml: "http: { prefix: \"\(text)\" }", file: "f").http.prefix == expected)
  }
}
