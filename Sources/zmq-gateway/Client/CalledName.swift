import ArgumentParser

/// What is called, as one writes it for a command: `calc/add` of a gateway, `add` of a service, with a topic before the method where
/// something is published.
struct CalledName {
  let service: String
  /// Nil where nothing is published.
  let topic: String?
  let method: String

  /// Reads a name of a gateway's, `service/method`, or `service/topic/method`; a topic may have slashes.
  init(inGateway text: String, hasTopic: Bool) throws {
    let form = hasTopic ? "service/topic/method, such as news/chat/say" : "service/method, such as calc/add"
    guard let slash = text.firstIndex(of: "/") else { throw ValidationError("a gateway is asked for \(form)") }
    service = String(text[..<slash])
    (topic, method) = try Self.split(text[text.index(after: slash)...], hasTopic: hasTopic, form)
    guard !service.isEmpty, service.utf8.allSatisfy(\.isPlain) else {
      throw ValidationError("\"\(service)\" is no name of a service")
    }
  }

  /// Reads a name of a service's, `method`, or `topic/method`.
  init(inService text: String, hasTopic: Bool) throws {
    service = ""
    (topic, method) = try Self.split(
      text[...], hasTopic: hasTopic,
      hasTopic ? "topic/method, such as chat/say" : "a method, such as add, and no service before it")
  }

  private static func split(
    _ text: Substring, hasTopic: Bool, _ form: String
  ) throws -> (topic: String?, method: String) {
    let slash = text.lastIndex(of: "/")
    guard (slash != nil) == hasTopic else { throw ValidationError("what is called is \(form)") }
    let method = text[(slash.map { text.index(after: $0) } ?? text.startIndex)...]
    guard !method.isEmpty, method.utf8.allSatisfy(\.isPlain) else {
      throw ValidationError("\"\(method)\" is no name of a method")
    }
    return (slash.map { String(text[..<$0]) }, String(method))
  }

  /// The path of a gateway behind `/rpc`, `/push` or `/pub`.
  func path(at route: String) -> String {
    "/\(route)/\(service)/\(topic.map { $0.asTopicSegment + "/" } ?? "")\(method)"
  }
}

extension String {
  /// A topic as a segment of a path: `-` stands for the empty one.
  fileprivate var asTopicSegment: String {
    switch self {
    case "": "-"
    case "-": "%2D"
    // A path has no dot segments.
    case ".", "..": replacing(".", with: "%2E")
    default: percentEncoded
    }
  }

  /// As a part of a path or a query.
  var percentEncoded: String {
    utf8.reduce(into: "") { text, byte in
      if byte.isPlain || byte == UInt8(ascii: "~") {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        text += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
  }
}

extension UInt8 {
  /// Whether names of services and methods have it.
  var isPlain: Bool {
    switch self {
    case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x5F, 0x2E, 0x2D: true
    default: false
    }
  }
}
