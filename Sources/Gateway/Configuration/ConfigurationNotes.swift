import HTTPServer
import ZeroMQ
import ZeroMQRPC

extension Configuration {
  /// What is valid and yet may not be meant, in sentences: what is reached by more than was thought of, and what has no effect.
  public var notes: [String] {
    var notes: [String] = []
    if http.hosts.isEmpty {
      notes += http.listen.filter { !$0.isLoopback }.map {
        "http.hosts: not set, so requests to \($0) may be for any host; list the names that clients use"
      }
    }
    if http.cors.origins.contains(where: \.isAny) {
      notes.append("http.cors.origins: \"*\" lets every page that a browser shows call what is served here")
    }
    if limits.rate == nil {
      notes += services.flatMap { service in
        service.methods.settings.filter { $0.value.cost != nil }.keys.sorted().map {
          "services.\(service.name).methods.settings.\($0).cost: nothing is counted without limits.rate"
        }
      }
    }
    if let file = auth.keysFile, auth.keys.isEmpty {
      notes.append("auth.keys.file: \(file) has no keys, so none counts")
    }
    if services.isEmpty { notes.append("services: none, so there is nothing to call") }
    notes += notesOfRules
    for service in services {
      // Nobody but the gateway calls a service that decides.
      let mayBeHidden = service.name == auth.decision?.service
      notes += service.notes(mayBeHidden: mayBeHidden).map { "services.\(service.name).\($0)" }
    }
    return notes
  }

  /// Names in `auth.rules` that are of no service, and globs that are of none.
  private var notesOfRules: [String] {
    let names = services.map(\.name)
    return auth.rules.enumerated().flatMap { index, rule in
      (rule.services ?? []).filter { glob in !names.contains { Glob(glob).matches($0.utf8.span) } }.map { glob in
        let nearest = glob.nearestName(among: names).map { "; did you mean \"\($0)\"?" } ?? ""
        return "auth.rules[\(index)].service: there is no service \"\(glob)\"\(nearest)"
      }
    }
  }
}

extension Configuration.Service {
  /// What is open to more than may be meant, and what has no effect, each with its place in the service.
  fileprivate func notes(mayBeHidden: Bool) -> [String] {
    let open = directions.flatMap { direction in
      let key =
        switch direction.role {
        case .rpc, .pipeline: "bind"
        case .publish, .subscribe: "\(direction.role.rawValue).bind"
        }
      return direction.bind.filter { !$0.isLocal }.map {
        "\(key): whoever reaches \($0) is a peer of this service; bind where only your own machines come"
      }
    }
    let empty =
      methods.expose.isEmpty && !mayBeHidden
      ? ["methods.expose: empty, so no method of this service can be called"] : []
    guard case .rpc(let rpc) = pattern else { return open + empty }
    return open + empty + methods.notes + rpc.notes
  }
}

extension Endpoint {
  /// Whether only processes of this machine reach it.
  fileprivate var isLocal: Bool {
    guard case .tcp(let host, _) = inNumbers.address else { return true }
    return host.hasPrefix("127.") || host == "::1" || host == "localhost"
  }
}

extension Configuration.Methods {
  fileprivate var notes: [String] {
    let nothing =
      !expose.isEmpty && expose.allSatisfy(isHidden)
      ? ["methods.hide: hides all that is exposed, so no method of this service can be called"] : []
    let both = safe.filter(isHidden).map {
      "methods.safe: \"\($0)\" is hidden as well, and hidden ones are never called"
    }
    let told = settings.filter { name, settings in
      (settings.keep != nil || settings.coalesce == true) && context.contains { Glob($0).matches(name.utf8.span) }
    }.keys.sorted().map {
      "methods.settings.\($0): \"\($0)\" is told of each request by itself (context), so no two share a call or a result"
    }
    // Whether a glob covers a method that is safe shows only when methods are called.
    let policy = MethodPolicy(self)
    let unsafe = settings.filter { name, settings in
      guard settings.keep != nil || settings.coalesce == true else { return false }
      return safe.isEmpty || MethodName(name).map { !policy.isSafe($0) } == true
    }
    let absent = [("safe", safe), ("settings", settings.keys.sorted())].flatMap { key, names in
      names.filter(isNotExposed).map { name in
        let nearest = name.nearestName(among: expose.filter { !Glob.isGlob($0) }).map { "; did you mean \"\($0)\"?" }
        return "methods.\(key): \"\(name)\" is not exposed, so nobody calls it\(nearest ?? "")"
      }
    }
    return nothing + both + absent + told
      + unsafe.keys.sorted().map {
        "methods.settings.\($0): results are shared among GETs, and \"\($0)\" is not safe, so there are none; list it under safe"
      }
  }

  /// Whether that is a name, and none of what is exposed.
  private func isNotExposed(_ name: String) -> Bool {
    !Glob.isGlob(name) && !expose.contains { Glob($0).matches(name.utf8.span) }
  }

  /// Whether all that the name or glob covers is hidden. A star in it stands for more than the one byte that a question mark covers.
  private func isHidden(_ name: String) -> Bool {
    hide.contains { glob in
      glob == name || !(name.contains("*") && glob.contains("?")) && Glob(glob).matches(name.utf8.span)
    }
  }
}

extension Configuration.RPC {
  fileprivate var notes: [String] {
    var notes: [String] = []
    if hedge != .never, connect.count == 1, connect[0].hostName == nil {
      notes.append("hedge: a second copy goes to another endpoint, and there is only one")
    }
    if repeats, retries.percent == 0 {
      notes.append("retries.budget: 0% allows no more than the first \(retries.burst) calls to be sent twice")
    }
    return notes
  }
}
