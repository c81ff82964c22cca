import FoundationEssentials

/// Who makes tokens, and what of them counts here.
package struct TokenIssuer: Sendable {
  /// What `iss` says, one of these.
  package var names: Set<String>
  /// What `aud` says, at least one of these.
  package var audiences: Set<String>
  package var algorithms: Set<TokenAlgorithm>
  /// By how many seconds clocks may differ.
  package var leeway: Double
  /// The claim that names the caller.
  package var subjectClaim: String
  /// The claim that lists what the caller may do: a text with blanks between, or an array.
  package var scopesClaim: String
  package var keys: [TokenKey]

  package init(
    names: Set<String>, audiences: Set<String>, algorithms: Set<TokenAlgorithm>, leeway: Double = 0,
    subjectClaim: String = "sub", scopesClaim: String = "scope", keys: [TokenKey]
  ) {
    self.names = names
    self.audiences = audiences
    self.algorithms = algorithms
    self.leeway = leeway
    self.subjectClaim = subjectClaim
    self.scopesClaim = scopesClaim
    self.keys = keys
  }

  /// Makes keys ready; those that were there before stay the same objects.
  package static func keys(
    _ descriptions: [KeyDescription], for algorithms: Set<TokenAlgorithm>, keeping old: [TokenKey] = []
  ) async throws -> [TokenKey] {
    var keys: [TokenKey] = []
    for description in descriptions {
      if let key = old.first(where: { $0.description == description }) {
        keys.append(key)
      } else {
        keys.append(try await TokenKey(description, for: algorithms))
      }
    }
    return keys
  }
}

/// A token that counts.
package struct VerifiedToken: Sendable {
  package let subject: String
  package let scopes: Set<String>
  /// Until when it counts, leeway included, in seconds since 1970.
  package let end: Double
  /// What it was signed with.
  package let key: TokenKey
}

/// Checks JSON Web Tokens (RFC 7519) as RFC 8725 has it: the algorithm is one that is named here and that the key is for, and the key is one
/// of the issuer's own. What a token says of keys beyond `kid` is not read.
package struct TokenVerifier: Sendable {
  /// The longest token, in bytes.
  package static let longest = 8 << 10
  /// Without `kid`, as many keys of the issuer are tried.
  private static let tried = 4

  package let issuers: [TokenIssuer]

  package init(_ issuers: [TokenIssuer]) { self.issuers = issuers }

  /// Whether it could be a token at all: three parts.
  package static func mayBeToken(_ text: UnsafeRawBufferPointer) -> Bool {
    text.count <= longest && text.count { $0 == dot } == 2
  }

  /// Who sends the token; nil when it does not count at that time, in seconds since 1970, for whatever reason.
  package func verify(_ token: UnsafeRawBufferPointer, at now: Double) -> VerifiedToken? {
    guard token.count <= Self.longest else { return nil }
    let parts = token.split(separator: Self.dot, omittingEmptySubsequences: false)
    guard parts.count == 3, let head = Base64URL.decode(parts[0]), let body = Base64URL.decode(parts[1]),
      let signature = Base64URL.decode(parts[2]), !signature.isEmpty
    else { return nil }
    let decoder = JSONDecoder()
    guard let header = try? decoder.decode(Header.self, from: Data(head)), header.crit == nil,
      let algorithm = TokenAlgorithm(rawValue: header.alg),
      let claims = try? decoder.decode(Claims.self, from: Data(body)),
      let name = claims.text("iss"), let issuer = issuers.first(where: { $0.names.contains(name) }),
      issuer.algorithms.contains(algorithm), let verified = Self.read(claims, issuer, at: now)
    else { return nil }
    let text = Array(token[..<parts[1].endIndex])
    let keys = issuer.keys.filter {
      $0.description.isFit(for: algorithm) && (header.kid == nil || $0.description.id == header.kid)
    }
    guard let key = keys.prefix(Self.tried).first(where: { $0.verify(signature, of: text, by: algorithm) }) else {
      return nil
    }
    return VerifiedToken(subject: verified.subject, scopes: verified.scopes, end: verified.end, key: key)
  }

  /// The year 2286. Some issuers make tokens without an end by a time beyond all that a clock can be waited for.
  private static let latestEnd = 1e10
  private static let dot = UInt8(ascii: ".")

  /// What the claims say, whoever has written them; nil when they do not fit.
  private static func read(
    _ claims: Claims, _ issuer: TokenIssuer, at now: Double
  ) -> (subject: String, scopes: Set<String>, end: Double)? {
    guard let expiry = claims.number("exp"), now < expiry + issuer.leeway,
      claims.members["nbf"] == nil || (claims.number("nbf").map { $0 <= now + issuer.leeway } ?? false),
      !issuer.audiences.isDisjoint(with: claims.texts("aud")),
      let subject = claims.text(issuer.subjectClaim), isWord(subject)
    else { return nil }
    let scopes = claims.texts(issuer.scopesClaim).flatMap { $0.split(separator: " ").map(String.init) }
    return (subject, Set(scopes.filter(isWord)), min(expiry + issuer.leeway, latestEnd))
  }

  /// What names a caller, and what it may do: 1 to 255 visible characters of ASCII, as in a file of keys.
  private static func isWord(_ text: String) -> Bool {
    1...255 ~= text.utf8.count && text.utf8.allSatisfy { 0x21...0x7E ~= $0 }
  }
}

private struct Header: Decodable {
  let alg: String
  let kid: String?
  /// What one has to understand; nothing of it is understood here.
  let crit: [String]?
}

/// The claims of a token, as far as they are of a kind that is needed.
private struct Claims: Decodable {
  enum Value: Decodable {
    case text(String), texts([String]), number(Double), other

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        self = .text(text)
      } else if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else if let texts = try? container.decode([String].self) {
        self = .texts(texts)
      } else {
        self = .other
      }
    }
  }

  let members: [String: Value]

  init(from decoder: any Decoder) throws { members = try decoder.singleValueContainer().decode([String: Value].self) }

  func text(_ name: String) -> String? { if case .text(let text) = members[name] { text } else { nil } }

  func number(_ name: String) -> Double? { if case .number(let number) = members[name] { number } else { nil } }

  func texts(_ name: String) -> [String] {
    switch members[name] {
    case .text(let text): [text]
    case .texts(let texts): texts
    default: []
    }
  }
}
