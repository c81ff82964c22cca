import ConfigurationReader
import HTTPServer
import Support
import Testing

@testable import Gateway

@Suite("An override", .inTurn(minutes: 3))
struct OverridesTests {
  @Test("of the environment beats the file, and a flag beats both")
  func order() throws {
    let environment = ["ZMQ_GATEWAY_HTTP_LISTEN": "localhost:2, [::1]:3", "ZMQ_GATEWAY_HTTP_THREADS": "2"]
    let yaml = "http: { listen: localhost:1, threads: 1 }"
    let fromFile = try Configuration.load(yaml: yaml, file: "f")
    #expect(fromFile.http.threads == 1)
    let fromEnvironment = try Configuration.load(yaml: yaml, file: "f", environment: environment)
    #expect(fromEnvironment.http.listen.map(\.description) == ["localhost:2", "[::1]:3"])
    #expect(fromEnvironment.http.threads == 2)
    let fromFlags = try Configuration.load(
      yaml: yaml, file: "f", environment: environment, overrides: .init(threads: 3))
    #expect(fromFlags.http.listen.map(\.description) == ["localhost:2", "[::1]:3"])
    #expect(fromFlags.http.threads == 3)
    #expect(try fromFile.applying(.init(environment: environment)) == fromEnvironment)
  }

  @Test("lists hosts in the environment")
  func hosts() throws {
    let variable = "ZMQ_GATEWAY_HTTP_HOSTS"
    let fromFile = try Configuration.load(yaml: "http: { hosts: a }", file: "f")
    #expect(fromFile.http.hosts == ["a"])
    let environment = [variable: "B.example, c.example."]
    #expect(try fromFile.applying(.init(environment: environment)).http.hosts == ["b.example", "c.example"])
    #expect(
      complaints("", environment: [variable: "b:80"]) == [
        "\(variable): \"b:80\" is no name of a host; write it without scheme and port, such as api.example"
      ])
  }

  @Test("that is wrong is told along with the file's problems")
  func wrong() {
    let environment = ["ZMQ_GATEWAY_HTTP_LISTEN": "localhost", "ZMQ_GATEWAY_HTTP_THREADS": "many"]
    #expect(
      complaints("grace: 5", environment: environment) == [
        "ZMQ_GATEWAY_HTTP_LISTEN: expected host:port, such as 127.0.0.1:8080, not \"localhost\"",
        "ZMQ_GATEWAY_HTTP_THREADS: \"many\" is no whole number between 0 and 256",
        "1:8: grace: a duration needs a unit: 5s or 5ms",
      ])
  }

  @Test("may close a door the file leaves open, but not open one")
  func door() throws {
    let open = "http: { listen: 0.0.0.0:1 }"
    let environment = ["ZMQ_GATEWAY_HTTP_LISTEN": "localhost:1"]
    #expect(complaints(open, environment: environment) == [])
    #expect(complaints("", environment: ["ZMQ_GATEWAY_HTTP_LISTEN": "0.0.0.0:1"]).count == 1)
    #expect(throws: ConfigurationErrors.self) {
      try Configuration().applying(.init(listen: [ListenAddress("0.0.0.0:1")]))
    }
    #expect(throws: ConfigurationErrors.self) { try Configuration().applying(.init(threads: 257)) }
  }
}
