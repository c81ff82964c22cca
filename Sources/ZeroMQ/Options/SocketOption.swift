import CZeroMQ
import Glibc
import Reactor

/// One of libzmq's socket options (`zmq_setsockopt(3)`), with the type of its value.
///
/// `SocketOptions` takes them for the time before the first endpoint, `Transport.set` afterwards. Unless its comment says "at any time",
/// an option counts for the endpoints that are bound or connected to after it is set. What has no name here goes through `int32`,
/// `int64`, `uint64` and `bytes`, by libzmq's number.
///
/// Without a name are, on purpose: what this library sets or reads itself (ZMQ_FD, ZMQ_EVENTS, ZMQ_RCVMORE, and ZMQ_SNDTIMEO and
/// ZMQ_RCVTIMEO, as no call waits); ZMQ_XPUB_MANUAL, with which libzmq 4.3.4 writes to peers that are gone; ZMQ_SOCKS_PROXY,
/// with which libzmq ends the process when the proxy does not answer; ZMQ_CONFLATE, with which it ends the process when a message has
/// several frames; the transports that `Endpoint` refuses (ZMQ_RATE, ZMQ_RECOVERY_IVL,
/// ZMQ_MULTICAST_HOPS, ZMQ_MULTICAST_MAXTPDU, ZMQ_VMCI_*); ZMQ_GSSAPI_*, which distributions build libzmq without; deprecated ones (ZMQ_IPV4ONLY, ZMQ_TCP_ACCEPT_FILTER, ZMQ_IPC_FILTER_*, ZMQ_ROUTER_RAW);
/// ZMQ_THREAD_SAFE, which is false for all kinds here; ZMQ_TYPE, which is `Transport.kind`; ZMQ_BLOCKY, which is a context's; and those of
/// security, ZMQ_PLAIN_*, ZMQ_CURVE_* and ZMQ_ZAP_DOMAIN, which are set together, and ZMQ_MECHANISM, which says what they have made.
public struct SocketOption<Value: Sendable>: Sendable {
  /// libzmq's number.
  public let number: Int32
  let name: String
  /// How many bytes libzmq is offered for the value; of a number it wants just those that it has.
  let size: Int
  let encode: @Sendable (Value) -> [UInt8]
  let decode: @Sendable ([UInt8]) -> Value?

  init(
    _ number: Int32, _ name: String, size: Int = 4, _ encode: @escaping @Sendable (Value) -> [UInt8],
    _ decode: @escaping @Sendable ([UInt8]) -> Value?
  ) {
    self.number = number
    self.name = name
    self.size = size
    self.encode = encode
    self.decode = decode
  }
}

// MARK: By number

extension SocketOption<Int32> {
  /// An option of C's `int`, by its number: the way past this library's names. What ends the process
  /// over is refused here too.
  public static func int32(_ number: Int32) -> Self { .init(number, "option \(number)", integerBytes, integer) }
}

extension SocketOption<Int64> {
  /// An option of 64 bits, by its number.
  public static func int64(_ number: Int32) -> Self { .int64(number, "option \(number)") }

  static func int64(_ number: Int32, _ name: String) -> Self { .init(number, name, size: 8, integerBytes, integer) }
}

extension SocketOption<UInt64> {
  /// An option of 64 bits without a sign, by its number.
  public static func uint64(_ number: Int32) -> Self { .uint64(number, "option \(number)") }

  static func uint64(_ number: Int32, _ name: String) -> Self { .init(number, name, size: 8, integerBytes, integer) }
}

extension SocketOption<[UInt8]> {
  /// An option of bytes, by its number. To be read, some want to be offered as many bytes as they have, which is `size` then.
  public static func bytes(_ number: Int32, size: Int = 255) -> Self {
    .init(number, "option \(number)", size: size, { $0 }, { $0 })
  }

  static func bytes(_ number: Int32, _ name: String) -> Self { .init(number, name, size: 255, { $0 }, { $0 }) }
}

// MARK: By the type of the value

extension SocketOption<Bool> {
  static func flag(_ number: Int32, _ name: String) -> Self {
    .init(number, name, { integerBytes(Int32($0 ? 1 : 0)) }, { integer($0).map { (number: Int32) in number != 0 } })
  }
}

extension SocketOption<Int> {
  static func count(_ number: Int32, _ name: String) -> Self {
    .init(number, name, { integerBytes(Int32(clamping: $0)) }, { integer($0).map { (number: Int32) in Int(number) } })
  }
}

extension SocketOption<Int?> {
  /// A count, where nil is libzmq's -1.
  static func count(_ number: Int32, _ name: String) -> Self {
    .init(
      number, name, { integerBytes(Int32(clamping: $0 ?? -1)) },
      { integer($0).map { (number: Int32) in number < 0 ? nil : Int(number) } })
  }
}

extension SocketOption<Duration> {
  /// A time; `units` of it are a second.
  static func time(_ number: Int32, _ name: String, units: Int64 = 1_000) -> Self {
    .init(number, name, { integerBytes(counted($0, units)) }, { integer($0).map { duration($0, units) } })
  }
}

extension SocketOption<Duration?> {
  /// A time, where nil is libzmq's -1. One below zero is no nil: libzmq refuses it.
  static func time(_ number: Int32, _ name: String, units: Int64 = 1_000, atLeast least: Int32 = 0) -> Self {
    @Sendable func count(_ duration: Duration) -> Int32 {
      let count = counted(duration, units)
      return count < 0 ? min(count, -2) : max(count, least)
    }
    return .init(
      number, name, { integerBytes($0.map(count) ?? -1) },
      { integer($0).map { (count: Int32) in count < 0 ? nil : duration(count, units) } })
  }
}

extension SocketOption<String> {
  static func text(_ number: Int32, _ name: String) -> Self {
    .init(
      number, name, size: 1_024, { Array($0.utf8) },
      { String(decoding: $0.last == 0 ? $0.dropLast() : $0[...], as: UTF8.self) })
  }
}

private func integerBytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
  withUnsafeBytes(of: number) { Array($0) }
}

private func integer<Number: FixedWidthInteger>(_ bytes: [UInt8]) -> Number? {
  guard bytes.count == MemoryLayout<Number>.size else { return nil }
  return bytes.withUnsafeBytes { $0.loadUnaligned(as: Number.self) }
}

/// Rounded away from zero: a time that is not zero stays so, for zero often means "never".
private func counted(_ duration: Duration, _ units: Int64) -> Int32 {
  let unit = 1_000_000_000 / units
  let (whole, part) = duration.nanoseconds.quotientAndRemainder(dividingBy: unit)
  return Int32(clamping: whole + part.signum())
}

private func duration(_ count: Int32, _ units: Int64) -> Duration {
  .nanoseconds(Int64(count) * (1_000_000_000 / units))
}
