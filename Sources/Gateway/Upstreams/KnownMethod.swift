/// A method that is known by its name, because the configuration names it or because its service does.
struct KnownMethod {
  let name: MethodName
  /// Whether GET may call it as well.
  let isSafe: Bool
  /// What its service says of it.
  let description: ServiceDescription.Method?
}

extension Configuration.Service {
  /// The methods that are known, in the order of their names: those that the configuration names in full, and those that the service has
  /// described. Those that callers do not reach are not among them, and those that only globs cover are not known.
  func knownMethods(_ description: ServiceDescription?) -> [KnownMethod] {
    let policy = MethodPolicy(methods)
    var described: [String: ServiceDescription.Method] = [:]
    for method in description?.methods ?? [] { described[method.name.text] = method }
    let named = (methods.expose + methods.safe + methods.settings.keys).filter { !Glob.isGlob($0) }
    return Set(named + described.keys).sorted().compactMap { name in
      guard let method = try? policy.method(name) else { return nil }
      return KnownMethod(name: method, isSafe: policy.isSafe(method), description: described[name])
    }
  }
}
