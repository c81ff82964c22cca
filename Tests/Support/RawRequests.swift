/// One request of raw-requests.txt, byte for byte, and what has to come of it.
public struct RawRequest: Sendable {
  /// What has to come of a request.
  public enum Expectation: Sendable, Hashable {
    /// 200; the connection goes on, or is closed.
    case served(closes: Bool)
    /// One of these statuses, and the connection is closed. Without an answer, or with any error, where `orNone`.
    case refused([Int], orNone: Bool)
  }

  public let section: String
  public let name: String
  public let bytes: [UInt8]
  /// What has to come of it where libmicrohttpd is strict, and where it is not: there nil judges nothing.
  public let strict: Expectation
  public let lenient: Expectation?

  /// All of them, in the order of the file.
  public static let all: [RawRequest] = {
    var requests: [RawRequest] = []
    var (section, template) = ("", "$")
    for line in String(decoding: PackageResources.raw_requests_txt, as: UTF8.self).split(separator: "\n") {
      if line.hasPrefix("#") { continue }
      if line.hasPrefix("=") {
        let parts = line.dropFirst(2).split(separator: ":", maxSplits: 1)
        (section, template) = (String(parts[0]), String(parts[1].dropFirst()))
      } else {
        let parts = line.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
        let text = template.split(separator: "$", maxSplits: 1, omittingEmptySubsequences: false)
          .joined(separator: String(parts[2].dropFirst()))
        let (strict, lenient) = expectations(parts[0].dropLast())
        for (variant, bytes) in expanded(Substring(text)) {
          let name = parts[1].dropFirst().dropLast() + variant
          requests.append(.init(section: section, name: name, bytes: bytes, strict: strict, lenient: lenient))
        }
      }
    }
    return requests
  }()

  /// The sections of the file.
  public static let sections = all.map(\.section).reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }

  private static func expectations(_ text: Substring) -> (Expectation, Expectation?) {
    let words = text.split(separator: " ")
    let strict = expectation(words[words.count - 1])
    guard words.count > 1 else { return (strict, strict) }
    let others = words[0].split(separator: ",", maxSplits: 1)
    return (strict, others.count > 1 ? expectation(others[1]) : nil)
  }

  private static func expectation(_ text: Substring) -> Expectation {
    switch text {
    case "ok": return .served(closes: false)
    case "close": return .served(closes: true)
    default:
      let words = text.split(separator: ",")
      return .refused(words.compactMap { Int($0) }, orNone: words.contains("none"))
    }
  }

  /// The bytes of a text, or of each of its variants, and what tells these apart.
  private static func expanded(_ text: Substring) -> [(String, [UInt8])] {
    if let start = text.firstIndex(of: "<"), let end = text[start...].firstIndex(of: ">") {
      let (before, after) = (unescaped(text[..<start]), unescaped(text[text.index(after: end)...]))
      return text[text.index(after: start)..<end].split(separator: " ").flatMap { range in
        let bounds = range.split(separator: "-").compactMap { UInt8($0, radix: 16) }
        return (bounds[0]...bounds[bounds.count - 1]).map { ("; byte \($0)", before + [$0] + after) }
      }
    }
    return [("", unescaped(text))]
  }

  private static func unescaped(_ text: Substring) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "\\"):
        switch rest.popFirst() {
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "x"):
          bytes.append(UInt8(Substring(rest.prefix(2)), radix: 16) ?? 0)
          rest = rest.dropFirst(2)
        case let other: bytes.append(other ?? 0)
        }
      case UInt8(ascii: "{"):
        guard let end = rest.firstIndex(of: UInt8(ascii: "}")),
          let star = rest[..<end].lastIndex(of: UInt8(ascii: "*")), let count = Int(Substring(rest[rest.index(after: star)..<end]))
        else {
          bytes.append(byte)
          continue
        }
        let piece = unescaped(Substring(rest[..<star]))
        for _ in 0..<count { bytes += piece }
        rest = rest[rest.index(after: end)...]
      default: bytes.append(byte)
      }
    }
    return bytes
  }
}

/// Sends raw requests to a server on this machine, and judges what comes back.
public struct RawRequestJudge: Sendable {
  public let port: UInt16
  /// Whether the server's libmicrohttpd is strict.
  public let isStrict: Bool
  /// What is answered with 200 by GET, before and behind a request.
  public let target: String
  /// What is wrong with the answer to a refused request; nil when nothing is.
  public let complaint: @Sendable (HTTPReply) -> String?

  public init(
    port: UInt16, isStrict: Bool, target: String, complaint: @escaping @Sendable (HTTPReply) -> String? = { _ in nil }
  ) {
    self.port = port
    self.isStrict = isStrict
    self.target = target
    self.complaint = complaint
  }

  /// Sends each request alone, and between two others, over several connections at a time. What is wrong, a line for each.
  public func complaints(_ requests: [RawRequest]) async throws -> [String] {
    let width = 16
    return try await withThrowingTaskGroup { group in
      for start in 0..<width {
        group.addTask {
          try await offThread {
            stride(from: start, to: requests.count, by: width).flatMap { index in
              [false, true].compactMap { complaint(requests[index], isBetween: $0) }
            }
          }
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }

  private func complaint(_ request: RawRequest, isBetween: Bool) -> String? {
    guard let expectation = isStrict ? request.strict : request.lenient else { return nil }
    do {
      try judge(request.bytes, expectation, isBetween: isBetween)
      return nil
    } catch {
      return "\(request.section): \(request.name)\(isBetween ? ", between others" : ""): \(error)"
    }
  }

  private struct Wrong: Error, CustomStringConvertible { let description: String }

  private func judge(_ bytes: [UInt8], _ expectation: RawRequest.Expectation, isBetween: Bool) throws {
    let connection = try HTTPConnection(port: port)
    defer { connection.disconnect() }
    let other = Array("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    func expectServed(_ what: String) throws {
      let status = try connection.reply().status
      guard status == 200 else { throw Wrong(description: "\(what) is answered with \(status)") }
    }
    connection.send(isBetween ? other + bytes + other : bytes)
    if isBetween { try expectServed("the one before") }
    switch expectation {
    case .served(let closes):
      try expectServed("it")
      if closes {
        guard try connection.isAtEnd() else { throw Wrong(description: "more follows") }
      } else {
        if !isBetween { connection.send(other) }
        try expectServed("the one behind")
      }
    case .refused(let statuses, let orNone):
      if orNone, try connection.isAtEnd() { return }
      let reply = try connection.reply()
      guard statuses.contains(reply.status) || statuses.isEmpty && reply.status >= 400 else {
        throw Wrong(description: "it is answered with \(reply.status)")
      }
      if !statuses.isEmpty, let complaint = complaint(reply) { throw Wrong(description: complaint) }
      let rest = try connection.readToEnd()
      guard rest.isEmpty else { throw Wrong(description: "behind \(reply.status) follows \(rest.prefix(60).debugDescription)") }
    }
  }
}
