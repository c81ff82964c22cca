import CLinux
import CMicroHTTPD

/// The request headers that are found in the one pass over a request's head. Others are checked and dropped.
public enum KnownHeader: UInt8, CaseIterable, Hashable, Sendable {
  case accept, acceptEncoding, authorization, connection, contentEncoding, contentLength, contentType, cookie, expect
  case forwarded, host, idempotencyKey, ifNoneMatch, lastEventID, origin, requestID, requestTimeout, apiKey,
    secFetchSite
  case traceParent, traceState, transferEncoding, userAgent, forwardedFor, forwardedProto, forwardedHost
  case requestMethod, requestHeaders

  /// The name on the wire, in small letters.
  public var name: StaticString {
    switch self {
    case .accept: "accept"
    case .acceptEncoding: "accept-encoding"
    case .authorization: "authorization"
    case .connection: "connection"
    case .contentEncoding: "content-encoding"
    case .contentLength: "content-length"
    case .contentType: "content-type"
    case .cookie: "cookie"
    case .expect: "expect"
    case .forwarded: "forwarded"
    case .host: "host"
    case .idempotencyKey: "idempotency-key"
    case .ifNoneMatch: "if-none-match"
    case .lastEventID: "last-event-id"
    case .origin: "origin"
    case .requestID: "x-request-id"
    case .requestTimeout: "request-timeout"
    case .apiKey: "x-api-key"
    case .secFetchSite: "sec-fetch-site"
    case .traceParent: "traceparent"
    case .traceState: "tracestate"
    case .transferEncoding: "transfer-encoding"
    case .userAgent: "user-agent"
    case .forwardedFor: "x-forwarded-for"
    case .forwardedProto: "x-forwarded-proto"
    case .forwardedHost: "x-forwarded-host"
    case .requestMethod: "access-control-request-method"
    case .requestHeaders: "access-control-request-headers"
    }
  }

  /// The header of that name, in any case. The length decides between a few, so most names cost one comparison.
  init?(_ name: UnsafePointer<CChar>, length: Int) {
    func named(_ header: KnownHeader) -> Bool { strncasecmp(name, header.name.utf8Start, length) == 0 }
    let found: KnownHeader?
    switch length {
    case 4: found = named(.host) ? .host : nil
    case 6:
      found =
        named(.accept) ? .accept : named(.origin) ? .origin : named(.cookie) ? .cookie : named(.expect) ? .expect : nil
    case 9: found = named(.forwarded) ? .forwarded : named(.apiKey) ? .apiKey : nil
    case 10:
      found = named(.connection) ? .connection : named(.userAgent) ? .userAgent : named(.traceState) ? .traceState : nil
    case 11: found = named(.traceParent) ? .traceParent : nil
    case 12: found = named(.contentType) ? .contentType : named(.requestID) ? .requestID : nil
    case 13:
      found =
        named(.authorization)
        ? .authorization : named(.ifNoneMatch) ? .ifNoneMatch : named(.lastEventID) ? .lastEventID : nil
    case 14: found = named(.contentLength) ? .contentLength : named(.secFetchSite) ? .secFetchSite : nil
    case 15:
      found =
        named(.acceptEncoding)
        ? .acceptEncoding
        : named(.requestTimeout)
          ? .requestTimeout : named(.forwardedFor) ? .forwardedFor : named(.idempotencyKey) ? .idempotencyKey : nil
    case 16: found = named(.contentEncoding) ? .contentEncoding : named(.forwardedHost) ? .forwardedHost : nil
    case 17: found = named(.transferEncoding) ? .transferEncoding : named(.forwardedProto) ? .forwardedProto : nil
    case 29: found = named(.requestMethod) ? .requestMethod : nil
    case 30: found = named(.requestHeaders) ? .requestHeaders : nil
    default: found = nil
    }
    guard let found else { return nil }
    self = found
  }
}
