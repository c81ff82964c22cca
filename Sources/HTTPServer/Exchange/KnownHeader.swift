/// The request headers that are found in the one pass over a request's head. Others are checked and dropped.
public enum KnownHeader: UInt8, CaseIterable, Hashable, Sendable {
  case accept, contentEncoding, contentLength, contentType, expect, host, ifNoneMatch, lastEventID, origin, requestID
  case requestTimeout, secFetchSite, transferEncoding

  /// The name on the wire, in small letters.
  public var name: StaticString {
    switch self {
    case .accept: "accept"
    case .contentEncoding: "content-encoding"
    case .contentLength: "content-length"
    case .contentType: "content-type"
    case .expect: "expect"
    case .host: "host"
    case .ifNoneMatch: "if-none-match"
    case .lastEventID: "last-event-id"
    case .origin: "origin"
    case .requestID: "x-request-id"
    case .requestTimeout: "request-timeout"
    case .secFetchSite: "sec-fetch-site"
    case .transferEncoding: "transfer-encoding"
    }
  }

  /// The header of that name, in any case. The length decides between a few, so most names cost one comparison.
  init?(_ name: UnsafeRawBufferPointer) {
    func named(_ header: KnownHeader) -> KnownHeader? { name.isCaseless(header.name) ? header : nil }
    let found: KnownHeader?
    switch name.count {
    case 4: found = named(.host)
    case 6: found = named(.accept) ?? named(.expect) ?? named(.origin)
    case 12: found = named(.contentType) ?? named(.requestID)
    case 13: found = named(.ifNoneMatch) ?? named(.lastEventID)
    case 14: found = named(.contentLength) ?? named(.secFetchSite)
    case 15: found = named(.requestTimeout)
    case 16: found = named(.contentEncoding)
    case 17: found = named(.transferEncoding)
    default: found = nil
    }
    guard let found else { return nil }
    self = found
  }
}
