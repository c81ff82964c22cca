import CLinux
import Glibc

/// Writes streams to their sockets while libmicrohttpd has their connections suspended, in chunks as it would make them itself
/// (RFC 9112, 7.1). One for all streams of a server, whose room for a piece they share.
///
/// That spares each event of each stream a resume, a walk through libmicrohttpd's states, a copy into the connection's memory and a
/// suspend.
final class ChunkWriter {
  /// How far the writing of a stream has come.
  enum Written: CaseIterable {
    /// All that it has for now.
    case all
    /// As much as is written in one turn: there may be more.
    case some
    /// As much as the client takes for now.
    case blocked
    /// All of it, but for what ends it: that is for libmicrohttpd to write.
    case end
    /// No more can be written.
    case broken
  }

  /// The most bytes of a stream that are read at once, and so of what is kept for a client that takes nothing.
  static let pieceSize = 4 << 10
  /// Pieces of a stream that are written before others have their turn.
  private static let piecesPerTurn = 16
  /// Up to four digits, CR and LF; and CR and LF behind the piece.
  private static let headSize = 6
  private static let tailSize = 2

  private let room = UnsafeMutableRawBufferPointer.allocate(
    byteCount: headSize + pieceSize + tailSize, alignment: 16)

  deinit { room.deallocate() }

  /// Writes what is left of an earlier piece, and then what the stream has. What the kernel does not take is kept as the rest.
  func write(
    _ stream: any BodyStream, asChunks areChunks: Bool, rest bytes: ExchangeBytes, to descriptor: CInt
  ) -> Written {
    if !bytes.rest.isEmpty {
      guard let count = Self.send(bytes.rest, to: descriptor) else { return .broken }
      bytes.restTaken(count)
      if !bytes.rest.isEmpty { return .blocked }
    }
    let place = UnsafeMutableRawBufferPointer(rebasing: room[Self.headSize..<Self.headSize + Self.pieceSize])
    for _ in 0..<Self.piecesPerTurn {
      let read = stream.read(into: place)
      switch read {
      case .nothing: return .all
      case .end: return .end
      case .bytes(let count), .all(let count):
        guard 1...Self.pieceSize ~= count else { return .broken }
        let piece = areChunks ? chunk(of: count) : UnsafeRawBufferPointer(rebasing: place[..<count])
        guard let taken = Self.send(piece, to: descriptor) else { return .broken }
        if taken < piece.count {
          bytes.keepRest(UnsafeRawBufferPointer(rebasing: piece[taken...]))
          return .blocked
        }
        if case .all = read { return .all }
      }
    }
    return .some
  }

  /// Frames the piece that lies in the room.
  private func chunk(of count: Int) -> UnsafeRawBufferPointer {
    let (end, digits) = (Self.headSize + count, "0123456789ABCDEF" as StaticString)
    var start = Self.headSize - 2
    room[start] = UInt8(ascii: "\r")
    room[start + 1] = UInt8(ascii: "\n")
    var left = count
    repeat {
      start -= 1
      room[start] = digits.utf8Start[left & 0xF]
      left >>= 4
    } while left > 0
    room[end] = UInt8(ascii: "\r")
    room[end + 1] = UInt8(ascii: "\n")
    return UnsafeRawBufferPointer(rebasing: room[start..<end + Self.tailSize])
  }

  /// Returns how many bytes the kernel takes; nil when the connection is broken.
  private static func send(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) -> Int? {
    let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
    if count >= 0 { return count }
    return errno == EAGAIN || errno == EINTR ? 0 : nil
  }
}
