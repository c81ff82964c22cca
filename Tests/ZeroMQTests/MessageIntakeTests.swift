import CZeroMQ
import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("messages taken out of a socket", .inTurn(minutes: 3))
struct MessageIntakeTests {
  private func next(_ intake: inout MessageIntake, from socket: Socket) throws -> Message? {
    var taken: Message?
    let isThere = try intake.next(from: socket) { message, byteCount in
      taken = message
      #expect(byteCount == message.byteCount)
    }
    #expect(isThere == (taken != nil))
    return taken
  }

  @Test("messages that are kept stay as they are, whatever comes after them", arguments: [1, 2, 3, 31, 32, 33])
  func kept(every step: Int) throws {
    let (a, b) = try Socket.pair()
    var intake = MessageIntake()
    var kept: [Message] = []
    for number in 0..<300 {
      #expect(try a.send(Message(number: number)))
      let isThere = try intake.next(from: b) { message, _ in if number % step == 0 { kept.append(message) } }
      #expect(isThere)
    }
    let none = try next(&intake, from: b)
    #expect(none == nil)
    #expect(kept.map(\.number) == Array(stride(from: 0, to: 300, by: step)))
  }

  @Test(
    "messages of any numbers of frames and any lengths come whole, one after the other, kept or not",
    arguments: [true, false])
  func shapes(keeps: Bool) throws {
    let (a, b) = try Socket.pair()
    let lengths = [0, 1, 32, 33, 34, 100, 10_000]
    var intake = MessageIntake()
    var (sent, kept) = ([Message](), [Message]())
    for count in [1, 2, 8, 9, 1, 31, 32, 33, 3, 65, 300, 1, 1] {
      for length in lengths {
        let frames = (0..<count).map {
          [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: $0 == count / 2 ? length : 3)
        }
        let message = Message(frames)
        #expect(try a.send(message))
        let taken = try next(&intake, from: b)
        #expect(taken == message)
        if keeps {
          sent.append(message)
          kept.append(try #require(taken))
        }
      }
      intake.clear()
    }
    #expect(kept == sent)
  }

  @Test("who keeps a short message keeps no long one that came before or behind it", arguments: [33, 5_000, 1_000_000])
  func memory(count: Int) throws {
    let (a, b) = try Socket.pair()
    let freed = Guarded(0)
    var intake = MessageIntake()
    var kept: [Message] = []
    for _ in 0..<3 {
      #expect(try a.send(Message("short")))
      let short = try next(&intake, from: b)
      kept.append(try #require(short))
      try sendCounted(count, on: a, freed)
      let long = try next(&intake, from: b)
      #expect(long?.byteCount == count)
    }
    intake.clear()
    #expect(freed.withLock { $0 } == 3)
    #expect(kept == Array(repeating: Message("short"), count: 3))
  }

  /// Sends bytes that count when libzmq lets go of them; over inproc that is when the receiver does.
  private func sendCounted(_ count: Int, on socket: Socket, _ freed: Guarded<Int>) throws {
    var message = zmq_msg_t()
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 1)
    let hint = Unmanaged.passRetained(freed).toOpaque()
    let isMade = zmq_msg_init_data(
      &message, bytes, count,
      { bytes, hint in
        bytes?.deallocate()
        Unmanaged<Guarded<Int>>.fromOpaque(hint!).takeRetainedValue().withLock { $0 += 1 }
      }, hint)
    try #require(isMade == 0)
    #expect(zmq_msg_send(&message, socket.raw, ZMQ_DONTWAIT) == count)
  }
}
