/// Steers a proxy by messages, as `zmq_proxy_steerable(3)` does: `PAUSE`, `RESUME`, `TERMINATE` and `STATISTICS`.
///
/// It is the delegate of a transport, on any reactor. `STATISTICS` is answered with eight frames of eight bytes each, unsigned and in the
/// order of the machine: messages and bytes that came in and went out at the front, and the same at the back. A REP answers the others
/// with an empty message, and what is none of these too. A PAIR or DEALER answers `STATISTICS` only, a PULL or SUB
/// nothing.
///
/// ```swift
/// let control = try await Transport.open(.reply, bind: ["ipc:///run/proxy"]) { ProxyControl(proxy) }
/// ```
public final class ProxyControl: TransportDelegate, Sendable {
  private let proxy: Proxy

  /// A delegate that steers the proxy.
  public init(_ proxy: Proxy) { self.proxy = proxy }

  public func messageReceived(_ message: Message, on transport: isolated Transport) {
    let (proxy, command) = (proxy, message.count == 1 ? message[0].text : nil)
    // In a task, for the proxy may live on another reactor. REP and REQ wait for the answer; others may overtake it.
    Task {
      switch command {
      case "PAUSE": await proxy.pause()
      case "RESUME": await proxy.resume()
      case "TERMINATE": await proxy.terminate()
      case "STATISTICS" where transport.kind.sends: return transport.write(Self.answer(await proxy.statistics))
      default: break
      }
      if transport.kind == .reply { transport.write(Message("")) }
    }
  }

  private static func answer(_ statistics: ProxyStatistics) -> Message {
    let (forth, back) = (statistics.forth, statistics.back)
    let numbers = [
      forth.messages + forth.dropped, forth.bytes, back.messages, back.bytes, back.messages + back.dropped, back.bytes,
      forth.messages, forth.bytes,
    ]
    return Message(numbers.map { number in withUnsafeBytes(of: UInt64(number)) { Frame(Array($0)) } })
  }
}
