import Support
import Testing

@testable import MessagePack

@Suite("changed input", .inTurn(minutes: 3))
struct FuzzTests {
  static let seeds = [
    #"{"args":[1,-5,2.5,"text \u00e9\n é😀",null,true,{"$bin":"AAEC"}],"kwargs":{"a":{"b":[[],{}]},"long key of twenty":1e5}}"#,
    #"{"$map":[["a",{"$timestamp":"2024-02-29T12:34:56.789Z"}],["b",{"$ext":[5,"AAAA"]}],["c",{"$map":[]}]]}"#,
    #"[18446744073709551615,-9223372036854775808,0.1e-5,"\ud83d\ude00",[[[[[[[1]]]]]]],{"a":1,"b":2,"c":3}]"#,
  ]

  @Test("JSON: an answer or an error, and what is accepted reads back the same", arguments: 0..<3)
  func json(seed: Int) throws {
    var random = SplitMix(state: UInt64(seed) + 7)
    let original = Array(Self.seeds[seed].utf8)
    let transcoder = JSONToMessagePack(extensions: .init([5: .base64]))
    for _ in 0..<4_000 {
      let changed = mutate(original, Array("{}[]\",:\\0e.-$u\u{0}\u{ff}".utf8), &random)
      guard let bytes = try? pack(changed, transcoder) else { continue }
      let text = try print(bytes)
      let value = try Unpacker().unpack(bytes)
      #expect(written(value) == bytes)
      #expect(isSafeForServices(value), "\(String(decoding: changed, as: UTF8.self)) became \(hex(bytes))")
      // A timestamp or an extension is text or refused on its way back; all else is exact.
      if let again = try? pack(text, transcoder), !text.contains("T"), again != bytes {
        Issue.record("\(String(decoding: changed, as: UTF8.self)) became \(text)")
      }
    }
  }

  @Test("MessagePack: an answer that is good JSON, or an error")
  func messagePack() throws {
    var random = SplitMix(state: 10)
    for round in 0..<4_000 {
      let original = written(.random(depth: 5, isPlain: false, using: &random))
      let changed = mutate(original, [0xc1, 0xdf, 0xdd, 0x81, 0xa1, 0xd9, 0xff, 0x80, 0xc7], &random)
      let options = MessagePackToJSON(keys: round.isMultiple(of: 2) ? .string : .pairs)
      guard let text = try? print(changed, options) else {
        #expect(throws: TranscodingError.self) { try Unpacker().unpack(changed) }
        continue
      }
      // Only what a service must not be sent is refused on its way back; never for its syntax.
      if let error = failure({ () throws(TranscodingError) in try pack(text, .init(limits: .init(depth: 999))) }) {
        #expect(error.code == .notEncodable, "\(error) in \(text)")
      }
    }
  }

  /// Whether a Python service reads all of it and unpickles nothing.
  private func isSafeForServices(_ value: Value) -> Bool {
    switch value {
    case .array(let members): members.allSatisfy(isSafeForServices)
    case .map(let pairs):
      pairs.allSatisfy { pair in pair.key.stringValue != nil && isSafeForServices(pair.value) }
    case .ext(let code, _): code < 123
    default: true
    }
  }

  private func mutate(_ bytes: [UInt8], _ alphabet: [UInt8], _ random: inout SplitMix) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      guard !bytes.isEmpty else { break }
      let index = Int(random.next() % UInt64(bytes.count))
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes[index] = alphabet[Int(random.next() % UInt64(alphabet.count))]
      case 2: bytes.remove(at: index)
      case 3: bytes.insert(alphabet[Int(random.next() % UInt64(alphabet.count))], at: index)
      default: bytes.removeSubrange(index...)
      }
    }
    return bytes
  }
}
