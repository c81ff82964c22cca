/// The documents of a shard's services, made anew when one of them has described itself otherwise than before.
final class ServedDocument {
  /// How many are kept of those for callers who may not do everything: callers of one kind have one together.
  private static let mostKept = 8

  private let upstreams: UpstreamTable
  private let prefix: String
  private var last: (descriptions: [ServiceDescription?], document: OpenAPIDocument)?
  /// From the one that was made first.
  private var kept: [(services: [ReachableService], document: OpenAPIDocument)] = []

  /// The documents of these services, whose paths start with `prefix`; made when they are first asked for.
  init(_ upstreams: UpstreamTable, prefix: String) { (self.upstreams, self.prefix) = (upstreams, prefix) }

  /// The document as of now, for a caller with these permissions; nil: everything.
  func document(for permissions: Permissions?) -> OpenAPIDocument {
    let descriptions = upstreams.services.map(\.shared.description)
    if permissions == nil, let last, last.descriptions == descriptions { return last.document }
    let services = upstreams.services.map { $0.reached(with: permissions) }
    if permissions != nil, let made = kept.first(where: { $0.services == services }) { return made.document }
    let document = OpenAPIDocument(prefix: prefix, services: services)
    guard permissions != nil else {
      last = (descriptions, document)
      return document
    }
    if kept.count == Self.mostKept { kept.removeFirst() }
    kept.append((services, document))
    return document
  }
}
