import Reactor
import Support

@testable import ZeroMQ

/// Messages that bear numbers from 0 on.
enum Numbers {
  static func message(_ number: Int) -> Message {
    Message([withUnsafeBytes(of: UInt64(number)) { Array($0) }])
  }

  /// The number of a message, behind what a router has put in front; nil for one that tells the end.
  static func of(_ message: Message) -> Int? {
    message[message.count - 1].withUnsafeBytes { $0.isEmpty ? nil : Int($0.loadUnaligned(as: UInt64.self)) }
  }

  static let end = Message([[]])

  /// Writes so many, as fast as it may.
  final class Source: TransportDelegate {
    private let count: Int
    private let replies: Order?
    private var next = 0
    private var isPaused = false

    /// What comes back is told to `replies`.
    init(_ count: Int, replies: Order? = nil) { (self.count, self.replies) = (count, replies) }

    func write(on transport: isolated Transport) {
      while next < count, !isPaused {
        next += 1
        transport.write(Numbers.message(next - 1))
      }
    }

    func messageReceived(_ message: Message, on transport: isolated Transport) throws {
      try replies?.messageReceived(message, on: transport)
    }

    func pauseWriting(on transport: isolated Transport) { isPaused = true }

    func resumeWriting(on transport: isolated Transport) {
      isPaused = false
      write(on: transport)
    }
  }

  /// Checks that they come once and in order.
  final class Order: TransportDelegate, Sendable {
    struct Fault: Error {}

    struct Seen: Hashable {
      var received = 0
      /// What was left out between two that came.
      var missed = 0
      /// What came twice, or behind a later one.
      var faults = 0
      /// The number that is to come.
      var next = 0
      var isOver = false
    }

    private let counts = Guarded(Seen())
    private let throwing: Bool
    private let echoes: Bool

    /// One may throw at each message, and may send each back.
    init(throwing: Bool = false, echoes: Bool = false) { (self.throwing, self.echoes) = (throwing, echoes) }

    var seen: Seen { counts.withLock { $0 } }

    func messageReceived(_ message: Message, on transport: isolated Transport) throws {
      counts.withLock { seen in
        guard let number = Numbers.of(message) else { return seen.isOver = true }
        seen.received += 1
        if number < seen.next { return seen.faults += 1 }
        seen.missed += number - seen.next
        seen.next = number + 1
      }
      if echoes { transport.write(message) }
      if throwing { throw Fault() }
    }
  }
}

extension Transport {
  /// Has its delegate begin.
  func writeNumbers() { (delegate as? Numbers.Source)?.write(on: self) }
}
