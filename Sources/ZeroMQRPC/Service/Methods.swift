/// The methods of a service by name, and namespaces of more. Only what is added can be called.
///
/// ```swift
/// var calc = Methods()
/// calc.add("add", "a", "b") { (a: Int, b: Int) in a + b }
/// calc.add("scale", "x", Parameter("by", default: 2.0)) { (x: Double, by: Double) in x * by }
/// calc.add("whoami") { (call: CallContext) in call.peerAddress }
/// calc["math"] = math
/// ```
public struct Methods: Handler {
  private var members: [String: any Handler] = [:]
  /// What cannot be called as it was meant, in words; `start` throws them.
  private(set) var faults: [String] = []

  /// No methods.
  public init() {}

  /// Adds a method. A name that is empty, has a dot in it or is there already is an error, which the start of the service throws.
  public mutating func add(_ name: String, _ method: Method) {
    if members[name] != nil { faults.append("'\(name)' is added twice: give one of the two another name") }
    insert(method, name)
  }

  /// The namespace or method of that name; one that is there is replaced, and nil takes it away. The name may have no dot.
  public subscript(name: String) -> (any Handler)? {
    get { members[name] }
    set {
      guard let newValue else { return members[name] = nil }
      insert(newValue, name)
    }
  }

  private mutating func insert(_ handler: any Handler, _ name: String) {
    if name.isEmpty { faults.append("a method or namespace has no name") }
    if name.contains(".") {
      faults.append(
        "'\(name)' has a dot, which stands between a namespace and a name: use methods[\"namespace\"] = ...")
    }
    if let method = handler as? Method { faults += method.signature.faults.map { "'\(name)' \($0)" } }
    if let methods = handler as? Methods { faults += methods.faults.map { "in '\(name)': \($0)" } }
    members[name] = handler
  }

  /// Says what a method does, in words for those who ask `rpc.describe`. One that is not there yet is an error of the start.
  public mutating func describe(_ name: String, _ text: String) {
    guard let method = members[name] as? Method else {
      return faults.append("'\(name)' is described, and is no method: add it before")
    }
    members[name] = method.described(text)
  }

  /// Those that are methods themselves, by their names.
  var own: [String: Method] { members.compactMapValues { $0 as? Method } }

  /// The names that can be called, with those of the namespaces in it that are `Methods` or dictionaries, sorted.
  public var names: [String] { Self.all(in: self).map(\.name) }

  /// The methods of a handler by their names, as far as those that are `Methods` or dictionaries tell; sorted.
  static func all(in handler: any Handler) -> [(name: String, method: Method)] {
    let members = (handler as? Methods)?.members ?? (handler as? [String: any Handler]) ?? [:]
    return members.flatMap { name, member in
      let own = member.method.map { [(name: name, method: $0)] } ?? []
      return own + all(in: member).map { ("\(name).\($0.name)", $0.method) }
    }.sorted { $0.name < $1.name }
  }

  public func lookup(_ name: String) -> (any Handler)? { members[name] }
}
