import Glibc
import MessagePack

/// A call as it travels, lent: its bytes live for the time of the function that is given it.
public struct BorrowedCall {
  /// What it is published on; nil in the patterns without topics.
  public var topic: UnsafeRawBufferPointer?
  /// The dotted name of the method, in UTF-8.
  public var method: UnsafeRawBufferPointer
  /// The arguments: one packed array.
  public var arguments: UnsafeRawBufferPointer
  /// The keyword arguments: one packed map.
  public var keywords: UnsafeRawBufferPointer

  /// A call of these bytes.
  public init(
    topic: UnsafeRawBufferPointer? = nil, method: UnsafeRawBufferPointer, arguments: UnsafeRawBufferPointer,
    keywords: UnsafeRawBufferPointer
  ) {
    self.topic = topic
    self.method = method
    self.arguments = arguments
    self.keywords = keywords
  }
}

extension BorrowedCall {
  /// Bytes of all its parts.
  public var count: Int { (topic?.count ?? 0) + method.count + arguments.count + keywords.count }
}

/// A call to keep: its bytes, in one array of its own.
package struct CopiedCall: Sendable {
  private let bytes: [UInt8]
  private let topicEnd: Int?
  private let methodEnd: Int
  private let argumentsEnd: Int

  package init(copying call: BorrowedCall) {
    topicEnd = call.topic?.count
    methodEnd = (topicEnd ?? 0) + call.method.count
    argumentsEnd = methodEnd + call.arguments.count
    var bytes: [UInt8] = []
    bytes.reserveCapacity(call.count)
    if let topic = call.topic { bytes += topic }
    bytes += call.method
    bytes += call.arguments
    bytes += call.keywords
    self.bytes = bytes
  }

  /// The parts one behind the other, and where they end.
  init(_ parts: borrowing ByteBuffer, topicEnd: Int?, methodEnd: Int, argumentsEnd: Int) {
    bytes = parts.withUnsafeBytes { Array($0) }
    self.topicEnd = topicEnd
    self.methodEnd = methodEnd
    self.argumentsEnd = argumentsEnd
  }

  /// Bytes of all its parts.
  package var count: Int { bytes.count }

  package func lend<Result>(_ body: (BorrowedCall) -> Result) -> Result {
    bytes.withUnsafeBytes { bytes in
      body(
        BorrowedCall(
          topic: topicEnd.map { UnsafeRawBufferPointer(rebasing: bytes[..<$0]) },
          method: UnsafeRawBufferPointer(rebasing: bytes[(topicEnd ?? 0)..<methodEnd]),
          arguments: UnsafeRawBufferPointer(rebasing: bytes[methodEnd..<argumentsEnd]),
          keywords: UnsafeRawBufferPointer(rebasing: bytes[argumentsEnd...])))
    }
  }
}

/// The fixed head of a request and of its reply: aiozmq's `=HHLd` and `=HHLd?`, little-endian.
///
/// Process id and random number carry no meaning for the other side; the number of the call alone matches a reply to
/// its request.
enum CallHeader {
  static let requestSize = 16
  static let replySize = 17

  /// Writes a request's head over the first 16 bytes.
  static func write(
    _ call: UInt32, process: UInt16, random: UInt16, time: Double, to bytes: UnsafeMutableRawBufferPointer
  ) {
    bytes.storeBytes(of: process.littleEndian, toByteOffset: 0, as: UInt16.self)
    bytes.storeBytes(of: random.littleEndian, toByteOffset: 2, as: UInt16.self)
    bytes.storeBytes(of: call.littleEndian, toByteOffset: 4, as: UInt32.self)
    bytes.storeBytes(of: time.bitPattern.littleEndian, toByteOffset: 8, as: UInt64.self)
  }

  /// The number of the call and whether the body is an exception; nil when it is no reply head.
  static func readReply(_ bytes: UnsafeRawBufferPointer) -> (call: UInt32, isException: Bool)? {
    guard bytes.count == replySize else { return nil }
    return (UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)), bytes[16] != 0)
  }

  /// When the backend wrote the head of a reply, in seconds of Unix time by its clock; whatever it wrote, which may be no number.
  static func replyTime(_ bytes: UnsafeRawBufferPointer) -> Double {
    Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }

  /// The number of the call; nil when it is no request head.
  static func readRequest(_ bytes: UnsafeRawBufferPointer) -> UInt32? {
    guard bytes.count == requestSize else { return nil }
    return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
  }

  /// Seconds of Unix time, which aiozmq logs and nothing else.
  static func unixTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
