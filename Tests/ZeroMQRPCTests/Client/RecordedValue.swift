import Foundation
import MessagePack
import Support
import Testing

/// A vector of `Golden/` whose values are compared: with the order of its members and the text of its numbers.
struct RecordedCall: CustomTestStringConvertible, Sendable {
  let name: String
  let frames: [[UInt8]]
  let decoded: JSON

  var testDescription: String { name }
  var method: String { decoded["method"].text ?? "" }
  var positional: [Value] { get throws { try decoded["args"].elements.map { try Value(recorded: $0) } } }

  /// All arguments, those by position without a name.
  var arguments: KeyValuePairs<String, (any ValueEncodable)?> {
    get throws {
      var named: [(String, Value)] = []
      if case .object(let members) = decoded["kwargs"] {
        named = try members.map { ($0.key, try Value(recorded: $0.value)) }
      }
      let all = try positional.map { ("", $0) } + named
      switch all.count {
      case 0: return [:]
      case 1: return [all[0].0: all[0].1]
      case 2: return [all[0].0: all[0].1, all[1].0: all[1].1]
      default: throw TimedOut("a call of at most two arguments")
      }
    }
  }

  static func load(_ file: String) -> [RecordedCall] {
    guard let url = Bundle.module.url(forResource: "Golden/\(file)", withExtension: "json"),
      let text = try? String(contentsOf: url, encoding: .utf8), let json = JSON(text)
    else { fatalError("cannot read Golden/\(file).json") }
    return json["vectors"].elements.map { vector in
      RecordedCall(
        name: vector["name"].text ?? "",
        frames: vector["frames_hex"].elements.map { [UInt8](hexadecimal: $0.text ?? "") },
        decoded: vector["decoded"])
    }
  }
}

extension [UInt8] {
  init(hexadecimal text: String) {
    let digits = Array<UInt8>(text.utf8)
    self = stride(from: 0, to: digits.count, by: 2).map {
      UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16) ?? 0
    }
  }
}

extension Value {
  /// A value in the notation of `peer_json.py`.
  init(recorded json: JSON) throws {
    switch json {
    case .null: self = .nil
    case .bool(let flag): self = .bool(flag)
    case .string(let text): self = .string(text)
    case .number(let text): self = Int64(text).map(Value.int) ?? .double(Double(text) ?? 0)
    case .array(let members): self = .array(try members.map { try Value(recorded: $0) })
    case .object(let members):
      guard let first = members.first, first.key.hasPrefix("$") else {
        self = .map(try members.map { .init(.string($0.key), try Value(recorded: $0.value)) })
        return
      }
      self = try Value(tag: first.key, first.value)
    }
  }

  private init(tag: String, _ json: JSON) throws {
    switch tag {
    case "$bytes": self = .binary([UInt8](hexadecimal: json.text ?? ""))
    case "$int": self = Int64(json.text ?? "").map(Value.int) ?? .uint(UInt64(json.text ?? "") ?? 0)
    case "$float": self = .double(Double(json.text ?? "") ?? 0)
    case "$map":
      self = .map(try json.elements.map { .init(try Value(recorded: $0[0]), try Value(recorded: $0[1])) })
    case "$ext":
      self = .ext(Int8(json["code"].integer ?? 0), [UInt8](hexadecimal: json["hex"].text ?? ""))
    case "$timestamp": self = .timestamp(json[0].integer ?? 0, nanoseconds: json[1].integer ?? 0)
    default: throw TimedOut("a known tag, and not \(tag)")
    }
  }

  /// The extension -1 in its shortest form.
  private static func timestamp(_ seconds: Int, nanoseconds: Int) -> Value {
    func bytes(_ number: Int, _ count: Int) -> [UInt8] {
      (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
    guard (0..<1 << 34).contains(seconds) else { return .ext(-1, bytes(nanoseconds, 4) + bytes(seconds, 8)) }
    return .ext(-1, nanoseconds == 0 ? bytes(seconds, 4) : bytes(nanoseconds << 34 | seconds, 8))
  }
}
