/// How a token may be signed (RFC 7518, 3.1; RFC 8037, 3.1). `none` is no algorithm here.
package enum TokenAlgorithm: String, CaseIterable, Hashable, Sendable {
  case es256 = "ES256"
  case es384 = "ES384"
  case es512 = "ES512"
  case rs256 = "RS256"
  case rs384 = "RS384"
  case rs512 = "RS512"
  case ps256 = "PS256"
  case ps384 = "PS384"
  case ps512 = "PS512"
  case edDSA = "EdDSA"
  case hs256 = "HS256"
  case hs384 = "HS384"
  case hs512 = "HS512"

  /// What a key has to be for it. A key is of one kind, so that none is taken for a secret that is none.
  var kind: TokenKey.Kind {
    switch self {
    case .es256: .p256
    case .es384: .p384
    case .es512: .p521
    case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: .rsa
    case .edDSA: .ed25519
    case .hs256, .hs384, .hs512: .secret
    }
  }

  /// Bytes that a secret needs at least (RFC 7518, 3.2).
  var leastSecret: Int {
    switch self {
    case .hs512: 64
    case .hs384: 48
    default: 32
    }
  }
}
