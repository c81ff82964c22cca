/// The request headers that are found in the one pass over a request's head. Others are checked and dropped.
public enum KnownHeader: UInt8, CaseIterable, Hashable, Sendable {
  /// The header of that name.
  case accept, acceptEncoding, accessControlRequestMethod, authorization, contentEncoding, contentLength, contentType,
    cookie, expect, forwarded, forwardedFor, host, idempotencyKey, ifNoneMatch, lastEventID, origin, prefer,
    requestID, requestTimeout, secFetchSite,
    traceparent, transferEncoding

  /// The name on the wire, in small letters.
  public var name: StaticString {
    switch self {
    case .accept: "accept"
    case .acceptEncoding: "accept-encoding"
    case .accessControlRequestMethod: "access-control-request-method"
    case .authorization: "authorization"
    case .contentEncoding: "content-encoding"
    case .contentLength: "content-length"
    case .contentType: "content-type"
    case .cookie: "cookie"
    case .expect: "expect"
    case .forwarded: "forwarded"
    case .forwardedFor: "x-forwarded-for"
    case .host: "host"
    case .idempotencyKey: "idempotency-key"
    case .ifNoneMatch: "if-none-match"
    case .lastEventID: "last-event-id"
    case .origin: "origin"
    case .prefer: "prefer"
    case .requestID: "x-request-id"
    case .requestTimeout: "request-timeout"
    case .secFetchSite: "sec-fetch-site"
    case .traceparent: "traceparent"
    case .transferEncoding: "transfer-encoding"
    }
  }

  /// Whether it may stand in several lines. A list may (RFC 9110, 5.3); so may an identifier that proxies have added again, of which
  /// the first counts, and what browsers say of a page, of which the handler sees every line. Of another header there is one at most.
  var mayRepeat: Bool {
    switch self {
    case .accept, .acceptEncoding, .contentEncoding, .expect, .ifNoneMatch, .origin, .prefer, .requestID: true
    case .secFetchSite, .traceparent, .transferEncoding, .cookie, .forwarded, .forwardedFor: true
    case .accessControlRequestMethod, .authorization, .contentLength, .contentType, .host: false
    case .idempotencyKey, .lastEventID, .requestTimeout: false
    }
  }

  /// The header of that name, in any case. The length decides between a few, so most names cost one comparison.
  init?(_ name: UnsafeRawBufferPointer) {
    func named(_ header: KnownHeader) -> KnownHeader? { name.isCaseless(header.name) ? header : nil }
    let found: KnownHeader?
    switch name.count {
    case 4: found = named(.host)
    case 6: found = named(.accept) ?? named(.cookie) ?? named(.expect) ?? named(.origin) ?? named(.prefer)
    case 9: found = named(.forwarded)
    case 11: found = named(.traceparent)
    case 12: found = named(.contentType) ?? named(.requestID)
    case 13: found = named(.authorization) ?? named(.ifNoneMatch) ?? named(.lastEventID)
    case 14: found = named(.contentLength) ?? named(.secFetchSite)
    case 15: found = named(.requestTimeout) ?? named(.idempotencyKey) ?? named(.acceptEncoding) ?? named(.forwardedFor)
    case 16: found = named(.contentEncoding)
    case 17: found = named(.transferEncoding)
    case 29: found = named(.accessControlRequestMethod)
    default: found = nil
    }
    guard let found else { return nil }
    self = found
  }
}
