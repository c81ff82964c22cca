import Glibc
import Support

/// A TCP peer that speaks ZMTP by the byte, for what no libzmq does. Blocking: use it off the thread.
struct RawPeer: ~Copyable {
  struct Failed: Error {
    let call: String
    let code: CInt
    init(_ call: String) { (self.call, code) = (call, errno) }
  }

  private let descriptor: CInt

  /// Connects to a port of this machine.
  init(port: UInt16) throws {
    let opened = try Self.open()
    try Self.connect(opened, port)
    descriptor = opened
  }

  /// One that will connect.
  init() throws { descriptor = try Self.open() }

  func connect(_ port: UInt16) throws { try Self.connect(descriptor, port) }

  private static func open() throws -> CInt {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw Failed("socket") }
    return descriptor
  }

  private static func connect(_ descriptor: CInt, _ port: UInt16) throws {
    guard withAddress(port, { Glibc.connect(descriptor, $0, $1) }) == 0 else { throw Failed("connect") }
  }

  /// A port of this machine that nobody uses.
  static func freePort() throws -> UInt16 {
    let (descriptor, port) = try bound()
    close(descriptor)
    return port
  }

  /// A descriptor that listens, and its port.
  static func listener() throws -> (CInt, UInt16) {
    let (descriptor, port) = try bound()
    guard listen(descriptor, 10) == 0 else { throw Failed("listen") }
    return (descriptor, port)
  }

  private static func bound() throws -> (CInt, UInt16) {
    let descriptor = try open()
    guard withAddress(0, { Glibc.bind(descriptor, $0, $1) }) == 0 else { throw Failed("bind") }
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let failure = withUnsafeMutablePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    guard failure == 0 else { throw Failed("getsockname") }
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  private static func withAddress(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw Failed("send") }
      sent += count
    }
  }

  /// What a socket of that kind says first, without credentials.
  static func greeting(as kind: String) -> [UInt8] {
    var greeting: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0x7F, 3, 0]
    greeting += Array("NULL".utf8) + [UInt8](repeating: 0, count: 16 + 1 + 31)
    let property = [11] + Array("Socket-Type".utf8) + [0, 0, 0, UInt8(kind.utf8.count)] + Array(kind.utf8)
    let ready = [5] + Array("READY".utf8) + property
    return greeting + [4, UInt8(ready.count)] + ready
  }

  /// Greets as a socket of that kind, and reads the other's greeting.
  func greet(as kind: String) throws {
    try send(Self.greeting(as: kind))
    var other = [UInt8](repeating: 0, count: 64)
    guard recv(descriptor, &other, other.count, CInt(MSG_WAITALL)) == other.count else { throw Failed("recv") }
  }

  /// The next bytes, waiting for as many as that; fewer at the connection's end.
  func receive(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let received = recv(descriptor, &bytes, count, CInt(MSG_WAITALL))
    return Array(bytes.prefix(max(0, received)))
  }

  /// Connects so many times and says nothing, as a port scan does. Waits each time until it is accepted: when the queue for
  /// that is full, the kernel lets a connection wait for seconds.
  static func scan(_ port: UInt16, times: Int) throws {
    for _ in 0..<times {
      let peer = try RawPeer(port: port)
      var byte: UInt8 = 0
      guard recv(peer.descriptor, &byte, 1, 0) == 1 else { throw Failed("recv") }
    }
  }

  /// The close will be a reset.
  func resetOnClose() {
    var abrupt = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &abrupt, socklen_t(MemoryLayout<linger>.size))
  }
}
