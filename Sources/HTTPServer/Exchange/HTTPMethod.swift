import CLinux
import CMicroHTTPD

/// The method of a request.
public enum HTTPMethod: UInt8, Hashable, Sendable {
  case get, head, post, put, delete, options, patch
  /// Any other token.
  case other

  /// Methods are case-sensitive (RFC 9110, 9.1).
  init(_ name: UnsafePointer<CChar>, length: Int) {
    switch length {
    case 3: self = Self.same(name, "GET") ? .get : Self.same(name, "PUT") ? .put : .other
    case 4: self = Self.same(name, "POST") ? .post : Self.same(name, "HEAD") ? .head : .other
    case 5: self = Self.same(name, "PATCH") ? .patch : .other
    case 6: self = Self.same(name, "DELETE") ? .delete : .other
    case 7: self = Self.same(name, "OPTIONS") ? .options : .other
    default: self = .other
    }
  }

  private static func same(_ name: UnsafePointer<CChar>, _ other: StaticString) -> Bool {
    memcmp(name, other.utf8Start, other.utf8CodeUnitCount) == 0
  }
}
