import CZeroMQ

/// Why something is no key of CURVE. Never shows what it is about.
public struct CurveKeyError: Error, Hashable, CustomStringConvertible {
  /// The reason, in a sentence that says what is needed instead.
  public let description: String

  fileprivate init(_ description: String) { self.description = description }
}

/// The half of a key pair that others may know: 32 bytes, as text 40 characters of Z85.
public struct CurvePublicKey: Hashable, Sendable, CustomStringConvertible {
  /// The 32 bytes.
  public let bytes: [UInt8]

  /// A key from its 32 bytes.
  public init(bytes: [UInt8]) throws(CurveKeyError) { self.bytes = try checked(bytes) }

  /// A key from its 40 characters of Z85.
  public init(_ text: String) throws(CurveKeyError) { bytes = try decoded(text) }

  /// The 40 characters.
  public var description: String { Z85.encode(bytes) }
}

/// The half of a key pair that nobody else may know: 32 bytes, as text 40 characters of Z85. Printing, interpolating and dumping it
/// shows that there is one, and no more.
public struct CurveSecretKey: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The 32 bytes.
  public let bytes: [UInt8]

  /// A key from its 32 bytes.
  public init(bytes: [UInt8]) throws(CurveKeyError) { self.bytes = try checked(bytes) }

  /// A key from its 40 characters of Z85.
  public init(_ text: String) throws(CurveKeyError) { bytes = try decoded(text) }

  /// The 40 characters: the secret itself, to be kept in a file that only its owner may read.
  public var text: String { Z85.encode(bytes) }

  public var description: String { "secret key (not shown)" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A public key and the secret key that belongs to it. Every client and every server of CURVE has one of its own.
public struct CurveKeyPair: Hashable, Sendable, CustomStringConvertible {
  /// What others may know.
  public let publicKey: CurvePublicKey
  /// What nobody else may know.
  public let secretKey: CurveSecretKey

  /// Whether the libzmq at hand was built with CURVE.
  public static var isAvailable: Bool { zmq_has("curve") == 1 }

  /// Generates a pair. Throws `notSupported` where libzmq was built without CURVE.
  public init() throws(ZMQError) {
    var (publicText, secretText) = (Self.room, Self.room)
    try check("zmq_curve_keypair") { zmq_curve_keypair(&publicText, &secretText) }
    (publicKey, secretKey) = (Self.key(publicText), Self.key(secretText))
  }

  /// The pair of a secret key. Throws `notSupported` where libzmq was built without CURVE.
  public init(_ secretKey: CurveSecretKey) throws(ZMQError) {
    var publicText = Self.room
    try check("zmq_curve_public") { zmq_curve_public(&publicText, secretKey.text) }
    (publicKey, self.secretKey) = (Self.key(publicText), secretKey)
  }

  /// Shows the public key only.
  public var description: String { "key pair of \(publicKey)" }

  private static let room = [CChar](repeating: 0, count: 41)

  // libzmq wrote it.
  private static func key(_ text: [CChar]) -> CurvePublicKey { .init(trusted: text) }
  private static func key(_ text: [CChar]) -> CurveSecretKey { .init(trusted: text) }
}

extension CurvePublicKey {
  fileprivate init(trusted text: [CChar]) { bytes = Z85.decode(Z85.string(text)) ?? [] }
}

extension CurveSecretKey {
  fileprivate init(trusted text: [CChar]) { bytes = Z85.decode(Z85.string(text)) ?? [] }
}

private let keySize = 32

private func checked(_ bytes: [UInt8]) throws(CurveKeyError) -> [UInt8] {
  guard bytes.count == keySize else { throw CurveKeyError("a key has \(keySize) bytes, not \(bytes.count)") }
  return bytes
}

private func decoded(_ text: String) throws(CurveKeyError) -> [UInt8] {
  let count = text.utf8.count
  guard count == keySize / 4 * 5 else {
    throw CurveKeyError("a key has \(keySize / 4 * 5) characters of Z85, not \(count)")
  }
  guard let bytes = Z85.decode(text) else {
    throw CurveKeyError("a key consists of the characters of Z85: letters, digits, and .-:+=^!/*?&<>()[]{}@%$#")
  }
  return bytes
}
