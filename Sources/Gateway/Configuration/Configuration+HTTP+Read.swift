import Yams

extension Configuration.HTTP {
  /// Takes each key; returns where each address to listen on stands.
  mutating func read(_ section: Section) -> [Place] {
    var places: [Place] = []
    if let elements = section.field("listen")?.elements() {
      var seen: [Configuration.Listen] = []
      for element in elements {
        guard let address = element.listen() else { continue }
        if address.port != 0, seen.contains(address) {
          element.report("\(address) is listed twice")
        } else {
          seen.append(address)
          places.append(element.place)
        }
      }
      if elements.isEmpty { section.report("needs at least one address", at: "listen") }
      if !seen.isEmpty { listen = seen }
    }
    section.read("threads", into: &threads) { $0.integer(in: 0...256) }
    section.read("prefix", into: &prefix) { $0.prefix() }
    if let inner = section.section("limits") { limits.read(inner) }
    section.unavailable("admin", "tls", "cors", "hosts")
    section.finish()
    return places
  }
}

extension Configuration.Limits {
  mutating func read(_ section: Section) {
    section.read("body", into: &body) { $0.bytes(in: 1...(4 << 30)) }
    section.read("headers", into: &headers) { $0.bytes(in: 256...(16 << 20)) }
    section.read("target", into: &target) { $0.bytes(in: 64...(1 << 20)) }
    section.read("connections", into: &connections) { $0.integer(in: 1...1_000_000) }
    section.read("connections-per-address", into: &connectionsPerAddress) { $0.integer(in: 1...1_000_000) }
    section.read("read-timeout", into: &readTimeout) { $0.duration(in: .milliseconds(1) ... .hours(1)) }
    section.read("half-close-grace", into: &halfCloseGrace) { $0.duration(in: .zero ... .hours(1)) }
    // Python peers stop between 511 and 1024 levels, depending on their msgpack.
    section.read("depth", into: &depth) { $0.integer(in: 1...500) }
    section.read("elements", into: &elements) { $0.integer(in: 1...100_000_000) }
    section.finish()
  }
}

extension Field {
  fileprivate func listen() -> Configuration.Listen? {
    guard let text = text("host:port") else { return nil }
    do throws(Configuration.InvalidAddress) {
      return try Configuration.Listen(text)
    } catch {
      report(error.reason)
      return nil
    }
  }

  fileprivate func prefix() -> String? {
    // An empty prefix is a value of its own here, quoted or not.
    guard let text = node.scalar?.string == "" ? "" : text("a path such as /api") else { return nil }
    if text.isEmpty || text == "/" { return "" }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.first == "", !parts.dropFirst().contains("") else {
      report("a prefix starts with one slash and does not end with one: /\(text.filter { $0 != "/" })")
      return nil
    }
    guard parts.dropFirst().allSatisfy({ $0 != "." && $0 != ".." && $0.utf8.allSatisfy(\.isUnreserved) }) else {
      report("the parts of a prefix are letters, digits, \"-\", \".\", \"_\" and \"~\"")
      return nil
    }
    return text
  }
}

extension UInt8 {
  /// Whether a URL may hold this byte as it is in any part (RFC 3986, unreserved).
  var isUnreserved: Bool { isNameByte || self == 0x7E }

  /// Whether names of services and methods may hold this byte: `[A-Za-z0-9_.-]`.
  var isNameByte: Bool {
    switch self {
    case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x5F, 0x2E, 0x2D: true
    default: false
    }
  }
}
