import GatewaySecurity
import HTTPServer
import Support
import Testing

@testable import Gateway

@Suite("A connection that stays open", .inTurn(minutes: 3))
struct ShownKeyTests {
  /// Asks who the gateway takes a connection's client for: the answer's status and the subject.
  private func subject(_ connection: HTTPConnection, _ headers: [String: String]) throws -> String {
    connection.send("GET", "/-/limits", headers: headers)
    let reply = try connection.reply()
    return reply.status == 200 ? reply.json["client"].text ?? "nobody" : "\(reply.status)"
  }

  @Test("belongs with each request to whoever has the key that this one brings")
  func keys() async throws {
    try await Rig.with { rig in
      let (alice, bob) = (APIKey.random(), APIKey.random())
      let gateway = try await rig.gateway(
        "{}", auth: rig.auth((alice, "alice", []), (bob, "bob", [])), limits: "{ rate: 1000/s }")
      let connection = try HTTPConnection(port: gateway.http.port)
      let digits = Array(alice.text.utf8)
      let near = String(decoding: digits.dropLast() + [digits[digits.count - 1] == 0x41 ? 0x42 : 0x41], as: UTF8.self)
      for (header, subject) in [
        (alice.header, "alice"), (alice.header, "alice"), (bob.header, "bob"), (alice.header, "alice"),
        (["Authorization": "Bearer \(near)"], "401"), (alice.header, "alice"),
        (["Authorization": "Bearer \(alice.text)x"], "401"),
        (["Authorization": "Bearer \(alice.text.dropLast())"], "401"),
        ([:], "401"), (["Authorization": "bearer \(alice.text)"], "alice"), (["Authorization": ""], "401"),
        (AuthenticationTests.basic(":\(bob.text)"), "bob"), (alice.header, "alice"),
      ] {
        #expect(try self.subject(connection, header) == subject, "\(header)")
      }
    }
  }

  @Test("brings a key in vain as soon as that is taken back, and for another subject as soon as it is that one's")
  func takenBack() async throws {
    try await Rig.with { rig in
      let (key, other) = (APIKey.random(), APIKey.random())
      func configuration(_ keys: [(key: APIKey, subject: String)]) throws -> Configuration {
        let file = try rig.directory.file(
          "keys.yaml", keys.map { "\($0.key.digest.hex): { subject: \($0.subject) }\n" }.joined())
        return try Configuration.load(
          yaml: """
            http: { listen: ["127.0.0.1:0"], threads: 1 }
            auth: { keys: { file: "\(file)" }, refresh: 100ms }
            limits: { rate: 1000/s }
            services: {}
            """, file: "test.yaml")
      }
      let gateway = try await rig.gateway(
        "{}", auth: rig.auth((key, "alice", [])), threads: 1, limits: "{ rate: 1000/s }")
      let connection = try HTTPConnection(port: gateway.http.port)
      for _ in 0..<2 { #expect(try subject(connection, key.header) == "alice") }
      for (keys, subject) in [
        ([(key, "carol")], "carol"), ([(other, "alice")], "401"), ([(other, "alice"), (key, "alice")], "alice"),
      ] as [([(key: APIKey, subject: String)], String)] {
        try await gateway.gateway.reload(configuration(keys))
        for _ in 0..<2 { #expect(try self.subject(connection, key.header) == subject) }
      }
      // The file alone, which is looked at by the gateway itself.
      _ = try rig.directory.file("keys.yaml", "\(other.digest.hex): { subject: alice }\n")
      try await eventually("the key to be taken back") { try self.subject(connection, key.header) == "401" }
      #expect(try subject(connection, other.header) == "alice")
    }
  }
}
