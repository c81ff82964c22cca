import GatewaySecurity
import MessagePack
import Reactor
import Support
import Testing

@testable import Gateway

@Suite("The answer of a service that decides", .inTurn(minutes: 3))
struct DecisionAnswerTests {
  private func answer(_ value: Value) -> DecisionAnswer? { value.packed.withUnsafeBytes { DecisionAnswer($0) } }

  @Test("is a bool, or a map that says for how long it holds")
  func forms() throws {
    #expect(answer(true)?.isAllowed == true && answer(true)?.time == nil)
    #expect(answer(false)?.isAllowed == false)
    #expect(answer(["allow": true])?.isAllowed == true)
    #expect(answer(["allow": false, "ttl": 5])?.time == .seconds(5))
    #expect(answer(["ttl": 0.5, "allow": true])?.time == .milliseconds(500))
    #expect(answer(["allow": true, "ttl": 0])?.time == .zero)
    #expect(answer(["allow": true, "ttl": .nil])?.time == .some(nil))
    // For an hour at most.
    for (seconds, time) in [(3_599, 3_599), (3_600, 3_600), (3_601, 3_600)] as [(Int64, Int)] {
      #expect(answer(["allow": true, "ttl": .int(seconds)])?.time == .seconds(time))
    }
    #expect(answer(["allow": true, "ttl": .double(.infinity)])?.time == .seconds(3_600))
    #expect(answer(["allow": true, "reason": ["a", ["b": 1]]])?.isAllowed == true)
  }

  @Test(
    "is nothing else: what is no answer allows nothing",
    arguments: [
      .nil, 1, "true", ["allow"], [:], ["allow": 1], ["allow": "yes"], ["allow": .nil], ["ttl": 5],
      ["allow": true, "ttl": -1], ["allow": true, "ttl": "5"], ["allow": true, "ttl": true],
      ["allow": true, "ttl": .double(.nan)], ["allow": true, "ttl": -0.5],
    ] as [Value])
  func others(value: Value) { #expect(answer(value) == nil) }

  @Test("is whole, and says nothing twice")
  func malformed() {
    let twice: [UInt8] = [0x82] + ("allow" as Value).packed + [0xC3] + ("allow" as Value).packed + [0xC2]
    for bytes in [[], [0xC3, 0xC3], [0x81], [0x81, 0xA5, 0x61], [0xC1], twice] as [[UInt8]] {
      let answer = bytes.withUnsafeBytes { DecisionAnswer($0) }
      #expect(answer == nil, "\(bytes)")
    }
  }
}

@Suite("Answers that are kept", .inTurn(minutes: 3))
struct KeptDecisionTests {
  private func key(_ number: Int) -> SecretDigest {
    withUnsafeBytes(of: number) { SecretDigest(of: $0) }
  }

  @Test("hold until their time is over")
  func times() {
    var kept = KeptDecisions(limit: 2)
    kept.keep(.init(isAllowed: true, until: Instant(nanoseconds: 10)), of: key(1))
    #expect(kept.find(key(1), at: Instant(nanoseconds: 9))?.isAllowed == true)
    #expect(kept.find(key(1), at: Instant(nanoseconds: 10)) == nil)
    kept.keep(.init(isAllowed: false, until: Instant(nanoseconds: 20)), of: key(1))
    #expect(kept.find(key(1), at: Instant(nanoseconds: 10))?.isAllowed == false)
    #expect(kept.count == 1)
  }

  @Test("are so many; the oldest makes room", arguments: [1, 2, 3])
  func limit(limit: Int) {
    var kept = KeptDecisions(limit: limit)
    let now = Instant(nanoseconds: 0)
    for number in 0..<10 {
      kept.keep(.init(isAllowed: true, until: Instant(nanoseconds: 1)), of: key(number))
      #expect(kept.count == min(number + 1, limit))
      for other in 0...number {
        #expect((kept.find(key(other), at: now) != nil) == (other > number - limit), "\(other) of \(number)")
      }
    }
  }
}

@Suite("The question to a service that decides", .inTurn(minutes: 3))
struct DecisionQuestionTests {
  private func question(_ wish: Wish, _ caller: Caller? = nil, _ address: String? = nil) throws -> Value {
    try Unpacker().unpack(DecisionQuestion(wish, by: caller, from: address).bytes)
  }

  @Test("is always a map of the same members")
  func members() throws {
    let caller = Caller(subject: "alice", scopes: ["write", "read"], permissions: nil)
    #expect(
      try question(.call("m.n", of: "s"), caller, "10.0.0.1") == [
        "subject": "alice", "scopes": ["read", "write"], "service": "s", "kind": "call", "method": "m.n",
        "topics": .nil, "address": "10.0.0.1",
      ])
    #expect(
      try question(.push("m", of: "s")) == [
        "subject": .nil, "scopes": [], "service": "s", "kind": "push", "method": "m", "topics": .nil, "address": .nil,
      ])
    #expect(
      try question(.publish("m", on: [0xFF], of: "s")) == [
        "subject": .nil, "scopes": [], "service": "s", "kind": "publish", "method": "m",
        "topics": [.binary([0xFF])], "address": .nil,
      ])
    #expect(
      try question(.subscribe([Array("a.".utf8), []], of: "s")) == [
        "subject": .nil, "scopes": [], "service": "s", "kind": "subscribe", "method": .nil, "topics": ["a.", ""],
        "address": .nil,
      ])
    let longest = [UInt8](repeating: 0x80, count: 245)
    #expect(try question(.subscribe([longest], of: "s"))["topics"] == [.binary(longest)])
  }

  @Test("is another one when anything in it is another: its answer is kept for it alone")
  func keys() {
    let alice = Caller(subject: "alice", scopes: ["a"], permissions: nil)
    let questions = [
      DecisionQuestion(.call("m", of: "s"), by: nil, from: nil), .init(.push("m", of: "s"), by: nil, from: nil),
      .init(.call("n", of: "s"), by: nil, from: nil), .init(.call("m", of: "t"), by: nil, from: nil),
      .init(.call("m", of: "s"), by: alice, from: nil), .init(.call("m", of: "s"), by: alice, from: "::1"),
      .init(.call("m", of: "s"), by: Caller(subject: "alice", scopes: ["a", "b"], permissions: nil), from: nil),
      .init(.publish("m", on: [1], of: "s"), by: nil, from: nil),
      .init(.publish("m", on: [2], of: "s"), by: nil, from: nil), .init(.subscribe([], of: "s"), by: nil, from: nil),
      .init(.subscribe([[]], of: "s"), by: nil, from: nil), .init(.subscribe([[1], [2]], of: "s"), by: nil, from: nil),
    ]
    #expect(Set(questions.map(\.key)).count == questions.count)
  }
}

extension Value {
  fileprivate subscript(_ name: String) -> Value? {
    guard case .map(let pairs) = self else { return nil }
    return pairs.first { $0.key == .string(name) }?.value
  }
}

@Suite("The decision of a configuration", .inTurn(minutes: 3))
struct DecisionConfigurationTests {
  private static let services =
    "services: { s: { pattern: rpc, connect: [\"ipc:///nowhere\"] }, jobs: { pattern: pipeline, connect: [\"ipc:///nowhere\"] } }"

  private func faults(_ decision: String) throws -> [String] {
    try KeyFolder().complaints("decision: \(decision)\n\(Self.services)").map {
      $0.split(separator: " ").dropFirst().joined(separator: " ")
    }
  }

  @Test("names a service, and has defaults for the rest")
  func defaults() throws {
    let plain = try #require(try KeyFolder().load("decision: { service: s }\n\(Self.services)").auth.decision)
    #expect(plain == Configuration.Decision(service: "s"))
    #expect(plain.method == "decide" && plain.keep == .seconds(10) && plain.timeout == .seconds(1))
    #expect(plain.entries == 10_000 && !plain.tellsAddress && !plain.failsOpen)
    let full = try #require(
      try KeyFolder().load(
        "decision: { service: s, method: a.b, keep: 0s, timeout: 1m, entries: 1, address: true, fail-open: true }\n\(Self.services)"
      ).auth.decision)
    #expect(full.method == "a.b" && full.keep == .zero && full.timeout == .seconds(60) && full.entries == 1)
    #expect(full.tellsAddress && full.failsOpen)
  }

  @Test("has bounds")
  func bounds() throws {
    for good in ["keep: 1h", "keep: 0s", "timeout: 1ms", "timeout: 60s", "entries: 1", "entries: 1000000"] {
      #expect(try faults("{ service: s, \(good) }") == [], "\(good)")
    }
    for (bad, words) in [
      ("keep: 3601s", "auth.decision.keep: must be between 0s and 1h"),
      ("timeout: 999us", "auth.decision.timeout"),
      ("timeout: 61s", "auth.decision.timeout: must be between 1ms and 1m"),
      ("entries: 0", "auth.decision.entries: must be between 1 and 1000000"),
      ("entries: 1000001", "auth.decision.entries: must be between 1 and 1000000"),
      ("method: _m", #"auth.decision.method: "_m" is no name of a method"#),
      ("address: perhaps", "auth.decision.address"),
      ("keeep: 1s", "auth.decision.keeep: unknown key"),
    ] {
      let found = try faults("{ service: s, \(bad) }")
      #expect(found.count == 1 && found.first?.hasPrefix(words) == true, "\(bad) \(found)")
    }
  }

  @Test("names a service that is there and of pattern rpc")
  func service() throws {
    #expect(try faults("{}")[0].hasPrefix("auth.decision: has no service"))
    #expect(
      try faults("{ service: \"\" }") == ["auth.decision.service: is empty; name a service of this configuration"])
    #expect(
      try faults("{ service: job }")
        == [#"auth.decision.service: there is no service "job"; did you mean "jobs"?"#])
    #expect(
      try faults("{ service: jobs }")
        == [#"auth.decision.service: "jobs" is not of pattern rpc, and only such a service can be asked"#])
    #expect(
      complaints("auth: { decision: { service: s } }\n\(Self.services)").contains {
        $0.contains("auth.decision: need keys, jwt or http.tls.client-ca")
      })
  }

  @Test("is no reason to note that nobody else can call its service")
  func notes() throws {
    let hidden = Self.services.replacing("rpc, ", with: "rpc, methods: { expose: [] }, ")
    let notes = try KeyFolder().load("decision: { service: s }\n\(hidden)").notes
    #expect(!notes.contains { $0.contains("expose") })
    #expect(try KeyFolder().load("\n\(hidden)").notes.contains { $0.contains("expose: empty") })
  }
}
