/// How a peer introduces itself over a fresh connection, as far as one has to hear to know what it is. A value without I/O, which
/// is told what the peer sends.
///
/// ZMTP 3 (RFC 23 and 37 of ZeroMQ): each side sends a greeting of 64 bytes, which names its security mechanism. With NULL, each
/// then sends READY, which names the kind of its socket; nobody waits for the other's. So it is enough to greet and to listen, and
/// nothing is ever connected to the peer's socket.
struct PeerGreeting {
  /// What is known.
  enum Finding: Hashable {
    /// The peer is a socket of that kind, such as ROUTER.
    case socket(kind: String)
    case fault(ConnectFault)
  }

  /// The beginning of our side of the greeting: version 3.0. A peer that knows the mechanism too would leave before it has said its
  /// own, if that is another one.
  static let beginning: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0]
  /// The rest of it: mechanism NULL, no server.
  static let rest = Array("NULL".utf8) + [UInt8](repeating: 0, count: length - beginning.count - 4)
  /// What a server of a protocol with lines answers with its complaint.
  static let emptyLines: [UInt8] = Array("\r\n\r\n".utf8)

  private static let length = 64
  /// More is not listened to.
  private static let longestCommand = 4_096
  /// The kinds of sockets as the protocol before version 3 numbers them.
  private static let kinds = ["PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH"]

  private var bytes: [UInt8] = []
  /// Whether the peer has said nothing.
  var isSilent: Bool { bytes.isEmpty }
  /// Whether the peer has said all of its greeting, and waits for the rest of ours.
  var isComplete: Bool { bytes.count >= Self.length }

  /// The peer sends these bytes; nil while it has to go on.
  mutating func take(_ piece: some Sequence<UInt8>) -> Finding? {
    bytes += piece
    guard let first = bytes.first else { return nil }
    if first != 0xFF { return bytes.count < 4 ? nil : .fault(.notZeroMQ(stranger)) }
    guard bytes.count >= 12 else { return nil }
    if bytes[9] & 1 == 0 { return .fault(.notZeroMQ(stranger)) }
    if bytes[10] < 3 { return Int(bytes[11]) < Self.kinds.count ? .socket(kind: Self.kinds[Int(bytes[11])]) : nil }
    guard bytes.count >= Self.length else { return nil }
    let mechanism = String(decoding: bytes[12..<32].prefix { $0 != 0 }, as: UTF8.self)
    if mechanism != "NULL" { return .fault(.wrongMechanism(Self.shown(mechanism))) }
    return command(bytes[Self.length...])
  }

  /// The peer says no more: it has closed, or there was time enough.
  func end(closed: Bool) -> ConnectFault {
    guard let first = bytes.first else { return closed ? .closed : .silent }
    return first == 0xFF ? .handshakeUnfinished : .notZeroMQ(stranger)
  }

  /// Who speaks, as far as the first bytes tell.
  private var stranger: String {
    // Some answer what is no HTTP with a bare page.
    if ["HTTP", "<!DO", "<htm", "<HTM"].contains(where: { bytes.starts(with: $0.utf8) }) { return "an HTTP server" }
    if bytes.starts(with: "SSH-".utf8) { return "an SSH server" }
    if bytes.count > 1, 0x14...0x17 ~= bytes[0], bytes[1] == 3 { return "a TLS server" }
    return "another protocol"
  }

  /// The first command: flags, length, its name, and what belongs to it.
  private func command(_ rest: ArraySlice<UInt8>) -> Finding? {
    guard let flags = rest.first else { return nil }
    let isLong = flags & 2 != 0
    guard rest.count > (isLong ? 8 : 1) else { return nil }
    let size = rest.dropFirst().prefix(isLong ? 8 : 1).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard flags & 4 != 0, size <= Self.longestCommand else { return .fault(.handshakeUnfinished) }
    let body = rest.dropFirst(isLong ? 9 : 2).prefix(Int(size))
    guard body.count == Int(size) else { return nil }
    guard let (name, properties) = Self.short(body) else { return .fault(.handshakeUnfinished) }
    switch name {
    case "READY": return Self.socketType(properties).map { .socket(kind: $0) } ?? .fault(.handshakeUnfinished)
    case "ERROR": return .fault(.rejected(Self.short(properties)?.text ?? "without a reason"))
    default: return .fault(.handshakeUnfinished)
    }
  }

  /// A text behind its length in one byte, and what follows it.
  private static func short(_ bytes: ArraySlice<UInt8>) -> (text: String, rest: ArraySlice<UInt8>)? {
    guard let length = bytes.first, bytes.count > Int(length) else { return nil }
    let text = bytes.dropFirst().prefix(Int(length))
    return (shown(String(decoding: text, as: UTF8.self)), bytes.dropFirst(1 + Int(length)))
  }

  /// The property that names the kind of the socket. A value stands behind its length in four bytes.
  private static func socketType(_ properties: ArraySlice<UInt8>) -> String? {
    var rest = properties
    while let (name, value) = short(rest), value.count >= 4 {
      let length = value.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      let text = value.dropFirst(4).prefix(length)
      guard text.count == length else { return nil }
      if name.lowercased() == "socket-type" { return shown(String(decoding: text, as: UTF8.self)) }
      rest = value.dropFirst(4 + length)
    }
    return nil
  }

  /// What a stranger wrote, short enough for a line of the log.
  private static func shown(_ text: String) -> String { String(text.prefix(40)) }
}
