import MessagePack
import Support
import Testing

@testable import Gateway

@Suite("A service's configuration", .inTurn(minutes: 3))
struct ServiceConfigurationTests {
  @Test(
    "may not contradict itself",
    arguments: [
      ("{ connect: tcp://h:1 }", ["1:13: services.a: has no pattern; it is one of rpc, pipeline, pubsub"]),
      (
        "{ pattern: rpc }",
        [
          "1:13: services.a: has no connect; name at least one endpoint such as tcp://127.0.0.1:5555"
        ]
      ),
      ("{ pattern: rpc, connect: [] }", ["1:32: services.a.connect: needs at least one endpoint"]),
      (
        "{ pattern: rpc, bind: tcp://h:1, connect: tcp://h:1 }",
        [
          "1:32: services.a.bind: contradicts connect: a service does one or the other"
        ]
      ),
      (
        "{ pattern: rpc, connect: tcp://h:1, publish: {}, subscribe: {} }",
        [
          "1:52: services.a.publish: belongs to pattern pubsub; this service is rpc",
          "1:65: services.a.subscribe: belongs to pattern pubsub; this service is rpc",
        ]
      ),
      (
        "{ pattern: rpc, connect: tcp://h:1, timeout: 2s, max-timeout: 1s }",
        [
          "1:65: services.a.max-timeout: contradiction: timeout is 2s, max-timeout only 1s"
        ]
      ),
      (
        "{ pattern: rpc, connect: tcp://h:1, timeout: 61s }",
        [
          "1:52: services.a.timeout: contradiction: timeout is 61s, max-timeout only 1m, unless it is raised"
        ]
      ),
      (
        "{ pattern: pipeline, connect: tcp://h:1, errors: {}, json: {}, methods: { safe: [] }, timeout: 5s }",
        [
          "1:57: services.a.errors: does not apply to a pipeline, which answers nothing",
          "1:69: services.a.json: does not apply to a pipeline, which answers nothing",
          "1:90: services.a.methods.safe: does not apply: only methods of pattern rpc are called with GET",
          "1:102: services.a.timeout: does not apply to a pipeline, which answers nothing",
        ]
      ),
      (
        "{ pattern: pubsub }",
        ["1:13: services.a: has neither publish nor subscribe; pattern pubsub needs at least one"]
      ),
      (
        "{ pattern: pubsub, connect: tcp://h:1, publish: { connect: tcp://h:1 } }",
        [
          "1:35: services.a.connect: goes under publish or subscribe in pattern pubsub"
        ]
      ),
      (
        "{ pattern: pubsub, timeout: 5s, publish: { connect: tcp://h:1 } }",
        [
          "1:35: services.a.timeout: does not apply to pattern pubsub, which answers nothing"
        ]
      ),
      (
        "{ pattern: pubsub, methods: { hide: [a] }, subscribe: { connect: tcp://h:1 } }",
        ["1:35: services.a.methods: does not apply without publish"]
      ),
      (
        "{ pattern: pubsub, publish: {} }",
        [
          "1:35: services.a.publish: has no connect; name at least one endpoint such as tcp://127.0.0.1:5555"
        ]
      ),
    ] as [(String, [String])])
  func contradictions(service: String, expected: [String]) {
    #expect(complaints("services: { a: \(service) }").map { $0 } == expected)
  }

  @Test("takes timeouts that are equal")
  func equal() {
    #expect(complaints(rpc("timeout: 1s", "max-timeout: 1s")) == [])
  }

  @Test(
    "takes what may become of slow readers, and nothing else",
    arguments: [("disconnect", .disconnect), ("drop-oldest", .dropOldest), ("conflate", .conflate)]
      as [(String, Configuration.Slow)])
  func slow(word: String, choice: Configuration.Slow) throws {
    func yaml(_ word: String) -> String {
      "services: { a: { pattern: pubsub, subscribe: { connect: tcp://h:1, slow: \(word) } } }"
    }
    guard case .pubsub(let pubsub)? = try Configuration.load(yaml: yaml(word), file: "f").services.first?.pattern else {
      Issue.record("not pubsub")
      return
    }
    #expect(pubsub.subscribe?.slow == choice)
    #expect(
      complaints(yaml(word + "s")) == [
        "1:74: services.a.subscribe.slow: \"\(word)s\" is none of disconnect, drop-oldest, conflate; did you mean \"\(word)\"?"
      ])
  }

  @Test(
    "takes where publishers number their messages, once, and what the numbers count",
    arguments: [
      ("{ keyword: n }", []), ("{ frame: 4, topics: 5 }", []), ("{ frame: 4, per: publisher }", []),
      (
        "{}",
        [
          "seq: says where the number of a message is: in a keyword argument (keyword: n) or in a fifth frame (frame: 4)"
        ]
      ),
      (
        "{ keyword: n, frame: 4 }",
        [
          "seq: says where the number of a message is: in a keyword argument (keyword: n) or in a fifth frame (frame: 4)"
        ]
      ),
      ("{ frame: 3 }", ["seq.frame: is 4: a call has the frames 0 to 3, and the number is in the one behind them"]),
      ("{ frame: 4, per: peer }", ["seq.per: \"peer\" is none of topic, publisher"]),
      (
        "{ frame: 4, per: publisher }, topics: [a]",
        [
          "seq: per: publisher needs one endpoint in connect, topics [\"\"] and a history: otherwise numbers are missing that are not lost"
        ]
      ),
      (
        "{ frame: 4, per: publisher }, history: { events: 0 }",
        [
          "seq: per: publisher needs one endpoint in connect, topics [\"\"] and a history: otherwise numbers are missing that are not lost"
        ]
      ),
    ] as [(String, [String])])
  func numbering(seq: String, expected: [String]) {
    let yaml = "services: { a: { pattern: pubsub, subscribe: { connect: tcp://h:1, seq: \(seq) } } }"
    #expect(
      complaints(yaml).map { $0.split(separator: "services.a.subscribe.").last.map(String.init) ?? "" } == expected)
  }

  @Test(
    "keeps last events when it is told to, within bounds",
    arguments: [
      ("", nil, []), ("last: {}", [10_000, 16 << 20], []), ("last: { topics: 1, bytes: 4KiB }", [1, 4_096], []),
      (
        "last: { topics: 0, bytes: 4095 }", nil,
        [
          "last.topics: must be between 1 and 1000000", "last.bytes: must be between 4096B and 68719476736B",
        ]
      ),
      ("last: { topic: 5 }", nil, ["last.topic: unknown key; did you mean \"topics\"?"]),
    ] as [(String, [Int]?, [String])])
  func last(last: String, bounds: [Int]?, expected: [String]) throws {
    let yaml = "services: { a: { pattern: pubsub, subscribe: { connect: tcp://h:1, \(last) } } }"
    #expect(
      complaints(yaml).map { $0.split(separator: "services.a.subscribe.").last.map(String.init) ?? "" } == expected)
    guard expected.isEmpty else { return }
    guard case .pubsub(let pubsub)? = try Configuration.load(yaml: yaml, file: "f").services.first?.pattern else {
      Issue.record("not pubsub")
      return
    }
    #expect(pubsub.subscribe?.last.map { [$0.topics, $0.bytes] } == bounds)
  }

  @Test("takes dates, and types of the application by their codes")
  func extensions() throws {
    let yaml = rpc("datetimes: pickle", "ext: { 0: text, 10: text, 122: base64 }")
    let service = try #require(try Configuration.load(yaml: yaml, file: "f").services.first)
    #expect(service.datetimes == .pickle)
    #expect(service.ext == [0: .text, 10: .text, 122: .base64])
    #expect(
      complaints("services: { a: { pattern: pipeline, connect: tcp://h:1, datetimes: pickle, ext: { 1: text } } }")
        == [])
    #expect(
      complaints(rpc("datetimes: pickel", "ext: { 123: text, -1: text, x: text, 10: txt }")) == [
        "5:16: services.math.datetimes: \"pickel\" is none of text, pickle; did you mean \"pickle\"?",
        "6:12: services.math.ext.123: the codes 123 to 127 are unpickled by services and cannot be listed; datetimes: pickle lets dates in",
        "6:23: services.math.ext.-1: -1 is the timestamp of MessagePack, which always passes",
        "6:33: services.math.ext.x: a code is a whole number from 0 to 122",
        "6:46: services.math.ext.10: \"txt\" is none of text, base64; did you mean \"text\"?",
      ])
    #expect(
      complaints("services: { a: { pattern: pubsub, datetimes: pickle, subscribe: { connect: tcp://h:1 } } }") == [
        "1:35: services.a.datetimes: does not apply without publish"
      ])
  }

  @Test(
    "is told which pattern a kind of socket belongs to",
    arguments: [("push", "pipeline"), ("sub", "pubsub"), ("router", "rpc"), ("REQ", "rpc"), ("pubsud", "pubsub")])
  func kinds(word: String, pattern: String) {
    #expect(
      complaints("services: { a: { pattern: \(word), connect: tcp://h:1 } }") == [
        "1:27: services.a.pattern: \"\(word)\" is none of rpc, pipeline, pubsub; did you mean \"\(pattern)\"?"
      ])
    #expect(
      complaints("log: { level: warn }\nservices: { a: { pattern: rpc, connect: tcp://h:1 } }").first?.hasSuffix(
        "did you mean \"warning\"?") == true)
  }

  @Test("takes names of 255 bytes and no more, of the characters of a URL")
  func names() {
    func service(_ name: String) -> String { "services: { \"\(name)\": { pattern: rpc, connect: tcp://h:1 } }" }
    #expect(complaints(service("Az0_.-")) == [])
    #expect(complaints(service(String(repeating: "a", count: 255))) == [])
    #expect(complaints(service(String(repeating: "a", count: 256))).count == 1)
    for name in ["", "a/b", "a b", "ä", "a%", ".", ".."] { #expect(complaints(service(name)).count == 1) }
  }

  @Test("takes topics of 245 bytes and no more")
  func topics() {
    func service(_ topic: String) -> String {
      "services: { a: { pattern: pubsub, subscribe: { connect: tcp://h:1, topics: \(topic) } } }"
    }
    #expect(complaints(service(String(repeating: "a", count: 245))) == [])
    #expect(complaints(service(String(repeating: "a", count: 246))).count == 1)
    #expect(complaints(service("[]")).count == 1)
    func publish(_ topics: String) -> String {
      "services: { a: { pattern: pubsub, publish: { connect: tcp://h:1, topics: \(topics) } } }"
    }
    #expect(complaints(publish(String(repeating: "a", count: 245))) == [])
    #expect(complaints(publish(String(repeating: "a", count: 246))).count == 1)
    #expect(complaints(publish("[]")).count == 1)
    // A stream that names none asks for all.
    #expect(complaints(service("[a, b], topics-per-stream: 2")) == [])
    #expect(complaints(service("[a, b], topics-per-stream: 1")).count == 1)
  }

  @Test(
    "refuses globs that match nothing",
    arguments: ["\"\"", "a b", "a/b", "_private", "a._b", "_*", "ä"])
  func globs(glob: String) {
    #expect(complaints(rpc("methods: { expose: [\(glob)] }")).count == 1)
  }

  @Test("reads every choice of json and expose")
  func choices() {
    for word in ["number", "string"] { #expect(complaints(rpc("json: { ints: \(word) }")) == []) }
    for word in ["null", "\"null\"", "string", "error"] {
      #expect(complaints(rpc("json: { nonfinite: \(word) }")) == [])
    }
    for word in ["string", "pairs"] { #expect(complaints(rpc("json: { keys: \(word) }")) == []) }
    for word in ["auto", "full", "message", "class", "none"] {
      #expect(complaints(rpc("errors: { expose: \(word) }")) == [])
    }
    #expect(complaints(rpc("json: { ints: float }")).count == 1)
  }
}
