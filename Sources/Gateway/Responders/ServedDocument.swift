/// The documents of a shard's services: callers who reach the same have one together, until a service describes itself otherwise.
final class ServedDocument {
  /// How many are kept; each has some hundred KB.
  private static let mostKept = 8

  private let upstreams: UpstreamTable
  private let prefix: String
  private let tellsCallersApart: Bool
  /// From the one that was made first.
  private var kept: [(services: [ReachableService], document: OpenAPIDocument)] = []

  /// The documents of these services, whose paths start with `prefix`; made when they are first asked for.
  init(_ upstreams: UpstreamTable, prefix: String, tellsCallersApart: Bool) {
    (self.upstreams, self.prefix, self.tellsCallersApart) = (upstreams, prefix, tellsCallersApart)
  }

  /// The document as of now, for a caller with these permissions; nil: everything.
  func document(for permissions: Permissions?) -> OpenAPIDocument {
    let services = upstreams.services.map { $0.reached(with: permissions) }
    if let made = kept.first(where: { $0.services == services }) { return made.document }
    let document = OpenAPIDocument(prefix: prefix, services: services, tellsCallersApart: tellsCallersApart)
    if kept.count == Self.mostKept { kept.removeFirst() }
    kept.append((services, document))
    return document
  }
}
