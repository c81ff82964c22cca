/// Values that are found by a secret, of which only the digest is kept. It never changes.
///
/// To look a secret up takes the same time whether it is known, wrong in one byte, or nothing like any: it is digested, and its digest
/// is compared with exactly one other.
package struct DigestTable<Value> {
  private let values: [UInt64: (digest: SecretDigest, value: Value)]
  /// What a digest is compared with that no other begins like.
  private static var nobody: SecretDigest { SecretDigest(of: UnsafeRawBufferPointer(start: nil, count: 0)) }
  private let nobody = Self.nobody

  /// Each value by the digest of its secret; of those with the same digest, the first.
  package init(_ entries: some Sequence<(digest: SecretDigest, value: Value)>) {
    values = Dictionary(entries.map { ($0.digest.prefix, $0) }) { first, _ in first }
  }

  /// The value of a secret; nil when it is none that is known.
  package func value(of secret: UnsafeRawBufferPointer) -> Value? { value(of: SecretDigest(of: secret)) }

  /// The same, of a secret with that digest.
  package func value(of digest: SecretDigest) -> Value? {
    let entry = values[digest.prefix]
    let isSame = digest.matches(entry?.digest ?? nobody)
    return isSame ? entry?.value : nil
  }
}

extension DigestTable: Sendable where Value: Sendable {}
