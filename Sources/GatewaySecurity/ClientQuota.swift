package import Reactor
import Synchronization

/// Who is told apart by the limits.
package struct Client: Hashable, Sendable {
  /// By what.
  package enum Kind: String, CaseIterable, Hashable, Sendable {
    case subject, key, address
  }

  package let kind: Kind
  /// The subject, the beginning of the key's digest, or the address.
  package let name: String

  package init(_ kind: Kind, _ name: String) { (self.kind, self.name) = (kind, name) }
}

/// What one client has used up of the limits, on all threads together.
package final class ClientQuota: Sendable {
  /// Whose it is; nil for the one that all share for whom there was no room.
  package let client: Client?
  package let bucket = TokenBucket()
  private let streams = Atomic<Int>(0)

  fileprivate init(_ client: Client?) { self.client = client }

  /// Streams that are open.
  package var openStreams: Int { streams.load(ordering: .relaxed) }

  /// Counts a stream; false, with nothing counted, when so many are open.
  package func openStream(below limit: Int) -> Bool {
    if streams.wrappingAdd(1, ordering: .relaxed).newValue <= limit { return true }
    closeStream()
    return false
  }

  /// A stream that was counted has closed.
  package func closeStream() { streams.wrappingSubtract(1, ordering: .relaxed) }

  /// Whether nothing would be lost with it.
  fileprivate func isAtRest(at now: Instant) -> Bool { bucket.isFull(at: now) && openStreams == 0 }
}

/// The quotas of all clients: for those that the configuration names, and for as many others as are kept at one time.
///
/// Who has a quota keeps it, and asks the table no more. Whose bucket is full, who has no stream open and no connection or credentials that hold
/// the quota, can be forgotten: a fresh one would be the same. When the table is full, such a client makes room, if one is found among a
/// few; else the new client shares one quota with all others for whom there is no room.
package final class ClientQuotas: Sendable {
  /// In how many places room is looked for.
  private static let search = 16

  private struct State {
    var known: [Client: ClientQuota] = [:]
    var places: [Client: Int] = [:]
    var others: [ClientQuota] = []
    /// Where the next search begins.
    var hand = 0
    var crowded = 0
  }

  /// As many clients as are kept besides those of the configuration.
  package let limit: Int
  private let state = Guarded(State())
  private let crowd = ClientQuota(nil)

  package init(limit: Int) { self.limit = limit }

  /// How many are kept besides those of the configuration.
  package var count: Int { state.withLock { $0.others.count } }
  /// How often there was no room for one.
  package var crowded: Int { state.withLock { $0.crowded } }

  /// That of a client whom the configuration names: there is always room.
  package func quota(ofKnown client: Client) -> ClientQuota {
    state.withLock { state in
      if let quota = state.known[client] { return quota }
      let quota = ClientQuota(client)
      state.known[client] = quota
      return quota
    }
  }

  /// That of any client.
  package func quota(of client: Client, at now: Instant) -> ClientQuota {
    state.withLock { state in
      if let quota = state.known[client] { return quota }
      if let place = state.places[client] { return state.others[place] }
      let quota = ClientQuota(client)
      if state.others.count < limit {
        state.places[client] = state.others.count
        state.others.append(quota)
        return quota
      }
      guard let place = Self.freePlace(&state, at: now) else {
        state.crowded += 1
        return crowd
      }
      if let gone = state.others[place].client { state.places[gone] = nil }
      state.places[client] = place
      state.others[place] = quota
      return quota
    }
  }

  private static func freePlace(_ state: inout State, at now: Instant) -> Int? {
    for _ in 0..<min(search, state.others.count) {
      let place = state.hand
      state.hand = (place + 1) % state.others.count
      if state.others[place].isAtRest(at: now), isKnownUniquelyReferenced(&state.others[place]) { return place }
    }
    return nil
  }
}
