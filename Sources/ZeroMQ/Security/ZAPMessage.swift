/// A question as it stands in the frames of ZAP 1.0 (RFC 27 of ZeroMQ), and its answer. A value without I/O.
struct ZAPQuestion: Sendable, Hashable {
  /// What the frames are.
  enum Reading: Sendable, Hashable {
    case question(ZAPQuestion)
    /// No question. Who asked is told that, if it can be told who asked and what.
    case malformed(answer: [[UInt8]]?)
  }

  static let version = Array("1.0".utf8)
  /// The longest of any frame but those of an unknown mechanism's credentials.
  private static let longestFrame = 255

  let request: AuthenticationRequest
  /// To whom the answer goes, and its number.
  private let asker: [UInt8], number: [UInt8]

  /// Reads the frames that a router has received: the asker, an empty one, version, number, domain, address, the identity of the
  /// socket that asks, mechanism, credentials.
  static func read(_ frames: [[UInt8]]) -> Reading {
    guard frames.count >= 4, frames[1].isEmpty, frames[3].count <= longestFrame else { return .malformed(answer: nil) }
    let (asker, number) = (frames[0], frames[3])
    guard frames[2] == version, frames.count >= 8, let domain = text(frames[4]), let address = text(frames[5]),
      let mechanism = text(frames[7]), let credentials = credentials(mechanism, Array(frames[8...]))
    else { return .malformed(answer: denial(to: asker, number, .failed, "no question of ZAP 1.0")) }
    let request = AuthenticationRequest(domain: domain, address: plain(address), credentials: credentials)
    return .question(ZAPQuestion(request: request, asker: asker, number: number))
  }

  /// The frames that say yes; nil when the answer cannot be said.
  func allowing(user: String, properties: [String: String]) -> [[UInt8]]? {
    guard user.utf8.count <= Self.longestFrame, !user.utf8.contains(0), let metadata = Self.metadata(properties) else {
      return nil
    }
    return Self.head(asker, number) + [Array("200".utf8), Array("OK".utf8), Array(user.utf8), metadata]
  }

  /// The frames that say no.
  func denying(_ code: Denial.Code, _ reason: String) -> [[UInt8]] { Self.denial(to: asker, number, code, reason) }

  private static func denial(
    to asker: [UInt8], _ number: [UInt8], _ code: Denial.Code, _ reason: String
  ) -> [[UInt8]] {
    head(asker, number) + [Array("\(code.rawValue)".utf8), Array(reason.utf8), [], []]
  }

  private static func head(_ asker: [UInt8], _ number: [UInt8]) -> [[UInt8]] { [asker, [], version, number] }

  private static func credentials(_ mechanism: String, _ frames: [[UInt8]]) -> AuthenticationRequest.Credentials? {
    switch mechanism {
    case "NULL": return frames.isEmpty ? .null : nil
    case "PLAIN":
      guard frames.count == 2, let user = text(frames[0]), let password = text(frames[1]) else { return nil }
      return .plain(user: user, password: Password(password))
    case "CURVE":
      guard frames.count == 1, let key = try? CurvePublicKey(bytes: frames[0]) else { return nil }
      return .curve(key)
    case "": return nil
    default: return .other(mechanism: mechanism, frames)
    }
  }

  /// A socket with IPv6 writes addresses of IPv4 with a prefix.
  private static func plain(_ address: String) -> String {
    address.hasPrefix("::ffff:") && address.contains(".") ? String(address.dropFirst(7)) : address
  }

  private static func text(_ frame: [UInt8]) -> String? {
    frame.count <= longestFrame ? String(validating: frame, as: UTF8.self) : nil
  }

  /// Names and values as ZMTP writes them: a length of one byte, a length of four bytes. nil for what may not be there.
  private static func metadata(_ properties: [String: String]) -> [UInt8]? {
    var bytes: [UInt8] = []
    for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
      guard (1...longestFrame).contains(name.utf8.count), name.utf8.allSatisfy(isNameByte), !isTaken(name),
        !value.utf8.contains(0), bytes.count + name.utf8.count + value.utf8.count + 5 <= 4_096
      else { return nil }
      bytes.append(UInt8(name.utf8.count))
      bytes += Array(name.utf8)
      bytes += withUnsafeBytes(of: UInt32(value.utf8.count).bigEndian) { Array($0) }
      bytes += Array(value.utf8)
    }
    return bytes
  }

  /// Whether libzmq says it itself. What an answer says of a peer's kind or identity, it would take for the peer's own word.
  private static func isTaken(_ name: String) -> Bool {
    ["socket-type", "identity", "routing-id", "user-id", "peer-address"].contains(name.lowercased())
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-_.+".utf8.contains(byte)
    }
  }
}
