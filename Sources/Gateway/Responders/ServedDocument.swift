/// The document of a shard's services, made anew when one of them has described itself otherwise than before.
final class ServedDocument {
  private let upstreams: UpstreamTable
  private let prefix: String
  private var last: (descriptions: [ServiceDescription?], document: OpenAPIDocument)?

  /// The document of these services, whose paths start with `prefix`; made when it is first asked for.
  init(_ upstreams: UpstreamTable, prefix: String) { (self.upstreams, self.prefix) = (upstreams, prefix) }

  /// The document as of now.
  var current: OpenAPIDocument {
    let descriptions = upstreams.services.map(\.shared.description)
    if let last, last.descriptions == descriptions { return last.document }
    let services = zip(upstreams.services, descriptions).map { (configuration: $0.configuration, description: $1) }
    let document = OpenAPIDocument(prefix: prefix, services: services)
    last = (descriptions, document)
    return document
  }
}
