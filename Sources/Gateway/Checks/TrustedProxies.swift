import HTTPServer

/// From where a request comes that proxies have passed on, as far as they can be believed: `http.trusted-proxies`.
///
/// Each proxy writes who has asked it behind what it was told. So the list is read from its end: the first address that is none of a
/// trusted proxy is the client's. What stands before it anybody may have written.
struct TrustedProxies {
  private let ranges: [AddressRange]
  private let header: Configuration.ProxyHeader

  /// Nil when there are none.
  init?(_ http: Configuration.HTTP) {
    guard !http.trustedProxies.isEmpty else { return nil }
    (ranges, header) = (http.trustedProxies, http.proxyHeader)
  }

  private func isTrusted(_ address: ClientAddress) -> Bool { ranges.contains { $0.contains(address) } }

  /// The address of whoever has sent the request.
  func client(of request: GatewayRequest) -> ClientAddress {
    let peer = request.exchange.clientAddress
    guard isTrusted(peer) else { return peer }
    let lines = request.values(of: header == .forwarded ? .forwarded : .forwardedFor)
    return client(behind: peer, lines.map { String(decoding: $0, as: UTF8.self) })
  }

  /// The same, of the lines of the header.
  func client(behind peer: ClientAddress, _ lines: [String]) -> ClientAddress {
    var nearest = peer
    for line in lines.reversed() {
      // What cannot be read was passed on by somebody who can be believed, and is as good as the proxy itself.
      guard
        let elements = header == .forwarded
          ? Self.cut(line[...], at: ",") : line.split(separator: ",", omittingEmptySubsequences: false)
      else { return nearest }
      for element in elements.reversed() {
        guard let address = header == .forwarded ? Self.forwarded(element) : Self.address(element) else {
          return nearest
        }
        guard isTrusted(address) else { return address }
        nearest = address
      }
    }
    return nearest
  }

  /// Cut at separators that do not stand between quotes (RFC 9110, 5.6.1); nil when a quote is open at the end: then what a proxy has
  /// appended would be part of what a client has sent.
  private static func cut(_ text: Substring, at separator: Character) -> [Substring]? {
    var (parts, start, isQuoted, isEscaped): ([Substring], Substring.Index, Bool, Bool) = (
      [], text.startIndex, false, false
    )
    for index in text.indices {
      let character = text[index]
      if isEscaped {
        isEscaped = false
      } else if isQuoted, character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        isQuoted.toggle()
      } else if character == separator, !isQuoted {
        parts.append(text[start..<index])
        start = text.index(after: index)
      }
    }
    return isQuoted ? nil : parts + [text[start...]]
  }

  /// The `for` of an element of `Forwarded` (RFC 7239, 4).
  private static func forwarded(_ element: Substring) -> ClientAddress? {
    for pair in cut(element, at: ";") ?? [] {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0].trimmed.lowercased() == "for" else { continue }
      var value = parts[1].trimmed
      if value.count >= 2, value.first == "\"", value.last == "\"" { value = value.dropFirst().dropLast() }
      return address(value)
    }
    return nil
  }

  /// An address, with or without brackets and a port.
  private static func address(_ text: Substring) -> ClientAddress? {
    let text = text.trimmed
    if let end = text.lastIndex(of: "]"), text.first == "[" {
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.first == ":" && isPort(rest.dropFirst()) else { return nil }
      return ClientAddress(text[..<end].dropFirst())
    }
    let colons = text.filter { $0 == ":" }.count
    guard colons == 1, let colon = text.firstIndex(of: ":") else { return ClientAddress(text) }
    return isPort(text[text.index(after: colon)...]) ? ClientAddress(text[..<colon]) : nil
  }

  private static func isPort(_ text: Substring) -> Bool {
    1...5 ~= text.utf8.count && text.utf8.allSatisfy { 0x30...0x39 ~= $0 }
  }
}
