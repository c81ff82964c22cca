import Support
import Testing

@testable import MessagePack

/// What a pass makes of hex, as hex; what it throws.
private func passed(
  _ source: String, _ arguments: MessagePackArguments = .init()
) throws(TranscodingError) -> (arguments: String?, keywords: String?) {
  var buffer = ByteBuffer(capacity: 16)
  buffer.append("kept")
  let source = bytes(source)
  let result = source.withUnsafeBytes { bytes in
    Result { () throws(TranscodingError) in try arguments.passCall(bytes, into: &buffer) }
  }
  if case .failure = result { #expect(buffer.count == 4) }
  let frames = try result.get()
  func part(_ range: Range<Int>?) -> String? {
    range.map { range in buffer.withUnsafeBytes(range) { hex(Array($0)) } }
  }
  return (part(frames.arguments), part(frames.keywords))
}

private func passedBack(_ source: String, _ result: MessagePackResult = .init()) throws(TranscodingError) -> String {
  hex(
    try filled(bytes(source)) { bytes, buffer throws(TranscodingError) in try result.pass(bytes, into: &buffer) })
}

@Suite("MessagePack arguments", .inTurn(minutes: 3))
struct MessagePackArgumentsTests {
  @Test(
    "are an array, a map, or an envelope of both, and pass as they came",
    arguments: [
      ("", nil, nil), ("90", nil, nil), ("80", nil, nil), ("dc0000", nil, nil),
      ("920203", "920203", nil), ("dc00020203", "dc00020203", nil), ("81a16102", nil, "81a16102"),
      // {"args": [2]}, {"kwargs": {"b": 3}}, both in either order, empty ones
      ("81a4617267739102", "9102", nil), ("81a66b776172677381a16203", nil, "81a16203"),
      ("82a4617267739102a66b776172677381a16203", "9102", "81a16203"),
      ("82a66b776172677381a16203a4617267739102", "9102", "81a16203"),
      ("82a46172677390a66b776172677380", nil, nil),
      // {"args": 2}, {"args": [2], "b": 3}, {"kwargs": [2]}
      ("81a46172677302", nil, "81a46172677302"), ("82a4617267739102a16203", nil, "82a4617267739102a16203"),
      ("81a66b77617267739102", nil, "81a66b77617267739102"),
      // Forms that are not the shortest, float32, a key that is binary within a map
      ("91cd0001", "91cd0001", nil), ("91ca3f800000", "91ca3f800000", nil), ("91da000161", "91da000161", nil),
      ("9181c4016101", "9181c4016101", nil),
    ] as [(String, String?, String?)])
  func shapes(source: String, arguments: String?, keywords: String?) throws {
    let call = try passed(source)
    #expect(call.arguments == arguments)
    #expect(call.keywords == keywords)
  }

  @Test(
    "that are not one value of an array or a map are refused",
    arguments: [
      ("02", TranscodingError.Code.badShape), ("c0", .badShape), ("a161", .badShape), ("d6ff00000000", .badShape),
      ("c1", .badMessagePack), ("91", .badMessagePack), ("91c1", .badMessagePack), ("9002", .badMessagePack),
      ("92a161", .badMessagePack), ("91c403aabb", .badMessagePack), ("dd7fffffff00", .badMessagePack),
      ("dfffffffff0000", .badMessagePack), ("91c7ff0500", .badMessagePack),
    ])
  func refused(source: String, code: TranscodingError.Code) {
    #expect(failure { () throws(TranscodingError) in try passed(source) }?.code == code)
  }

  /// What a service could not read, and where it is.
  static let unreadable: [(source: String, code: TranscodingError.Code, pointer: String)] = [
    // [1, {"a": "\xff"}], {"~/": ["\xff"]}, {b"a": "\xff"} in an array, [{"\xff": 1}]
    ("920181a161a1ff", .badMessagePack, "/1/a"),
    ("81a27e2f91a1ff", .badMessagePack, "/~0~1/0"),
    ("9181c40161a1ff", .badMessagePack, #"/0/{"$bin":"YQ=="}"#),
    ("9181a1ff01", .badMessagePack, "/0"),
    // A key twice.
    ("82a16101a16102", .badMessagePack, "/a"),
    ("9182c4016101c4016102", .badMessagePack, #"/0/{"$bin":"YQ=="}"#),
    // Keys that are neither string nor binary.
    ("81c001", .notEncodable, ""),
    ("92018101c0", .notEncodable, "/1"),
    ("9181cb000000000000000001", .notEncodable, "/0"),
    ("91819001", .notEncodable, "/0"),
    ("91818001", .notEncodable, "/0"),
    ("9181d6ff0000000001", .notEncodable, "/0"),
    // Keyword arguments by bytes, also in an envelope.
    ("81c4016101", .notEncodable, ""),
    ("81a66b776172677381c4016101", .notEncodable, ""),
    // Extensions: pickles, others, moments that are none.
    ("91d47e00", .notEncodable, "/0"),
    ("82a16101a16291d47f00", .notEncodable, "/b/0"),
    ("91d47b00", .notEncodable, "/0"),
    ("91d40500", .notEncodable, "/0"),
    ("91d4fe00", .notEncodable, "/0"),
    ("91d48000", .notEncodable, "/0"),
    ("91d4ff00", .notEncodable, "/0"),
    ("91d7ffffffffff00000000", .notEncodable, "/0"),
  ]

  @Test("that a service could not read are refused where they are", arguments: unreadable)
  func refusedInPlace(source: String, code: TranscodingError.Code, pointer: String) throws {
    let error = try #require(failure { () throws(TranscodingError) in try passed(source) })
    #expect(error.code == code)
    #expect(error.pointer == pointer)
  }

  @Test("a key that comes twice is found in a map of any size", arguments: [2, 24, 25, 26, 27, 300])
  func twice(count: Int) throws {
    let keys = (0..<count).map { Value.Pair("k\($0)" as Value, nil) }
    #expect(throws: Never.self) { try passed(hex(written([.map(keys)]))) }
    let error = failure { () throws(TranscodingError) in
      try passed(hex(written([.map(keys + [.init(keys[count / 2].key, nil)])])))
    }
    #expect(error?.code == .badMessagePack)
    #expect(error?.pointer == "/0/k\(count / 2)")
  }

  @Test("a string and a binary of the same bytes are two keys, as in Python", arguments: [1, 2, 12, 13, 14, 300])
  func stringAndBinary(count: Int) throws {
    let texts = ["", "a", "eight888", "more-than-eight"] + (0..<count).map { "k\($0)" }
    let keys = texts.flatMap { [Value.Pair(.string($0), nil), .init(.binary(Array($0.utf8)), nil)] }
    let source = hex(written([.map(keys)]))
    #expect(try passed(source).arguments == source)
    for key in [Value.string("more-than-eight"), .binary([]), .binary(Array("k\(count - 1)".utf8))] {
      let error = failure { () throws(TranscodingError) in
        try passed(hex(written([.map(keys + [.init(key, nil)])])))
      }
      #expect(error?.code == .badMessagePack)
    }
  }

  @Test("extensions pass when they are listed, and moments do")
  func extensions() throws {
    let arguments = MessagePackArguments(extensions: .init([0: .text, 64: .base64, 122: .text]))
    for source in [
      "91d400aa", "91d440aa", "91c70040", "91d47aaa", "91d6ff00000001", "91c70cff000000007fffffffffffffff",
    ] {
      #expect(try passed(source, arguments).arguments == source)
    }
    for source in ["91d401aa", "91d43faa", "91d441aa", "91d47baa"] {
      #expect(failure { () throws(TranscodingError) in try passed(source, arguments) }?.code == .notEncodable)
    }
  }

  @Test("dates are written afresh where they are pickled, and nothing else in their codes passes")
  func dates() throws {
    let arguments = MessagePackArguments(extensions: .init(picklesDates: true))
    for vector in Golden.pickles {
      let code = vector.code ?? 126
      let source = written(.array([1, .ext(code, vector.payload), "z"]))
      guard let date = vector.payload.withUnsafeBytes({ PickledDate(code: code, payload: $0) }) else {
        let error = failure { () throws(TranscodingError) in try passed(hex(source), arguments) }
        #expect(error?.code == .notEncodable)
        #expect(error?.pointer == "/1")
        continue
      }
      let afresh = written(.array([1, .ext(code, date.pickle), "z"]))
      #expect(try passed(hex(source), arguments).arguments == hex(afresh))
      // In an envelope the frames lie where the bytes have moved to.
      let envelope = written(["args": [.ext(code, vector.payload)], "kwargs": ["a": .ext(code, vector.payload)]])
      let call = try passed(hex(envelope), arguments)
      #expect(call.arguments == hex(written([.ext(code, date.pickle)])))
      #expect(call.keywords == hex(written(["a": .ext(code, date.pickle)])))
    }
  }

  @Test("depth and number of values are bounded", arguments: [1, 2, 17, 64])
  func limits(limit: Int) throws {
    func nested(_ depth: Int) -> String { String(repeating: "91", count: depth - 1) + "90" }
    let deep = MessagePackArguments(limits: .init(depth: limit))
    #expect(throws: Never.self) { try passed(nested(limit), deep) }
    let error = failure { () throws(TranscodingError) in try passed(nested(limit + 1), deep) }
    #expect(error?.code == .tooDeep)
    #expect(error?.pointer == String(repeating: "/0", count: limit))
    let many = MessagePackArguments(limits: .init(elements: limit))
    #expect(throws: Never.self) { try passed(hex(written(.array(Array(repeating: 1, count: limit - 1)))), many) }
    let tooMany = failure { () throws(TranscodingError) in
      try passed(hex(written(.array(Array(repeating: 1, count: limit)))), many)
    }
    #expect(tooMany?.code == .tooManyElements)
  }

  @Test("what is refused as JSON is refused as MessagePack, and what passes is the same value")
  func likeJSON() throws {
    var random = SplitMix(state: 21)
    for _ in 0..<2_000 {
      let value = Value.array([.random(depth: 4, isPlain: true, using: &random)])
      let packed = written(value)
      #expect(try passed(hex(packed)).arguments == hex(packed))
      #expect(try pack(try print(packed)) == packed)
    }
  }

  @Test("changed bytes are refused or pass as they are")
  func mutations() {
    var random = SplitMix(state: 22)
    for _ in 0..<3_000 {
      var packed = written(.array([.random(depth: 3, isPlain: false, using: &random)]))
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        packed[Int.random(in: packed.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      guard let call = try? passed(hex(packed)), let arguments = call.arguments, packed[0] >= 0x91 else { continue }
      #expect(arguments == hex(packed))
    }
  }
}

@Suite("A MessagePack result", .inTurn(minutes: 3))
struct MessagePackResultTests {
  @Test("passes as it came, whatever it is")
  func same() throws {
    var random = SplitMix(state: 23)
    for _ in 0..<2_000 {
      let packed = written(.random(depth: 4, isPlain: true, using: &random))
      #expect(try passedBack(hex(packed)) == hex(packed))
    }
    for source in [
      "cb7ff8000000000000", "a1ff", "8101c0", "8190c0", "8181a161c0c0", "82a16101a16102", "d405aa", "d4feaa", "d4ffaa",
      "ca3f800000", "cd0001", "dc0000", "df00000000",
    ] { #expect(try passedBack(source) == source) }
  }

  @Test("has text in the place of a pickled date, and a map in the place of what else is in those codes")
  func dates() throws {
    for vector in Golden.pickles {
      let code = vector.code ?? 126
      let date = vector.payload.withUnsafeBytes { PickledDate(code: code, payload: $0) }
      let shown: Value = date.map { .string($0.text) } ?? ["$ext": [.int(Int64(code)), .binary(vector.payload)]]
      let source = written([.ext(code, vector.payload), 1, ["a": .ext(code, vector.payload)]])
      #expect(try passedBack(hex(source)) == hex(written([shown, 1, ["a": shown]])))
    }
    // As a key too.
    #expect(try passedBack("81d47e00c0") == "8181a42465787492" + "7ec40100" + "c0")
  }

  @Test(
    "that is not one value, or beyond the limits, is refused",
    arguments: [
      ("", TranscodingError.Code.badMessagePack), ("c1", .badMessagePack), ("9101c0", .badMessagePack),
      ("9291", .badMessagePack), ("9191919100", .tooDeep), ("9501020304", .badMessagePack),
      ("94010203", .badMessagePack),
      ("95c0c0c0c0c0", .tooManyElements),
    ])
  func refused(source: String, code: TranscodingError.Code) {
    let result = MessagePackResult(limits: .init(depth: 3, elements: 5))
    #expect(failure { () throws(TranscodingError) in try passedBack(source, result) }?.code == code)
  }
}
