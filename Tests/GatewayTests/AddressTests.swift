import Testing

@testable import Gateway

@Suite("An address", .timeLimit(.minutes(1)))
struct AddressTests {
  static let path107 = "ipc:///" + String(repeating: "a", count: 106)

  @Test(
    "of a backend is tcp or ipc",
    arguments: [
      "tcp://127.0.0.1:1", "tcp://host.example:65535", "tcp://[::1]:5555", "ipc:///run/a", path107,
    ])
  func backend(text: String) throws {
    #expect(try Configuration.Address(text).description == text)
  }

  @Test(
    "of a backend is nothing else",
    arguments: [
      "", "127.0.0.1:5555", "tcp:127.0.0.1:5555", "tcp://", "tcp://host", "tcp://:5555", "tcp://host:", "tcp://host:0",
      "tcp://host:65536", "tcp://host:+5", "tcp://host:5a", "tcp://*:5555", "tcp://::1:5555", "tcp://host:5555/x",
      "tcp://a/b:5555", "tcp://ho st:5555", "ipc://", "ipc:///", "ipc://run/a", "ipc://@a", path107 + "a", "inproc://a",
      "pgm://h:1", "TCP://h:1", "udp://h:1", "tcp://h:1\n",
    ])
  func noBackend(text: String) {
    #expect(throws: Configuration.InvalidAddress.self) { try Configuration.Address(text) }
  }

  @Test("to bind to is not one to connect to")
  func star() {
    #expect(
      complaints("services: { a: { pattern: rpc, connect: \"tcp://*:1\" } }") == [
        "1:41: services.a.connect: \"*\" is an address to bind to; name the host to connect to"
      ])
  }

  @Test("may not be listed twice")
  func twice() {
    #expect(
      complaints("services: { a: { pattern: rpc, connect: [tcp://h:1, tcp://h:1] } }") == [
        "1:53: services.a.connect[1]: tcp://h:1 is listed twice"
      ])
    #expect(
      complaints("http: { listen: [localhost:1, localhost:1] }") == [
        "1:31: http.listen[1]: localhost:1 is listed twice"
      ])
    #expect(complaints("http: { listen: [localhost:0, localhost:0] }") == [])
  }

  @Test("of a unix socket is named as one of a later version")
  func unix() {
    #expect(
      complaints("http: { listen: unix:/run/a }") == ["1:17: http.listen: unix: is not available in this version"])
  }

  @Test("beyond loopback needs auth: none")
  func open() throws {
    let reason = "is reachable from other machines; write \"auth: none\" to serve everyone who reaches it"
    let yaml = "http:\n  listen:\n    - 127.0.0.1:1\n    - 0.0.0.0:1\n    - \"[::]:1\"\n"
    #expect(complaints(yaml) == ["4:7: http.listen: 0.0.0.0:1 \(reason)", "5:7: http.listen: [::]:1 \(reason)"])
    #expect(complaints(yaml + "auth: none\n") == [])
    #expect(
      complaints("auth: basic") == ["1:7: auth: \"basic\" is not available in this version; only \"none\" is"])
  }
}
