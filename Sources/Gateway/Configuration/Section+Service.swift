extension Section {
  /// The endpoints of `connect`; reports when there are none.
  func addresses() -> [Configuration.Address] {
    guard let field = field("connect") else {
      unavailable("bind")
      if !has("bind") { report("has no connect; name at least one endpoint such as tcp://127.0.0.1:5555") }
      return []
    }
    refuse("bind", because: "contradicts connect: a service does one or the other; not available in this version")
    guard let elements = field.elements() else { return [] }
    if elements.isEmpty { report("needs at least one endpoint", at: "connect") }
    var addresses: [Configuration.Address] = []
    for element in elements {
      guard let text = element.text("an endpoint") else { continue }
      do throws(Configuration.InvalidAddress) {
        let address = try Configuration.Address(text)
        if addresses.contains(address) { element.report("\(address) is listed twice") }
        addresses.append(address)
      } catch {
        element.report(error.reason)
      }
    }
    return addresses
  }

  /// `timeout` and `max-timeout`, which may not contradict each other.
  func timeouts(_ timeout: inout Duration, _ maximum: inout Duration) {
    let bounds = Duration.milliseconds(1) ... .hours(24)
    read("timeout", into: &timeout) { $0.duration(in: bounds) }
    read("max-timeout", into: &maximum) { $0.duration(in: bounds) }
    if timeout > maximum {
      let written = has("max-timeout") ? "max-timeout" : "timeout"
      report("contradiction: timeout is \(timeout.text), max-timeout only \(maximum.text)", at: written)
    }
  }
}

extension Field {
  /// Globs of method names that can match something.
  func globs() -> [String]? {
    guard let elements = elements() else { return nil }
    var globs: [String] = []
    for element in elements {
      guard let text = element.text("a glob such as get*") else { continue }
      if text.isEmpty || !text.utf8.allSatisfy({ $0.isNameByte || $0 == 0x2A || $0 == 0x3F }) {
        element.report("\"\(text)\" matches no method; globs are letters, digits, \"_\", \".\", \"-\", \"*\" and \"?\"")
      } else if text.split(separator: ".").contains(where: { $0.hasPrefix("_") }) {
        element.report("a method part that starts with \"_\" is never callable")
      } else {
        globs.append(text)
      }
    }
    return globs
  }

  /// Prefixes of topics.
  func topics() -> [String]? {
    guard let elements = elements() else { return nil }
    if elements.isEmpty { report("an empty list allows no topic; [\"\"] allows any") }
    var topics: [String] = []
    for element in elements {
      guard let text = element.text("a topic prefix") else { continue }
      if text.utf8.count > NameRules.longestTopic {
        element.report("a topic has at most \(NameRules.longestTopic) bytes, not \(text.utf8.count)")
      } else {
        topics.append(text)
      }
    }
    return topics
  }
}
