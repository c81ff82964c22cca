/// Sees from the first bytes of a connection where it belongs, before anything reads them. A value without I/O.
///
/// A connection that begins with a stream gets little memory, so its head has to be short and alone, and its path one segment behind that
/// of all streams. Whatever cannot be told, or is not quite that, is a call: there every request is read as it deserves.
struct Acceptor {
  /// Who gets the connection.
  enum Destination: Hashable {
    /// The daemon of calls, which takes everything.
    case calls
    /// A daemon of streams.
    case streams
    /// The daemon of calls, for a request that is answered even when connections run out. Only told of those beyond a limit.
    case reserve
  }

  /// Connection memory of a stream: its head, libmicrohttpd's record of each header line, the answer's head, and what is
  /// written at once.
  static let streamMemory = 4 << 10
  /// What the answer's head and a chunk worth writing take of it.
  private static let answerMemory = 1_536
  /// libmicrohttpd's record of one header line.
  private static let recordMemory = 64
  /// How many bytes have to be looked at, at most.
  static let longestLook = streamMemory
  private static let headEnd = Array("\r\n\r\n".utf8)

  private static let methods = ["GET ", "HEAD "].map { Array($0.utf8) }

  private let streams: [[UInt8]]
  private let reserved: [[UInt8]]

  init(streamPath: String, reservedPaths: [String]) {
    streams = streamPath.isEmpty ? [] : Self.methods.map { $0 + Array(streamPath.utf8) }
    reserved = reservedPaths.map { Array($0.utf8) }
  }

  /// Where a connection belongs that begins with these bytes; nil when more of them are needed, which never follow when it has
  /// `ended`. One beyond a limit is looked at until its head is complete: there is not much room for such requests.
  func destination(of bytes: UnsafeRawBufferPointer, isSurplus: Bool, hasEnded: Bool = false) -> Destination? {
    if hasEnded || bytes.count >= Self.longestLook { return isSurplus && isReserved(bytes) ? .reserve : .calls }
    if isSurplus {
      guard end(of: bytes) != nil else { return nil }
      return isReserved(bytes) ? .reserve : .calls
    }
    guard let start = streams.first(where: { zip(bytes, $0).allSatisfy(==) }) else { return .calls }
    // What lies deeper, such as the last value of a topic, is no stream.
    let segment = bytes.dropFirst(start.count).prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "?") }
    if segment.contains(UInt8(ascii: "/")) { return .calls }
    guard let end = end(of: bytes) else { return nil }
    return end == bytes.count && isShort(bytes) ? .streams : .calls
  }

  /// Whether it asks for a reserved path, with a query or without one, be it in absolute form: `http://host/live` (RFC 9112, 3.2.2).
  private func isReserved(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let method = Self.methods.first(where: { bytes.starts(with: $0) }) else { return false }
    var target = UnsafeRawBufferPointer(rebasing: bytes[method.count...])
    for scheme: StaticString in ["http://", "https://"] where target.hasCaselessPrefix(scheme) {
      let authority = target.dropFirst(scheme.utf8CodeUnitCount).prefix { !"/? ".utf8.contains($0) }
      target = UnsafeRawBufferPointer(rebasing: target[authority.endIndex...])
    }
    return reserved.contains { path in
      guard path.count < target.count, target.starts(with: path) else { return false }
      return target[path.count] == UInt8(ascii: " ") || target[path.count] == UInt8(ascii: "?")
    }
  }

  /// Where the first head ends.
  private func end(of bytes: UnsafeRawBufferPointer) -> Int? {
    guard bytes.count >= Self.headEnd.count else { return nil }
    for end in Self.headEnd.count...bytes.count
    where bytes[end - 1] == UInt8(ascii: "\n") && bytes[end - Self.headEnd.count..<end].elementsEqual(Self.headEnd) {
      return end
    }
    return nil
  }

  /// Whether the memory of a stream suffices for this head and its answer.
  private func isShort(_ head: UnsafeRawBufferPointer) -> Bool {
    var lines = 0
    for byte in head where byte == UInt8(ascii: "\n") { lines += 1 }
    return head.count + lines * Self.recordMemory <= Self.streamMemory - Self.answerMemory
  }
}
