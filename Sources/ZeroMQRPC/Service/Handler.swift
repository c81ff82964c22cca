/// What a service looks names up in: a namespace, a method, or both. `Methods`, `Method` and dictionaries are handlers, and mix.
///
/// A type of your own may be one, and may make up what it holds when it is asked:
/// ```swift
/// struct Shelf: Handler {
///   func lookup(_ name: String) -> (any Handler)? { name == "get" ? Method("key") { (key: String) in read(key) } : nil }
/// }
/// ```
public protocol Handler: Sendable {
  /// What the name stands for, which has no dot in it; nil when nothing does. What is thrown is answered to the caller. Called on the
  /// service's reactor for each call, so it must not take long.
  func lookup(_ name: String) throws -> (any Handler)?
  /// What is run when this is called itself; nil for what is only a namespace, which is the default.
  var method: Method? { get }
}

extension Handler {
  public var method: Method? { nil }

  /// The method of a dotted name, as aiozmq finds it: what stands before the last dot is a way through namespaces, and one leading
  /// dot is none.
  func find(_ path: String) throws -> Method? {
    var bytes = path
    guard let offset = bytes.withUTF8({ $0.lastIndex(of: UInt8(ascii: ".")) }) else { return try lookup(path)?.method }
    let dot = path.utf8.index(path.startIndex, offsetBy: offset)
    var handler: any Handler = self
    if dot > path.startIndex {
      for name in path[..<dot].split(separator: ".", omittingEmptySubsequences: false) {
        guard let next = try handler.lookup(String(name)) else { return nil }
        handler = next
      }
    }
    return try handler.lookup(String(path[path.index(after: dot)...]))?.method
  }
}

extension Dictionary: Handler where Key == String, Value == any Handler {
  public func lookup(_ name: String) -> (any Handler)? { self[name] }
}
