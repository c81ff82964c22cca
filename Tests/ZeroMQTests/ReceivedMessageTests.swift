import Support
import Testing

@testable import ZeroMQ

@Suite("messages and frames", .timeLimit(.minutes(1)))
struct FramesTests {
  /// Two PAIR sockets on this thread.
  private func pair() throws -> (Socket, Socket) {
    let context = try Context()
    let (a, b) = (try Socket(.pair, in: context), try Socket(.pair, in: context))
    try a.bind("inproc://a")
    try b.connect("inproc://a")
    return (a, b)
  }

  private func send(_ frames: [[UInt8]], on socket: Socket) throws {
    for (index, frame) in frames.enumerated() {
      #expect(try frame.withUnsafeBytes { try socket.send($0, more: index < frames.count - 1) })
    }
  }

  @Test("a message has the frames that were sent", arguments: [1, 2, 5, 31, 32])
  func frames(count: Int) throws {
    let (a, b) = try pair()
    let sent = (0..<count).map { [UInt8](repeating: UInt8($0), count: $0 * 100) }
    try send(sent, on: a)
    var frames = ReceivedMessage()
    #expect(try frames.receive(from: b))
    #expect(frames.count == count)
    for index in 0..<count { #expect(Array(frames[index]) == sent[index]) }
    #expect(try !frames.receive(from: b))
    #expect(frames.count == 0)
  }

  @Test("frames beyond the capacity are counted and dropped, and the next message is whole", arguments: [33, 34, 100])
  func tooMany(count: Int) throws {
    let (a, b) = try pair()
    try send((0..<count).map { [UInt8($0)] }, on: a)
    try send([[1], [2]], on: a)
    var frames = ReceivedMessage()
    #expect(try frames.receive(from: b))
    #expect(frames.count == count)
    for index in 0..<(ReceivedMessage.capacity - 1) { #expect(Array(frames[index]) == [UInt8(index)]) }
    #expect(try frames.receive(from: b))
    #expect(frames.count == 2)
    #expect(Array(frames[0]) == [1])
    #expect(Array(frames[1]) == [2])
  }

  @Test("a send without room or peer is refused and leaves nothing behind")
  func refused() throws {
    let context = try Context()
    let socket = try Socket(.push, in: context)
    #expect(try ![UInt8(1)].withUnsafeBytes { try socket.send($0, more: false) })
    #expect(!socket.readiness.contains(.output))
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
