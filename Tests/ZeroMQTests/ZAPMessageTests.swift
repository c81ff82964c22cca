import Testing

@testable import ZeroMQ

@Suite("questions of ZAP")
struct ZAPMessageTests {
  private static func frames(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }
  private static let head = frames("asker", "", "1.0", "1", "domain", "10.0.0.1", "identity")
  private static func answer(to number: String, _ code: String, _ text: String) -> [[UInt8]] {
    frames("asker", "", "1.0", number, code, text, "", "")
  }

  @Test("each mechanism is read") func mechanisms() throws {
    let key = try CurveKeyPair().publicKey
    let cases: [([[UInt8]], AuthenticationRequest.Credentials)] = [
      (Self.frames("NULL"), .null), (Self.frames("PLAIN", "me", "pass"), .plain(user: "me", password: "pass")),
      (Self.frames("CURVE") + [key.bytes], .curve(key)),
      (Self.frames("GSSAPI", "principal"), .other(mechanism: "GSSAPI", Self.frames("principal"))),
    ]
    for (rest, credentials) in cases {
      guard case .question(let question) = ZAPQuestion.read(Self.head + rest) else {
        Issue.record("\(credentials) is not read")
        continue
      }
      #expect(
        question.request == AuthenticationRequest(domain: "domain", address: "10.0.0.1", credentials: credentials))
      #expect(question.denying(.refused, "no") == Self.answer(to: "1", "400", "no"))
      #expect(
        question.allowing(user: "me", properties: ["b": "", "A-_.+9": "x"])
          == Self.frames("asker", "", "1.0", "1", "200", "OK", "me")
          + [[6] + Array("A-_.+9".utf8) + [0, 0, 0, 1] + Array("x".utf8) + [1] + Array("b".utf8) + [0, 0, 0, 0]])
    }
  }

  @Test("what cannot be answered so is not") func answers() throws {
    guard case .question(let question) = ZAPQuestion.read(Self.head + Self.frames("NULL")) else {
      Issue.record("not read")
      return
    }
    let long = String(repeating: "a", count: 256)
    #expect(question.allowing(user: String(long.dropLast()), properties: [:]) != nil)
    for user in [long, "a\0"] { #expect(question.allowing(user: user, properties: [:]) == nil) }
    #expect(question.allowing(user: "", properties: [String(long.dropLast()): ""]) != nil)
    for name in ["", long, "a b", "ä", "a\0", "Socket-Type", "identity", "Routing-Id", "User-Id", "Peer-Address"] {
      #expect(question.allowing(user: "", properties: [name: ""]) == nil)
    }
    #expect(question.allowing(user: "", properties: ["a": String(repeating: "a", count: 4_090)]) != nil)
    #expect(question.allowing(user: "", properties: ["a": String(repeating: "a", count: 4_091)]) == nil)
    #expect(question.allowing(user: "", properties: ["a": "\0"]) == nil)
  }

  @Test("anything else is malformed; who can be answered is") func malformed() {
    let silent: [[[UInt8]]] = [
      [], Self.frames("asker"), Self.frames("asker", "", "1.0"), Self.frames("asker", "x", "1.0", "1"),
      Self.frames("asker", "", "1.0") + [[UInt8](repeating: 1, count: 256)],
    ]
    for frames in silent { #expect(ZAPQuestion.read(frames) == .malformed(answer: nil)) }
    let long = [[UInt8](repeating: 0x61, count: 256)]
    let answered: [[[UInt8]]] = [
      Self.frames("asker", "", "2.0", "1"), Array(Self.head[..<6]), Self.head, Self.head + Self.frames(""),
      Self.head + Self.frames("NULL", "x"), Self.head + Self.frames("PLAIN", "me"),
      Self.head + Self.frames("CURVE", "short"),
      Self.head + Self.frames("PLAIN", "me") + long, Self.head + Self.frames("PLAIN", "me") + [[0xFF]],
      Array(Self.head[..<4]) + long + Self.head[5...] + Self.frames("NULL"),
    ]
    for frames in answered {
      #expect(ZAPQuestion.read(frames) == .malformed(answer: Self.answer(to: "1", "500", "no question of ZAP 1.0")))
    }
  }
}
