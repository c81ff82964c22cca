import ConfigurationReader
import HTTPServer
import Support
import Testing
import ZeroMQ

@testable import Gateway

@Suite("An address", .inTurn(minutes: 3))
struct AddressTests {
  static let path107 = "ipc:///" + String(repeating: "a", count: 106)

  @Test(
    "of a backend is tcp or ipc",
    arguments: [
      "tcp://127.0.0.1:1", "tcp://host.example:65535", "tcp://[::1]:5555", "ipc:///run/a", path107,
    ])
  func backend(text: String) throws {
    let configuration = try Configuration.load(yaml: service(text), file: "f")
    guard case .pipeline(let pipeline) = configuration.services[0].pattern else {
      Issue.record("no pipeline")
      return
    }
    #expect(pipeline.connect.map(\.description) == [text])
  }

  @Test(
    "of a backend is nothing else",
    arguments: [
      (
        "127.0.0.1:5555",
        "expected tcp://host:port or ipc:///path, not \"127.0.0.1:5555\"; did you mean tcp://127.0.0.1:5555?"
      ),
      (
        "tcp:127.0.0.1:5555",
        "expected tcp://host:port or ipc:///path, not \"tcp:127.0.0.1:5555\"; did you mean tcp://127.0.0.1:5555?"
      ),
      ("tcp://", "tcp:// needs a port: tcp://:5555"), ("tcp://host", "tcp:// needs a port: tcp://host:5555"),
      ("tcp://:5555", "tcp:// needs a host: tcp://127.0.0.1:5555"),
      ("tcp://host:", "\"\" is no port; ports are 1...65535"),
      ("tcp://host:0", "\"0\" is no port; ports are 1...65535"),
      ("tcp://host:65536", "\"65536\" is no port; ports are 1...65535"),
      ("tcp://host:+5", "\"+5\" is no port; ports are 1...65535"),
      ("tcp://host:5a", "\"5a\" is no port; ports are 1...65535"),
      ("tcp://host:*", "\"*\" is a port to bind to; ports to connect to are 1...65535"),
      ("tcp://*:5555", "\"*\" is an address to bind to; name the host to connect to"),
      ("tcp://::1:5555", "an IPv6 address goes in brackets: tcp://[::1]:5555"),
      ("tcp://[host]:5555", "only an IPv6 address goes in brackets: tcp://host:5555"),
      ("tcp://host:5555/x", "tcp:// takes a host and a port, no path"),
      ("tcp://a/b:5555", "tcp:// takes a host and a port, no path"), ("tcp://ho st:5555", "an endpoint has no spaces"),
      ("tcp://h:1\\n", "an endpoint has no spaces"), ("ipc://", "ipc:// needs a path: ipc:///run/service"),
      ("ipc:///", "ipc:// needs an absolute path: ipc:///run/"),
      ("ipc://run/a", "ipc:// needs an absolute path: ipc:///run/run/a"),
      ("ipc://@a", "ipc:// needs an absolute path: ipc:///run/@a"),
      ("ipc://*", "\"*\" is a path to bind to; name the path to connect to"),
      (path107 + "a", "an ipc path has at most 107 bytes, not 108"),
      ("inproc://a", "inproc:// ends where this process ends; use tcp or ipc to reach another"),
      ("pgm://h:1", "\"pgm\" is no transport of ZeroMQ here; use tcp or ipc"),
      ("TCP://h:1", "\"TCP\" is no transport of ZeroMQ here; use tcp or ipc"),
    ])
  func noBackend(text: String, reason: String) {
    #expect(complaints(service(text)) == ["1:46: services.a.connect: \(reason)"])
  }

  private func service(_ endpoint: String) -> String {
    "services: { a: { pattern: pipeline, connect: \"\(endpoint)\" } }"
  }

  @Test("to bind to is not one to connect to")
  func star() {
    #expect(
      complaints("services: { a: { pattern: rpc, connect: \"tcp://*:1\" } }") == [
        "1:41: services.a.connect: \"*\" is an address to bind to; name the host to connect to"
      ])
  }

  @Test("that ends in a number is an address, and no name")
  func number() {
    let found = complaints("services: { a: { pattern: rpc, connect: \"tcp://256.1.1.1:55\" } }")
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("1:41: services.a.connect: \"256.1.1.1\" is no IPv4 address") == true)
  }

  @Test("may not be listed twice")
  func twice() {
    #expect(
      complaints("services: { a: { pattern: rpc, connect: [tcp://h:1, tcp://h:1] } }") == [
        "1:53: services.a.connect[1]: tcp://h:1 is listed twice"
      ])
    for (pattern, before, after) in [("rpc", "", ""), ("pipeline", "", ""), ("pubsub", "subscribe: { ", " }")] {
      let found = complaints(
        "services: { a: { pattern: \(pattern), \(before)connect: [\"tcp://[::1]:5\", \"tcp://[0::1]:5\"]\(after) } }")
      #expect(found.count == 1)
      #expect(found.first?.hasSuffix("connect[1]: tcp://[0::1]:5 is listed twice, as tcp://[::1]:5 too") == true)
    }
    #expect(
      complaints("http: { listen: [localhost:1, localhost:1] }") == [
        "1:31: http.listen[1]: localhost:1 is listed twice"
      ])
    #expect(complaints("http: { listen: [localhost:0, localhost:0] }") == [])
    #expect(
      complaints("http: { listen: [localhost:1, 127.0.0.1:1, \"[::1]:1\", \"[0::1]:1\"] }") == [
        "1:31: http.listen[1]: 127.0.0.1:1 is listed twice, as localhost:1 too",
        "1:55: http.listen[3]: [0::1]:1 is listed twice, as [::1]:1 too",
      ])
  }

  @Test("may not be given twice by flags or the environment")
  func twiceOutside() throws {
    let twice = [try ListenAddress("127.0.0.1:1"), try ListenAddress("localhost:1")]
    let reason = "http.listen: localhost:1 is listed twice, as 127.0.0.1:1 too"
    #expect(throws: ConfigurationErrors.self) { try Configuration().applying(Overrides(listen: twice)) }
    do {
      _ = try Configuration.load(yaml: "services: {}", file: "a.yaml", overrides: Overrides(listen: twice))
      Issue.record("it is taken")
    } catch {
      #expect("\(error)".contains(reason), "\(error)")
    }
  }

  @Test("of a Unix socket is a whole path, listed once, and of a mode in octal digits")
  func unix() throws {
    let yaml = "http: { listen: [unix:/run/a, 127.0.0.1:1], admin: unix:/run/b, socket-mode: \"0600\" }"
    let http = try Configuration.load(yaml: yaml, file: "a.yaml").http
    #expect(http.listen == [try ListenAddress(path: "/run/a"), try ListenAddress("127.0.0.1:1")])
    #expect(http.admin?.path == "/run/b")
    #expect(http.socketMode == 0o600)
    #expect(
      complaints("http: { listen: [unix:a, unix:/b, unix:/b], socket-mode: 999 }") == [
        "1:18: http.listen[0]: \"a\" is no path of a Unix socket; write a whole one, such as unix:/run/zmq-gateway.sock",
        "1:35: http.listen[2]: unix:/b is listed twice",
        "1:58: http.socket-mode: expected the mode of a file in octal digits, such as \"0660\", not \"999\"",
      ])
  }

  @Test("beyond loopback needs auth: none")
  func open() throws {
    let reason =
      "is reachable from other machines; name those who may call in auth.keys, auth.jwt or http.tls.client-ca, or write \"auth: none\" to serve everyone who reaches it"
    let yaml = "http:\n  listen:\n    - 127.0.0.1:1\n    - 0.0.0.0:1\n    - \"[::]:1\"\n"
    #expect(complaints(yaml) == ["4:7: http.listen: 0.0.0.0:1 \(reason)", "5:7: http.listen: [::]:1 \(reason)"])
    #expect(complaints(yaml + "auth: none\n") == [])
    #expect(
      complaints("auth: basic") == ["1:7: auth: \"basic\" is not known; write \"none\", or a mapping with keys or jwt"]
    )
  }
}
