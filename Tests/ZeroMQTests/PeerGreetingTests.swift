import Testing

@testable import ZeroMQ

/// What peers say, by the byte.
@Suite("a peer's greeting")
struct PeerGreetingTests {
  private static func greeting(version: UInt8 = 3, mechanism: String = "NULL") -> [UInt8] {
    let name = Array(mechanism.utf8)
    return [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, version, 1] + name + [UInt8](repeating: 0, count: 52 - name.count)
  }

  private static func command(_ name: String, _ body: [UInt8]) -> [UInt8] {
    let command = [UInt8(name.utf8.count)] + Array(name.utf8) + body
    return [4, UInt8(command.count)] + command
  }

  private static func ready(_ kind: String) -> [UInt8] {
    let identity = [8] + Array("Identity".utf8) + [0, 0, 0, 2, 65, 66]
    return command(
      "READY", identity + [11] + Array("Socket-Type".utf8) + [0, 0, 0, UInt8(kind.utf8.count)] + Array(kind.utf8))
  }

  private func code(_ finding: PeerGreeting.Finding?) -> ConnectFault.Code? {
    if case .fault(let fault)? = finding { fault.code } else { nil }
  }

  @Test("the kind of the socket is known when READY is complete, however the bytes come", arguments: [1, 7, 200])
  func ready(piece: Int) {
    var greeting = PeerGreeting()
    var bytes = (Self.greeting() + Self.ready("PULL"))[...]
    while bytes.count > piece {
      #expect(greeting.take(bytes.prefix(piece)) == nil)
      bytes = bytes.dropFirst(piece)
    }
    #expect(greeting.take(bytes) == .socket(kind: "PULL"))
  }

  @Test("the rest of our greeting is due when the peer's is complete")
  func complete() {
    var greeting = PeerGreeting()
    #expect(greeting.isSilent)
    _ = greeting.take(Self.greeting().prefix(63))
    #expect(!greeting.isComplete)
    _ = greeting.take(Self.greeting().suffix(1))
    #expect(greeting.isComplete)
    #expect(PeerGreeting.beginning.count + PeerGreeting.rest.count == 64)
  }

  @Test("a long frame holds READY as well")
  func long() {
    var greeting = PeerGreeting()
    let ready = Self.ready("ROUTER")
    let frame = [6, 0, 0, 0, 0, 0, 0, 0, UInt8(ready.count - 2)] + ready.dropFirst(2)
    #expect(greeting.take(Self.greeting() + frame) == .socket(kind: "ROUTER"))
  }

  @Test("protocol 2 says the kind by a number")
  func old() {
    var greeting = PeerGreeting()
    #expect(greeting.take([0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 1, 7]) == .socket(kind: "PULL"))
  }

  @Test("another mechanism is named")
  func mechanism() {
    var greeting = PeerGreeting()
    let finding = greeting.take(Self.greeting(mechanism: "CURVE"))
    #expect(code(finding) == .wrongMechanism)
    if case .fault(let fault)? = finding { #expect(fault.description.contains("CURVE")) }
  }

  @Test("a refusal is told with its reason")
  func rejected() {
    var greeting = PeerGreeting()
    let finding = greeting.take(Self.greeting() + Self.command("ERROR", [3] + Array("400".utf8)))
    #expect(code(finding) == .rejected)
    if case .fault(let fault)? = finding { #expect(fault.description.contains("400")) }
  }

  @Test(
    "strangers are told by their first bytes",
    arguments: [
      ("HTTP/1.1 400 Bad Request\r\n", "HTTP"), ("<!DOCTYPE HTML>", "HTTP"), ("SSH-2.0-x\r\n", "SSH"),
      ("-ERR unknown\r\n", "another"), ("\u{15}\u{3}\u{3}\u{0}", "TLS"),
    ])
  func strangers(text: String, name: String) {
    var greeting = PeerGreeting()
    guard case .fault(let fault)? = greeting.take(text.utf8) else { return #expect(Bool(false), "no fault") }
    #expect(fault.code == .notZeroMQ)
    #expect(fault.description.contains(name))
  }

  @Test("what ends early is told by how far it came")
  func early() {
    var greeting = PeerGreeting()
    #expect(greeting.end(closed: true).code == .closed)
    #expect(greeting.end(closed: false).code == .silent)
    _ = greeting.take([UInt8(ascii: "2")])
    #expect(greeting.end(closed: true).code == .notZeroMQ)
    var begun = PeerGreeting()
    _ = begun.take(Self.greeting())
    #expect(begun.end(closed: true).code == .handshake)
    #expect(begun.end(closed: false).code == .handshake)
  }

  @Test(
    "what breaks the protocol is no greeting, and is never waited for",
    arguments: [
      [4, 5, 9, 65, 65, 65, 65], [0, 2, 1, 65], [6, 0, 0, 0, 0, 0, 0, 16, 1], [4, 0], command("READY", [9, 65]),
      command("READY", []), command("HELLO", []),
      command("READY", [11] + Array("Socket-Type".utf8) + [255, 0, 0, 1, 65]),
    ])
  func broken(bytes: [UInt8]) {
    var greeting = PeerGreeting()
    let finding = greeting.take(Self.greeting() + bytes)
    #expect(code(finding) == .handshake)
  }
}
