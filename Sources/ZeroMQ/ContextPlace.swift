import Glibc
import Reactor

/// How many transports a context has room for, and has. libzmq's own limit leaves more: it gives the place of a closed socket back only a moment
/// later, and what finds no place halfway cannot be undone.
final class ContextPlaces: Sendable {
  private let limit: Int
  private let taken = Guarded(0)

  init(_ limit: Int) { self.limit = limit }

  /// Takes a place; throws EMFILE, as libzmq does, when there is none.
  func take() throws(ZMQError) -> ContextPlace {
    let isThere = taken.withLock { taken in
      guard taken < limit else { return false }
      taken += 1
      return true
    }
    guard isThere else {
      throw ZMQError(code: .init(rawValue: EMFILE), call: "a transport in a context that has room for \(limit)")
    }
    return ContextPlace(in: self)
  }

  fileprivate func giveBack() { taken.withLock { $0 -= 1 } }
}

/// The place of one transport, until it is let go of.
final class ContextPlace {
  private let places: ContextPlaces

  fileprivate init(in places: ContextPlaces) { self.places = places }

  deinit { places.giveBack() }
}
