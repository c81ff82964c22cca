import Support

@testable import MessagePack

extension Value {
  /// A random value no deeper than `depth`. String keys only, each once, when `isPlain`; then there are also no
  /// extensions, no NaN and no reserved keys, so that JSON shows the value truly.
  static func random(depth: Int, isPlain: Bool, using random: inout SplitMix) -> Value {
    switch Int.random(in: 0..<(depth > 0 ? 12 : 8), using: &random) {
    case 0: return nil
    case 1: return .bool(.random(using: &random))
    case 2: return .integer(random.next() >> UInt64.random(in: 0..<64, using: &random))
    case 3: return .int(Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random))
    case 4:
      let value = Double(bitPattern: random.next())
      return .double(value.isFinite ? value : 0.5)
    case 5, 6: return .string(text(using: &random))
    case 7 where isPlain: return .double(Double(Int.random(in: -9_999...9_999, using: &random)) / 100)
    case 7:
      let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      // Code -1 is left out: its payload has rules of its own.
      return .random(using: &random) ? .binary(bytes) : .ext(Int8.random(in: 0...127, using: &random), bytes)
    case 8, 9:
      return .array(
        (0..<size(using: &random)).map { _ in .random(depth: depth - 1, isPlain: isPlain, using: &random) })
    default:
      var seen: Set<Value> = []
      let pairs = (0..<size(using: &random)).compactMap { _ -> Pair? in
        let isText = isPlain || Bool.random(using: &random)
        let key: Value =
          isText ? .string(text(using: &random)) : .random(depth: depth - 1, isPlain: false, using: &random)
        if isPlain, !seen.insert(key).inserted { return nil }
        return Pair(key, .random(depth: depth - 1, isPlain: isPlain, using: &random))
      }
      return .map(pairs)
    }
  }

  private static func size(using random: inout SplitMix) -> Int {
    Int.random(in: 0..<20, using: &random) == 0 ? 40 : Int.random(in: 0..<6, using: &random)
  }

  private static func text(using random: inout SplitMix) -> String {
    let letters = Array("abcdefgh \"\\/\n\t\u{0}\u{7f}éß€\u{2028}😀")
    let count = Int.random(in: 0..<12, using: &random) == 0 ? 300 : Int.random(in: 0..<20, using: &random)
    return String((0..<count).map { _ in letters[Int(random.next() % UInt64(letters.count))] })
  }
}
