/// Who may come in, by what is known beforehand. What it does not name is refused.
public struct AllowList: Sendable, CustomStringConvertible, CustomReflectable {
  /// The keys of CURVE clients, each with the user that its messages shall bear.
  public var keys: [CurvePublicKey: String]
  /// The users of PLAIN.
  public var passwords: [String: Password]
  /// The IP addresses of peers without a mechanism, in numbers as the kernel spells them. Their messages bear no user.
  public var addresses: Set<String>

  /// A list; nobody unless told otherwise.
  public init(keys: [CurvePublicKey: String] = [:], passwords: [String: Password] = [:], addresses: Set<String> = []) {
    (self.keys, self.passwords, self.addresses) = (keys, passwords, addresses)
  }

  public var description: String { "\(keys.count) keys, \(passwords.count) passwords, \(addresses.count) addresses" }
  public var customMirror: Mirror { Mirror(self, children: []) }

  func answer(to request: AuthenticationRequest) -> AuthenticationAnswer {
    switch request.credentials {
    case .curve(let key): return keys[key].map { .allow(user: $0) } ?? .deny
    case .plain(let user, let password):
      // Compared in any case, so that the time does not tell which users there are.
      let isRight = (passwords[user] ?? Password("")) == password
      return passwords[user] != nil && isRight ? .allow(user: user) : .deny
    case .null: return addresses.contains(request.address) ? .allow(user: "") : .deny
    case .other: return .deny
    }
  }
}
