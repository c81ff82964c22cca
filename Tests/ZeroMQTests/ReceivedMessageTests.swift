import CZeroMQ
import Support
import Testing

@testable import ZeroMQ

@Suite("messages and frames", .inTurn(minutes: 3))
struct FramesTests {
  private func send(_ frames: [[UInt8]], on socket: Socket) throws {
    for (index, frame) in frames.enumerated() {
      #expect(try frame.withUnsafeBytes { try socket.send($0, more: index < frames.count - 1) })
    }
  }

  @Test("a message has the frames that were sent", arguments: [1, 2, 5, 31, 32])
  func frames(count: Int) throws {
    let (a, b) = try Socket.pair()
    let sent = (0..<count).map { [UInt8](repeating: UInt8($0), count: $0 * 100) }
    try send(sent, on: a)
    var frames = ReceivedMessage()
    #expect(try frames.receive(from: b))
    #expect(frames.count == count)
    for index in 0..<count { #expect(Array(frames[index]) == sent[index]) }
    #expect(try !frames.receive(from: b))
    #expect(frames.count == 0)
  }

  @Test("a message may have any number of frames, and the next one is whole", arguments: [33, 64, 65, 1_000])
  func many(count: Int) throws {
    let (a, b) = try Socket.pair()
    try send((0..<count).map { [UInt8(truncatingIfNeeded: $0)] }, on: a)
    try send([[1], [2]], on: a)
    var frames = ReceivedMessage()
    #expect(try frames.receive(from: b))
    #expect(frames.count == count)
    for index in 0..<count { #expect(Array(frames[index]) == [UInt8(truncatingIfNeeded: index)]) }
    #expect(try frames.receive(from: b))
    #expect(frames.count == 2)
    #expect(Array(frames[0]) == [1])
    #expect(Array(frames[1]) == [2])
  }

  @Test(
    "a frame that is kept outlives its message and can be read on another thread", arguments: [0, 5, 33, 1_000_000])
  func kept(count: Int) async throws {
    let kept = try {
      let (a, b) = try Socket.pair()
      try send([[1], [UInt8](repeating: 7, count: count)], on: a)
      try send([[2]], on: a)
      var frames = ReceivedMessage()
      #expect(try frames.receive(from: b))
      let kept = frames.keep(1)
      #expect(try frames.receive(from: b))
      frames.clear()
      return kept
    }()
    #expect(kept.count == count)
    let bytes = try await offThread { kept.withUnsafeBytes { Array($0) } }
    #expect(bytes == [UInt8](repeating: 7, count: count))
  }

  @Test("clear frees all frames of the last message, also after a receive that found nothing", arguments: [2, 40])
  func freed(count: Int) throws {
    let (a, b) = try Socket.pair()
    let freed = Tally()
    for index in 0..<count {
      var frame = zmq_msg_t()
      // Long enough not to be copied, so that the receiver's end is told here.
      let bytes = UnsafeMutableRawPointer.allocate(byteCount: 1_000, alignment: 1)
      zmq_msg_init_data(&frame, bytes, 1_000, countFreed, Unmanaged.passRetained(freed).toOpaque())
      #expect(zmq_msg_send(&frame, a.raw, index < count - 1 ? ZMQ_SNDMORE : 0) == 1_000)
    }
    var frames = ReceivedMessage()
    #expect(try frames.receive(from: b))
    #expect(try !frames.receive(from: b))
    frames.clear()
    #expect(frames.count == 0)
    #expect(freed.count == count)
  }

  @Test("a send without room or peer is refused and leaves nothing behind")
  func refused() throws {
    let context = try Context()
    let socket = try Socket(.push, in: context)
    #expect(try ![UInt8(1)].withUnsafeBytes { try socket.send($0, more: false) })
    #expect(!((try? socket.readiness) ?? []).contains(.output))
  }

  @Test("an endpoint that is taken, or makes no sense, is an error that says so")
  func errors() throws {
    let context = try Context()
    let first = try Socket(.pull, in: context)
    let endpoint = try first.bind("tcp://127.0.0.1:*")
    #expect(!endpoint.hasSuffix("*"))
    let second = try Socket(.pull, in: context)
    let taken = #expect(throws: ZMQError.self) { try second.bind(endpoint) }
    #expect(taken?.code == .addressInUse)
    #expect(taken?.description.contains(endpoint) == true)
    #expect(throws: ZMQError.self) { try second.connect("nonsense") }
    #expect(throws: ZMQError.self) { try second.disconnect("tcp://127.0.0.1:1") }
  }
}

private func countFreed(_ bytes: UnsafeMutableRawPointer?, _ tally: UnsafeMutableRawPointer?) {
  bytes?.deallocate()
  guard let tally else { return }
  Unmanaged<Tally>.fromOpaque(tally).takeRetainedValue().countUp()
}

extension Socket {
  /// Two PAIR sockets on this thread.
  static func pair() throws -> (Socket, Socket) {
    let context = try Context()
    let (a, b) = (try Socket(.pair, in: context), try Socket(.pair, in: context))
    try a.bind("inproc://a")
    try b.connect("inproc://a")
    return (a, b)
  }
}
