import CZeroMQ
import Glibc

/// An option and what it is to be set to, as libzmq takes it.
struct OptionValue: Sendable, Hashable {
  /// Set before the first endpoint or not at all.
  static let fixed: Set<Int32> = [ZMQ_SNDHWM, ZMQ_RCVHWM, ZMQ_IMMEDIATE]
  /// What Linux takes (`tcp(7)`) beside -1, as it is set. libzmq takes more, and then no connection comes to stand.
  private static let ranges: [Int32: ClosedRange<Int32>] = [
    ZMQ_TCP_KEEPALIVE_CNT: 1...127, ZMQ_TCP_KEEPALIVE_IDLE: 1...32_767, ZMQ_TCP_KEEPALIVE_INTVL: 1...32_767,
  ]

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

  /// The number, if it is one of C's `int`.
  private var integer: Int32? {
    bytes.count == 4 ? bytes.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) } : nil
  }

  var tooLate: ZMQError { ZMQError(code: .invalid, call: "\(name) is set before the first endpoint, or not at all") }

  /// Why no socket may have that value, though libzmq 4.3.4 takes it.
  var fault: String? {
    switch number {
    case ZMQ_SUBSCRIBE where bytes.count > Socket.longestPrefix:
      return
        "subscribe to a prefix of \(bytes.count) bytes, where libzmq carries at most \(Socket.longestPrefix)"
    case ZMQ_CONFLATE where !isZero:
      return
        "\(name), the option conflate: a message of several frames, which any peer may send, makes libzmq end the process;"
        + " read the batches of a stream, and use the last message of each"
    case ZMQ_XPUB_MANUAL where !isZero: return "\(name), ZMQ_XPUB_MANUAL: libzmq writes to peers that are gone"
    case ZMQ_ROUTING_ID where bytes.first == 0:
      return "\(name): an ID does not begin with 0, as those do that libzmq makes"
    case ZMQ_SOCKS_PROXY where !bytes.isEmpty:
      return "\(name): libzmq ends the process when a SOCKS proxy does not answer; connect without one"
    case ZMQ_USE_FD:
      guard let descriptor = integer, descriptor != -1, !Self.listens(descriptor) else { return nil }
      return "\(name): \(descriptor) is no TCP socket that listens; call listen(2) on it before"
    default:
      guard let range = Self.ranges[number], let value = integer, value != -1, !range.contains(value) else {
        return nil
      }
      return "\(name) of \(value): Linux takes \(range.lowerBound)...\(range.upperBound)"
    }
  }

  /// Whether it is a TCP socket that listens.
  static func listens(_ descriptor: CInt) -> Bool {
    var isListening: CInt = 0
    var size = socklen_t(MemoryLayout<CInt>.size)
    guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size) == 0, isListening != 0 else {
      return false
    }
    var address = sockaddr_storage()
    size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let failure = withUnsafeMutablePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    return failure == 0 && [AF_INET, AF_INET6].contains(CInt(address.ss_family))
  }
}

extension OptionValue: CustomStringConvertible, CustomReflectable {
  /// Which, without what: it may be a secret.
  var description: String { "\(name), \(bytes.count) bytes" }
  var customMirror: Mirror { Mirror(self, children: []) }
}
