import Testing

@testable import ZeroMQ

@Suite("an endpoint")
struct EndpointTests {
  static let path = "/" + String(repeating: "a", count: 106)
  static let name = String(repeating: "n", count: 255)

  @Test(
    "is read into its parts",
    arguments: [
      ("tcp://127.0.0.1:1", .tcp(host: "127.0.0.1", port: 1)),
      ("tcp://host.example:65535", .tcp(host: "host.example", port: 65_535)),
      ("tcp://[::1]:5555", .tcp(host: "::1", port: 5_555)), ("tcp://*:*", .tcp(host: "*", port: 0)),
      ("tcp://[::]:0", .tcp(host: "::", port: 0)), ("tcp://eth0:5", .tcp(host: "eth0", port: 5)),
      ("tcp://255.255.255.255:5", .tcp(host: "255.255.255.255", port: 5)),
      ("tcp://0.0.0.0:5", .tcp(host: "0.0.0.0", port: 5)),
      ("tcp://1.2.3.4.example:5", .tcp(host: "1.2.3.4.example", port: 5)), ("tcp://4u:5", .tcp(host: "4u", port: 5)),
      ("tcp://0xcafe.example.:5", .tcp(host: "0xcafe.example.", port: 5)), ("tcp://a-1:5", .tcp(host: "a-1", port: 5)),
      ("tcp://[fe80::1%no-such-if0]:5", .tcp(host: "fe80::1%no-such-if0", port: 5)),
      ("ipc:///run/a", .ipc(path: "/run/a")), ("ipc://@name", .ipc(path: "@name")), ("ipc://*", .ipc(path: "*")),
      ("ipc://\(path)", .ipc(path: path)), ("inproc://a", .inproc(name: "a")),
      ("inproc://\(name)", .inproc(name: name)),
    ] as [(String, Endpoint.Address)])
  func parts(text: String, address: Endpoint.Address) throws {
    let endpoint = try Endpoint(text)
    #expect(endpoint.address == address)
    #expect(endpoint.description == text)
  }

  @Test(
    "is nothing else, and says what to write",
    arguments: [
      ("", "expected tcp://host:port or ipc:///path, not \"\""),
      ("127.0.0.1:5555", "expected tcp://host:port or ipc:///path"),
      ("127.0.0.1:5555", "not \"127.0.0.1:5555\"; did you mean tcp://127.0.0.1:5555?"),
      ("host:5", "did you mean tcp://host:5?"), ("5555", "ipc:///path, not \"5555\""), ("a b:5", "not \"a b:5\""),
      ("tcp:127.0.0.1:5", "did you mean tcp://127.0.0.1:5?"), ("tcp:/h:5", "did you mean tcp://h:5?"),
      ("/run/s", "did you mean ipc:///run/s?"), ("ipc:/run/s", "did you mean ipc:///run/s?"),
      ("tcp://", "needs a port"), ("tcp://host", "tcp://host:5555"), ("tcp://:5555", "needs a host"),
      ("tcp://host:", "no port"),
      ("tcp://host:65536", "1...65535"), ("tcp://host:+5", "no port"), ("tcp://host:5a", "no port"),
      ("tcp://[::1]", "needs a port: tcp://[::1]:5555"), ("tcp://::1", "a port behind them: tcp://[::1]:5555"),
      ("tcp://fe80::1", "tcp://[fe80::1]:5555"), ("tcp://::1:5555", "in brackets: tcp://[::1]:5555"),
      ("tcp://[::1:55", "between brackets: tcp://[::1]:55"),
      ("tcp://::1]:55", "between brackets: tcp://[::1]:55"), ("tcp://host:5555/x", "no path"),
      ("tcp://a/b:5", "no path"),
      ("tcp://1.2.3.4:5;6.7.8.9:1", "source address"), ("tcp://ho st:5", "no spaces"), ("tcp://h:1\n", "no spaces"),
      ("ipc://", "needs a path"),
      ("ipc://\(path)a", "at most 107 bytes, not 108"), ("inproc://", "needs a name"), ("inproc://\(name)n", "255"),
      ("tcp://256.1.1.1:55", "\"256.1.1.1\" is no IPv4 address"), ("tcp://1.2.3:5", "no IPv4 address"),
      ("tcp://1.2.3.4.5:5", "no IPv4 address"), ("tcp://1.2.3.:5", "no IPv4 address"), ("tcp://1.2.3.4.:5", "no IPv4"),
      ("tcp://1.2.3.04:5", "no IPv4 address"), ("tcp://1..3.4:5", "no IPv4 address"),
      ("tcp://5555:1", "no IPv4 address"),
      ("tcp://host.1:5", "no IPv4 address"), ("tcp://0x7f000001:5", "no IPv4 address"), ("tcp://1.2.3.0x:5", "no IPv4"),
      ("tcp://-1.2.3.4:5", "no IPv4 address"), ("tcp://[::g]:5", "no IPv6 address"),
      ("tcp://[1:2:3]:5", "no IPv6 address"),
      ("tcp://[:::1]:5", "no IPv6 address"), ("tcp://[::1.2.3]:5", "no IPv6 address"),
      ("tcp://[%eth0:]:5", "no IPv6 address"),
      ("pgm://h:1", "\"pgm\" is no transport of ZeroMQ here; use tcp or ipc"),
      ("TCP://h:1", "no transport"), ("udp://h:1", "no transport"),
    ])
  func refused(text: String, reason: String) {
    let error = #expect(throws: EndpointError.self) { try Endpoint(text) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  @Test("with a wildcard can only be bound to", arguments: ["tcp://*:5", "tcp://h:*", "tcp://h:0", "ipc://*"])
  func wildcards(text: String) throws {
    let endpoint = try Endpoint(text)
    #expect(throws: EndpointError.self) { try endpoint.requireConnectable() }
    try Endpoint("tcp://h:1").requireConnectable()
  }

  @Test(
    "has a name to look up, or is in numbers",
    arguments: [
      ("tcp://localhost:1", "localhost"), ("tcp://backend.example:1", "backend.example"), ("tcp://127.0.0.1:1", nil),
      ("tcp://[::1]:1", nil), ("ipc:///a", nil), ("tcp://*:1", nil),
    ] as [(String, String?)])
  func names(text: String, host: String?) throws {
    #expect(try Endpoint(text).hostName == host)
  }

  @Test("is connected to from any address", arguments: ["tcp://127.0.0.1:5", "tcp://[::1]:5", "ipc:///a"])
  func outgoing(text: String) throws {
    let outgoing = try Endpoint(text).outgoing
    #expect(Endpoint.canonical(outgoing) == text)
    #expect(outgoing.contains(";") == text.hasPrefix("tcp"))
  }

  @Test(
    "has one spelling, whichever libzmq uses",
    arguments: [
      ("tcp://[::ffff:127.0.0.1]:5555", "tcp://127.0.0.1:5555"), ("tcp://127.0.0.1:5555", "tcp://127.0.0.1:5555"),
      ("tcp://[0:0::1]:5555", "tcp://[::1]:5555"), ("ipc:///run/a", "ipc:///run/a"), ("nonsense", "nonsense"),
      ("tcp://[*]:0;127.0.0.1:5555", "tcp://127.0.0.1:5555"), ("tcp://[::]:0;[::1]:5", "tcp://[::1]:5"),
    ])
  func spelling(text: String, canonical: String) { #expect(Endpoint.canonical(text) == canonical) }

  @Test(
    "is the same as another that leads to one place in another spelling",
    arguments: [
      ("tcp://127.0.0.1:5", "tcp://127.0.0.1:5", true), ("tcp://[::1]:5", "tcp://[0::1]:5", true),
      ("tcp://[::ffff:127.0.0.1]:5", "tcp://127.0.0.1:5", true), ("tcp://[::A]:5", "tcp://[::a]:5", true),
      ("tcp://h:5", "tcp://H:5", true), ("tcp://h:5", "tcp://h:05", true), ("ipc:///a", "ipc:///a", true),
      ("tcp://h:5", "tcp://h:6", false), ("tcp://h:5", "tcp://g:5", false),
      ("tcp://[::1]:5", "tcp://127.0.0.1:5", false),
      ("ipc:///a", "ipc:///A", false), ("tcp://localhost:5", "tcp://127.0.0.1:5", false),
    ])
  func same(one: String, other: String, isSame: Bool) throws {
    #expect(try Endpoint(one).isSame(as: Endpoint(other)) == isSame)
    #expect(try Endpoint(other).isSame(as: Endpoint(one)) == isSame)
  }
}
