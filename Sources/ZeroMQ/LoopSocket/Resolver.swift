import Glibc
import Reactor

/// Looks host names up with `getaddrinfo(3)`, on threads of its own: a lookup can take half a minute, and neither a reactor nor
/// libzmq's only I/O thread may wait that long.
///
/// One name is looked up once at a time, however many ask for it. A name that gets no answer delays no other name, as long as
/// fewer than `most` are under way; beyond that, names wait their turn.
package final class Resolver: Sendable, Hashable {
  /// What a lookup found: addresses in numbers, in the order in which to try them; or none, and why.
  package struct Answer: Sendable, Hashable {
    package var addresses: [String] = []
    package var reason = ""

    package init(addresses: [String] = [], reason: String = "") {
      self.addresses = addresses
      self.reason = reason
    }
  }

  private struct State {
    var asked: [String: [@Sendable (Answer) -> Void]] = [:]
    var waiting: [String] = []
    var threads = 0
  }

  /// The one of this process.
  package static let shared = Resolver(look: Resolver.lookUp)
  private let most: Int
  private let look: @Sendable (String) -> Answer
  private let state = Guarded(State())

  /// At most that many lookups at once. Tests hand in what looks up.
  package init(most: Int = 64, look: @escaping @Sendable (String) -> Answer) {
    self.most = most
    self.look = look
  }

  package static func == (a: Resolver, b: Resolver) -> Bool { a === b }
  package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }

  /// Looks the name up and answers on a thread of the resolver's.
  package func resolve(_ host: String, answer: @escaping @Sendable (Answer) -> Void) {
    let needsThread = state.withLock { state in
      if state.asked[host] != nil {
        state.asked[host]?.append(answer)
        return false
      }
      state.asked[host] = [answer]
      state.waiting.append(host)
      guard state.threads < most else { return false }
      state.threads += 1
      return true
    }
    guard needsThread else { return }
    do {
      try startThread(name: "resolver") { self.work() }
    } catch {
      state.withLock { $0.threads -= 1 }
      finish(host, Answer(reason: "\(error)"))
    }
  }

  /// A thread's life: it ends when nobody waits.
  private func work() {
    while true {
      let host = state.withLock { state -> String? in
        if !state.waiting.isEmpty { return state.waiting.removeFirst() }
        state.threads -= 1
        return nil
      }
      guard let host else { return }
      finish(host, look(host))
    }
  }

  private func finish(_ host: String, _ answer: Answer) {
    let asked = state.withLock { state in
      state.waiting.removeAll { $0 == host }
      return state.asked.removeValue(forKey: host) ?? []
    }
    for ask in asked { ask(answer) }
  }

  private static func lookUp(_ host: String) -> Answer { addresses(of: host, flags: 0) }

  /// An address in numbers, as libzmq and the kernel spell it; nil for a name. Never waits.
  static func numeric(_ host: String) -> String? { addresses(of: host, flags: AI_NUMERICHOST).addresses.first }

  private static func addresses(of host: String, flags: CInt) -> Answer {
    var hints = addrinfo()
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    hints.ai_flags = flags
    var first: UnsafeMutablePointer<addrinfo>?
    let failure = getaddrinfo(host, nil, &hints, &first)
    guard failure == 0 else { return Answer(reason: String(cString: gai_strerror(failure))) }
    defer { freeaddrinfo(first) }
    var answer = Answer()
    var entry = first
    while let info = entry?.pointee {
      entry = info.ai_next
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      guard
        getnameinfo(info.ai_addr, info.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
      else { continue }
      let address = PeerAddress.unmapped(
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
      if !answer.addresses.contains(address) { answer.addresses.append(address) }
    }
    if answer.addresses.isEmpty { answer.reason = "it has no address" }
    return answer
  }
}
