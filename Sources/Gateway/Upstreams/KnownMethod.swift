/// A method that is known by its name, because the configuration names it or because its service does.
struct KnownMethod: Hashable {
  let name: MethodName
  /// Whether GET may call it as well.
  let isSafe: Bool
  /// What the configuration declares, or else its service says of it.
  let description: ServiceDescription.Method?
}

extension Configuration.Service {
  /// The methods that are known, in the order of their names: those that the configuration declares or names in full, and
  /// those that the service has described. Those that callers do not reach are not among them, and those that only globs cover are not known.
  func knownMethods(_ description: ServiceDescription?) -> [KnownMethod] {
    let policy = MethodPolicy(methods)
    var described: [String: ServiceDescription.Method] = [:]
    for method in description?.methods ?? [] { described[method.name.text] = method }
    let named = (methods.expose + methods.safe + methods.settings.keys + methods.declared.keys).filter {
      !Glob.isGlob($0)
    }
    return Set(named + described.keys).sorted().compactMap { name in
      guard let method = try? policy.method(name) else { return nil }
      let told = described[name]
      let declared = methods.declared[name].map {
        ServiceDescription.Method(name: method, parameters: $0.parameters, result: $0.result, text: told?.text)
      }
      return KnownMethod(name: method, isSafe: policy.isSafe(method), description: declared ?? told)
    }
  }
}
