/// The method of a request.
public enum HTTPMethod: UInt8, CaseIterable, Hashable, Sendable {
  case get, head, post, put, delete, options, patch
  /// Any other token.
  case other

  /// The method of that name, all its bytes and no more. Methods are case-sensitive (RFC 9110, 9.1).
  public init(_ name: UnsafeRawBufferPointer) {
    let candidates: (HTTPMethod, HTTPMethod)
    switch name.count {
    case 3: candidates = (.get, .put)
    case 4: candidates = (.post, .head)
    case 5: candidates = (.patch, .patch)
    case 6: candidates = (.delete, .delete)
    case 7: candidates = (.options, .options)
    default: candidates = (.other, .other)
    }
    self = candidates.0.isNamed(name) ? candidates.0 : candidates.1.isNamed(name) ? candidates.1 : .other
  }

  private func isNamed(_ bytes: UnsafeRawBufferPointer) -> Bool {
    self != .other && bytes.elementsEqual(name.bytes)
  }

  /// The name on the wire; empty for any other method.
  public var name: StaticString {
    switch self {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    case .patch: "PATCH"
    case .other: ""
    }
  }

  /// Some methods, such as those a resource takes: `[.get, .head]`. It never holds `other`.
  public struct Set: ExpressibleByArrayLiteral, Hashable, Sendable {
    @usableFromInline let bits: UInt8

    /// The set of these methods; `other` is left out.
    @inlinable
    public init(arrayLiteral methods: HTTPMethod...) {
      bits = methods.reduce(0) { $1 == .other ? $0 : $0 | 1 << $1.rawValue }
    }

    /// Whether the method is one of these.
    @inlinable
    public func contains(_ method: HTTPMethod) -> Bool { bits >> method.rawValue & 1 == 1 }

    /// The value of an `Allow` header (RFC 9110, 10.2.1).
    public var allow: String {
      HTTPMethod.allCases.filter(contains).map { "\($0.name)" }.joined(separator: ", ")
    }
  }
}
