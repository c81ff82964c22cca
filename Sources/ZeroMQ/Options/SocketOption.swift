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
/// ZMQ_RCVTIMEO, as no call waits); ZMQ_XPUB_MANUAL, with which libzmq 4.3.4 writes to peers that are gone; the transports that
/// `Endpoint` refuses (ZMQ_RATE, ZMQ_RECOVERY_IVL, ZMQ_MULTICAST_HOPS, ZMQ_MULTICAST_MAXTPDU, ZMQ_VMCI_*); ZMQ_GSSAPI_*, which
/// distributions build libzmq without; deprecated ones (ZMQ_IPV4ONLY, ZMQ_TCP_ACCEPT_FILTER, ZMQ_IPC_FILTER_*, ZMQ_ROUTER_RAW);
/// ZMQ_THREAD_SAFE, which is false for all kinds here; and those of security, ZMQ_PLAIN_*, ZMQ_CURVE_* and ZMQ_ZAP_DOMAIN, which are
/// set together.
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
  /// An option of C's `int`, by its number: the way past this library's names, and past what they check.
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
  /// A time, where nil is libzmq's -1.
  static func time(_ number: Int32, _ name: String, units: Int64 = 1_000) -> Self {
    .init(
      number, name, { integerBytes($0.map { counted($0, units) } ?? -1) },
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

/// Rounded up: a time that is not zero stays so, for zero often means "never".
private func counted(_ duration: Duration, _ units: Int64) -> Int32 {
  let unit = 1_000_000_000 / units
  let (whole, part) = duration.nanoseconds.quotientAndRemainder(dividingBy: unit)
  return Int32(clamping: part > 0 ? whole + 1 : whole)
}

private func duration(_ count: Int32, _ units: Int64) -> Duration {
  .nanoseconds(Int64(count) * (1_000_000_000 / units))
}

// MARK: Setting and reading

extension Socket {
  /// The value of an option. Throws `invalid` for one that libzmq does not know or does not tell.
  public func option<Value>(_ option: SocketOption<Value>) throws(ZMQError) -> Value {
    var bytes = [UInt8](repeating: 0, count: option.size)
    var count = bytes.count
    try check("zmq_getsockopt(\(option.name))") { zmq_getsockopt(raw, option.number, &bytes, &count) }
    guard let value = option.decode(Array(bytes.prefix(count))) else {
      throw ZMQError(code: .invalid, call: "zmq_getsockopt(\(option.name)), which has \(count) bytes")
    }
    return value
  }

  /// Sets an option. Throws, after the first endpoint, for those that libzmq 4.3.4 then takes in a way that can end the process (see
  /// their comments), for heartbeats where the receive mark can be reached (see `SocketOptions.heartbeat`), and for a PLAIN server that
  /// enforces a domain it does not have.
  public func set<Value>(_ option: SocketOption<Value>, to value: Value) throws(ZMQError) {
    try set(OptionValue(option, value))
  }

  /// Throws for what libzmq 4.3.4 takes, but could end the process over.
  func requireHarmless(_ value: OptionValue) throws(ZMQError) {
    if OptionValue.fixed.contains(value.number), try !option(.lastEndpoint).isEmpty { throw value.tooLate }
    if try beatsBelowMark(value) {
      throw ZMQError(
        code: .invalid, call: "\(value.name): heartbeats need a receive mark of 0; set one of the two to zero")
    }
    if try enforcesNoDomain(value) {
      throw ZMQError(
        code: .invalid,
        call:
          "\(value.name): a PLAIN server that enforces its domain needs one;"
          + " use SocketOptions.security, .plainServer(domain:)")
    }
  }

  /// Whether there would be heartbeats while the receive mark can be reached (see `SocketOptions.heartbeat`).
  private func beatsBelowMark(_ value: OptionValue) throws(ZMQError) -> Bool {
    guard !value.isZero else { return false }
    switch value.number {
    case ZMQ_HEARTBEAT_IVL: return try option(.receiveHighWaterMark) != 0
    case ZMQ_RCVHWM: return try option(.heartbeat) != .zero
    default: return false
    }
  }

  /// Whether it would be a PLAIN server that enforces the domain that it does not have: libzmq ends the process at its first peer.
  private func enforcesNoDomain(_ value: OptionValue) throws(ZMQError) -> Bool {
    guard [ZMQ_PLAIN_SERVER, ZMQ_ZAP_DOMAIN, czmq_zap_enforce_domain].contains(value.number) else { return false }
    func isOn(_ number: CInt) throws(ZMQError) -> Bool {
      number == value.number ? !value.isZero : try integer(number) != 0
    }
    let isDomain = value.number == ZMQ_ZAP_DOMAIN
    let hasDomain = isDomain ? !value.bytes.isEmpty : try !option(.text(ZMQ_ZAP_DOMAIN, "ZMQ_ZAP_DOMAIN")).isEmpty
    guard !hasDomain, try isOn(ZMQ_PLAIN_SERVER) else { return false }
    return try isOn(czmq_zap_enforce_domain)
  }
}

/// An option and what it is to be set to, as libzmq takes it.
struct OptionValue: Sendable, Hashable {
  /// Set before the first endpoint or not at all.
  static let fixed: Set<Int32> = [ZMQ_SNDHWM, ZMQ_RCVHWM, ZMQ_CONFLATE, ZMQ_IMMEDIATE]

  let number: Int32
  let name: String
  let bytes: [UInt8]

  init<Value>(_ option: SocketOption<Value>, _ value: Value) {
    number = option.number
    name = option.name
    bytes = option.encode(value)
  }

  /// Of a number: whether it is 0.
  var isZero: Bool { bytes.allSatisfy { $0 == 0 } }

  var tooLate: ZMQError { ZMQError(code: .invalid, call: "\(name) is set before the first endpoint, or not at all") }
}
