/// One request of raw-requests.txt, byte for byte, and what has to come of it.
public struct RawRequest: Sendable {
  /// What has to come of a request.
  public enum Expectation: Sendable, Hashable {
    /// 200; the connection goes on, or is closed.
    case served(closes: Bool)
    /// One of these statuses, and the connection is closed. Without an answer, or with any error, where `orNone`.
    case refused([Int], orNone: Bool)
    /// That status from a gateway, 200 from a server that routes nothing; the connection goes on.
    case routed(Int)
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
          let name = parts[1].dropFirst().dropLast() + variant[...]
          requests.append(.init(section: section, name: String(name), bytes: bytes, strict: strict, lenient: lenient))
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
    case let text where text.hasSuffix("+"): return .routed(Int(text.dropLast()) ?? 0)
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
          let star = rest[..<end].lastIndex(of: UInt8(ascii: "*")),
          let count = Int(Substring(rest[rest.index(after: star)..<end]))
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
  /// Whether the server is a gateway: then it is judged only what it refuses, and that it says why in a problem document.
  public let isGateway: Bool

  public init(port: UInt16, isStrict: Bool, isGateway: Bool = false) {
    self.port = port
    self.isStrict = isStrict
    self.isGateway = isGateway
  }

  /// Sends each request between two others, and alone if that is wanted too, over several connections at a time. What is wrong, a line for
  /// each.
  public func complaints(_ requests: [RawRequest], alsoAlone: Bool = true) async throws -> [String] {
    let width = 16
    let ways = alsoAlone ? [false, true] : [true]
    return try await withThrowingTaskGroup { group in
      for start in 0..<width {
        group.addTask {
          try await offThread {
            stride(from: start, to: requests.count, by: width).flatMap { index in
              ways.compactMap { complaint(requests[index], isBetween: $0) }
            }
          }
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }

  private func complaint(_ request: RawRequest, isBetween: Bool) -> String? {
    guard let expectation = isStrict ? request.strict : request.lenient else { return nil }
    if isGateway, case .served = expectation { return nil }
    do {
      try judge(request.bytes, expectation, isBetween: isBetween)
      return nil
    } catch {
      return "\(request.section): \(request.name)\(isBetween ? ", between others" : ""): \(error)"
    }
  }

  private struct Wrong: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  private func judge(_ bytes: [UInt8], _ expectation: RawRequest.Expectation, isBetween: Bool) throws {
    let connection = try HTTPConnection(port: port)
    defer { connection.disconnect() }
    let other = Array("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
    func expect(_ status: Int, _ what: String) throws {
      let reply = try connection.reply()
      guard reply.status == status else { throw Wrong("\(what) is answered with \(reply.status)") }
      if status != 200 { try inspect(reply) }
    }
    connection.send(isBetween ? other + bytes + other : bytes)
    if isBetween { try expect(200, "the one before") }
    switch expectation {
    case .served(closes: true):
      try expect(200, "it")
      guard try connection.isAtEnd() else { throw Wrong("more follows") }
    case .served(closes: false), .routed:
      if isGateway, case .routed(let status) = expectation { try expect(status, "it") } else { try expect(200, "it") }
      if !isBetween { connection.send(other) }
      try expect(200, "the one behind")
    case .refused(let statuses, let orNone):
      if orNone, try connection.isAtEnd() { return }
      let reply = try connection.reply()
      guard statuses.contains(reply.status) || orNone && reply.status >= 400 else {
        throw Wrong("it is answered with \(reply.status)")
      }
      try inspect(reply)
      let rest = try connection.readToEnd()
      guard rest.isEmpty else { throw Wrong("behind \(reply.status) follows \(rest.prefix(60).debugDescription)") }
    }
  }

  /// Throws what is wrong with an answer of a gateway that refuses.
  private func inspect(_ reply: HTTPReply) throws {
    guard isGateway else { return }
    guard reply.headers["content-type"] == "application/problem+json" else {
      throw Wrong("\(reply.status) comes without a problem document")
    }
    guard reply.json["status"].integer == reply.status, reply.headers["gateway-error"] != nil else {
      throw Wrong("\(reply.status) comes with the problem document \(reply.body)")
    }
  }
}
