import HTTPServer
import LibFuzzer
import Reactor

@testable import Gateway
@testable import GatewaySecurity
@testable import GatewayTracing

/// Behind them, whatever a client writes is not believed.
private let proxies: [(TrustedProxies, last: String)] = [
  (Configuration.ProxyHeader.forwarded, "for=192.0.2.1"), (.forwardedFor, "192.0.2.1"),
].compactMap { header, last in
  var http = Configuration.HTTP()
  http.trustedProxies = ["10.0.0.0/8", "fd00::/8"].compactMap { AddressRange($0) }
  http.proxyHeader = header
  return TrustedProxies(http).map { ($0, last) }
}
private let tickets = TicketTable<Int>(limit: 10, share: 10, for: .seconds(60))

/// The value of a header, or a target: whatever reads it finds something that can be written again, or nothing.
private func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeRawBufferPointer(start: data, count: count)
  if let parent = TraceParent(bytes) { precondition(TraceParent(parent.text) == parent) }
  let text = String(decoding: bytes, as: UTF8.self)
  if let peer = ClientAddress("10.0.0.1"), let stranger = ClientAddress("192.0.2.1") {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    for (proxies, last) in proxies {
      // What stands behind all that a client can write counts.
      precondition(proxies.client(behind: peer, lines + [last]) == stranger)
      _ = proxies.client(behind: peer, lines)
    }
  }
  if let time = try? RequestTimeout.parse(text) { precondition(time > .zero) }
  _ = (MediaType.body(bytes), MediaType.wanted([bytes]), MediaType.accepts([bytes], "application/json"))
  _ = EntityTag.matches([bytes], "\"a-1\"")
  if let value = Cookie.value(of: Array("session".utf8), in: bytes) { precondition(value.count < count) }
  if let found = TicketPath(prefix: "").find(in: bytes) {
    precondition(found.ticket.count + found.service.count < count)
  }
  precondition(tickets.redeem(bytes, at: Instant(nanoseconds: 0)) == nil)
  _ = try? Query(UnsafeBufferPointer(start: data, count: count).span, .arguments, controls: ["_timeout"])
  return 0
}

/// The package manager has the program begin here, where libFuzzer would have its own `main`.
@_cdecl("fuzz_headers_main")
public func run(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  runFuzzer(count, arguments, fuzz)
}
