import FoundationEssentials
import JWTKit
import Synchronization

/// A key that signatures of tokens are checked with. It is of one kind, and checks signatures of the algorithms of that kind only.
package final class TokenKey: Sendable {
  /// What a key is.
  enum Kind: Hashable, Sendable {
    case p256, p384, p521, rsa, ed25519
    /// What both sides know (HMAC).
    case secret
  }

  /// What the set says of the key.
  package let description: KeyDescription
  private let verifiers: [TokenAlgorithm: any JWTAlgorithm]
  /// Whether what was signed with it still counts.
  package let credential = Credential()

  /// Makes it ready for those of the algorithms that it is fit for.
  init(_ description: KeyDescription, for algorithms: Set<TokenAlgorithm>) async throws {
    self.description = description
    var verifiers: [TokenAlgorithm: any JWTAlgorithm] = [:]
    for algorithm in algorithms where description.isFit(for: algorithm) {
      verifiers[algorithm] = try await description.verifier(for: algorithm)
    }
    self.verifiers = verifiers
  }

  /// Whether it has made the signature, by that algorithm.
  func verify(_ signature: [UInt8], of text: [UInt8], by algorithm: TokenAlgorithm) -> Bool {
    guard let verifier = verifiers[algorithm], verifier.name == algorithm.rawValue else { return false }
    return (try? verifier.verify(signature, signs: text)) == true
  }
}

/// Whether what somebody is known by still counts. Any thread may ask.
package final class Credential: Sendable {
  private let isOver = Atomic<Bool>(false)

  package init() {}

  /// Whether it was taken back.
  package var isRevoked: Bool { isOver.load(ordering: .relaxed) }

  /// It counts no more.
  package func revoke() { isOver.store(true, ordering: .relaxed) }
}

/// A key as a set of keys has it (RFC 7517), as far as it is needed to check signatures.
package struct KeyDescription: Hashable, Sendable {
  /// Why a key, or a set of them, cannot be used.
  package struct Fault: Error, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
  }

  package let id: String?
  let kind: TokenKey.Kind
  /// The only one that it is for; nil: all of its kind.
  private let algorithm: TokenAlgorithm?
  /// Of an RSA key: modulus and exponent; of a curve: the coordinates; of a secret: itself.
  private let first: String
  private let second: String

  /// All keys of a set that are for signatures of a kind that is known; throws what is wrong with the set or one of these.
  package static func read(jwks text: String) throws(Fault) -> [KeyDescription] {
    let set: KeySet
    do { set = try JSONDecoder().decode(KeySet.self, from: Data(text.utf8)) } catch {
      throw Fault("is no set of keys (JWKS): an object with \"keys\", each with a \"kty\"")
    }
    var keys: [KeyDescription] = []
    for (place, key) in set.keys.enumerated() {
      do throws(Fault) {
        if let key = try KeyDescription(key) { keys.append(key) }
      } catch {
        throw Fault("key \(key.kid.map { "\"\($0)\"" } ?? "\(place)") \(error.description)")
      }
    }
    return keys
  }

  /// Nil for a key that is for something else, or of a kind that is not known here.
  private init?(_ key: KeySet.Key) throws(Fault) {
    if let use = key.use, use != "sig" { return nil }
    if let operations = key.key_ops, !operations.contains("verify") { return nil }
    if let text = key.alg {
      guard let algorithm = TokenAlgorithm(rawValue: text) else { return nil }
      self.algorithm = algorithm
    } else {
      algorithm = nil
    }
    id = key.kid
    switch (key.kty, key.crv) {
    case ("EC", "P-256"): kind = .p256
    case ("EC", "P-384"): kind = .p384
    case ("EC", "P-521"): kind = .p521
    case ("OKP", "Ed25519"): kind = .ed25519
    case ("RSA", _): kind = .rsa
    case ("oct", _): kind = .secret
    default: return nil
    }
    let (first, second): (String?, String?) =
      switch kind {
      case .p256, .p384, .p521: (key.x, key.y)
      case .ed25519: (key.x, "")
      case .rsa: (key.n, key.e)
      case .secret: (key.k, "")
      }
    guard let first, let second else { throw Fault("lacks a part that a key of kind \(key.kty) has") }
    (self.first, self.second) = (first, second)
    if let algorithm, algorithm.kind != kind {
      throw Fault("is of kind \(key.kty), and \(algorithm.rawValue) takes no such key")
    }
    try check()
  }

  /// Throws when nothing could be checked with it.
  private func check() throws(Fault) {
    do {
      switch kind {
      case .p256: _ = try ES256PublicKey(parameters: (first, second))
      case .p384: _ = try ES384PublicKey(parameters: (first, second))
      case .p521: _ = try ES512PublicKey(parameters: (first, second))
      case .ed25519: _ = try EdDSA.PublicKey(x: first, curve: .ed25519)
      case .rsa: _ = try Insecure.RSA.PublicKey(modulus: first, exponent: second)
      case .secret: break
      }
    } catch {
      throw Fault("is malformed, too short, or no point of its curve")
    }
    guard kind == .secret else { return }
    let least = (algorithm ?? .hs256).leastSecret
    guard let secret = Base64URL.decode(first.utf8), secret.count >= least else {
      throw Fault("is a secret of fewer than \(least) bytes, or not in Base64 of URLs")
    }
  }

  /// Whether signatures of the algorithm may be checked with it.
  package func isFit(for algorithm: TokenAlgorithm) -> Bool {
    guard algorithm.kind == kind, self.algorithm == nil || self.algorithm == algorithm else { return false }
    return kind != .secret || (Base64URL.decode(first.utf8)?.count ?? 0) >= algorithm.leastSecret
  }

  fileprivate func verifier(for algorithm: TokenAlgorithm) async throws -> any JWTAlgorithm {
    let id = JWKIdentifier(string: "key")
    let keys = JWTKeyCollection()
    switch kind {
    case .secret:
      let secret = HMACKey(from: Base64URL.decode(first.utf8) ?? [])
      let digest: DigestAlgorithm =
        switch algorithm {
        case .hs512: .sha512
        case .hs384: .sha384
        default: .sha256
        }
      await keys.add(hmac: secret, digestAlgorithm: digest, kid: id)
    default:
      try await keys.add(jwk: try key(id, for: algorithm))
    }
    return try await keys.getKey(for: id, alg: algorithm.rawValue)
  }

  private func key(_ id: JWKIdentifier, for algorithm: TokenAlgorithm) throws -> JWK {
    guard let name = JWK.Algorithm(rawValue: algorithm.rawValue) else {
      throw Fault("is for \(algorithm.rawValue), which is not known")
    }
    return switch kind {
    case .rsa: .rsa(name, identifier: id, modulus: first, exponent: second)
    case .ed25519: .octetKeyPair(name, identifier: id, x: first, y: nil, curve: .ed25519)
    case .p384: .ecdsa(name, identifier: id, x: first, y: second, curve: .p384)
    case .p521: .ecdsa(name, identifier: id, x: first, y: second, curve: .p521)
    default: .ecdsa(name, identifier: id, x: first, y: second, curve: .p256)
    }
  }
}

/// A set of keys as it is written (RFC 7517, 5).
private struct KeySet: Decodable {
  struct Key: Decodable {
    let kty: String
    let use: String?
    let key_ops: [String]?
    let alg: String?
    let kid: String?
    let crv: String?
    let x: String?
    let y: String?
    let n: String?
    let e: String?
    let k: String?
  }

  let keys: [Key]
}
