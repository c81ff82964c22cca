/// The methods that a service always has under a name of their own, found by the bytes of a call: no text is made of those, and none is hashed as
/// if strangers had chosen the names.
struct MethodTable {
  final class Entry: Sendable {
    let name: String
    let method: Method
    fileprivate let bytes: [UInt8]

    fileprivate init(_ name: String, _ method: Method) {
      (self.name, self.method) = (name, method)
      bytes = Array(name.utf8)
    }
  }

  /// Each entry is at the place of its hash or behind it, before the next empty one. Half of them are empty at least.
  private var places: [Entry?]
  /// Bytes of the longest name. What is longer is not looked at.
  private let longest: Int

  /// Those whose names have at most so many bytes.
  init(_ methods: [String: Method], longest: Int) {
    let entries = methods.filter { $0.key.utf8.count <= longest }.map(Entry.init)
    self.longest = entries.map(\.bytes.count).max() ?? 0
    var size = 2
    while size < 2 * entries.count { size *= 2 }
    places = Array(repeating: nil, count: size)
    for entry in entries {
      var place = entry.bytes.withUnsafeBytes { Self.hash($0) } & (size - 1)
      while places[place] != nil { place = (place + 1) & (size - 1) }
      places[place] = entry
    }
  }

  func find(_ name: UnsafeRawBufferPointer) -> Entry? {
    guard name.count <= longest else { return nil }
    let last = places.count - 1
    var place = Self.hash(name) & last
    while let entry = places[place] {
      if entry.bytes.withUnsafeBytes({ $0.isSame(as: name) }) { return entry }
      place = (place + 1) & last
    }
    return nil
  }

  /// FNV-1a.
  private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
    var hash: UInt32 = 2_166_136_261
    for byte in bytes { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    return Int(hash)
  }
}
