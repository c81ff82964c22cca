import Glibc

/// Reads a stream of server-sent events as it comes.
public final class EventReader: @unchecked Sendable {
  // Safe: a test reads a stream from one task at a time.

  /// The lines between two empty ones.
  public struct Block: Sendable, Hashable {
    public var comments: [String] = []
    public var name: String?
    public var id: String?
    public var data: String?
    public var retry: Int?

    public init(comments: [String] = [], retry: Int? = nil) {
      self.comments = comments
      self.retry = retry
    }

    /// The data as JSON.
    public var json: JSON { data.flatMap { JSON($0) } ?? .null }
    /// The part of the id before the dash.
    public var epoch: String? { id?.split(separator: "-").first.map(String.init) }
    /// The part of the id behind the dash.
    public var sequence: Int? { id?.split(separator: "-").last.flatMap { Int($0) } }
  }

  /// Status and headers of the answer.
  public let head: HTTPReply
  private let connection: HTTPConnection
  private var text: [UInt8] = []
  /// Up to here the text holds no end of a block.
  private var scanned = 0
  private var isOver = false

  init(_ head: HTTPReply, _ connection: HTTPConnection) {
    self.head = head
    self.connection = connection
  }

  /// The next block, of whatever kind; nil when the stream has ended.
  public func block() async throws -> Block? {
    try await offThread { [self] in
      while true {
        if let end = endOfBlock() {
          defer {
            text.removeFirst(end)
            scanned = 0
          }
          return Self.parse(text[..<end])
        }
        if isOver { return nil }
        if let chunk = try connection.chunk() { text += chunk } else { isOver = true }
      }
    }
  }

  /// Where the first block ends, behind its empty line.
  private func endOfBlock() -> Int? {
    text.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return nil }
      while scanned + 1 < bytes.count, let found = memchr(base + scanned, 0x0A, bytes.count - 1 - scanned) {
        let index = base.distance(to: UnsafeRawPointer(found))
        if bytes[index + 1] == 0x0A { return index + 2 }
        scanned = index + 1
      }
      scanned = max(0, bytes.count - 1)
      return nil
    }
  }

  /// The next block that holds data; nil when the stream has ended.
  public func event() async throws -> Block? {
    while let block = try await block() {
      if block.data != nil { return block }
    }
    return nil
  }

  /// The next event of that name, others skipped; the empty name is that of events without one.
  public func event(named name: String) async throws -> Block? {
    while let block = try await event() {
      if block.name ?? "" == name { return block }
    }
    return nil
  }

  /// As if the client's machine were cut off.
  public func vanish() { connection.vanish() }

  /// Closes the connection.
  public func close() { connection.disconnect() }

  private static func parse(_ bytes: ArraySlice<UInt8>) -> Block {
    var block = Block()
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count > 1 ? String(parts[1].first == " " ? parts[1].dropFirst() : parts[1]) : ""
      switch parts[0] {
      case "": block.comments.append(value)
      case "event": block.name = value
      case "id": block.id = value
      case "data": block.data = value
      case "retry": block.retry = Int(value)
      default: break
      }
    }
    return block
  }
}
