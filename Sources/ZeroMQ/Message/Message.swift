import CZeroMQ

/// Frames that travel together: all of them arrive, or none.
///
/// A value that may go anywhere: a received message holds libzmq's own frames, to be read in place, and one that is written again
/// is not copied.
/// ```swift
/// let message: Message = ["data", "ask", [1, 2, 3]]
/// let first = message[0].text
/// ```
// Sendable although it refers to a storage that is not: nobody changes that any more (see `FrameStorage`).
public struct Message: @unchecked Sendable {
  private(set) var storage: FrameStorage
  /// Its places in the storage, where other messages may be too.
  private var start: UInt32, frameCount: UInt32

  init(_ storage: FrameStorage, at start: Int, count: Int) {
    self.storage = storage
    self.start = UInt32(truncatingIfNeeded: start)
    frameCount = UInt32(truncatingIfNeeded: count)
  }

  /// A message of these frames. One without any cannot be sent.
  public init(_ frames: some Collection<Frame>) {
    let count = frames.count
    if count == 1, let frame = frames.first {
      self.init(frame.storage, at: frame.index, count: 1)
      return
    }
    let storage = FrameStorage.make(count)
    for (index, frame) in frames.enumerated() {
      // It fails for what is no message only.
      zmq_msg_copy(storage.place(index), frame.storage.place(frame.index))
    }
    self.init(storage, at: 0, count: count)
  }

  /// A message of frames of these bytes.
  public init(_ frames: [[UInt8]]) { self.init(frames.map(Frame.init)) }

  /// A message of one frame, in UTF-8.
  public init(_ text: String) { self.init(CollectionOfOne(Frame(text))) }

  /// The bytes of all its frames together.
  public var byteCount: Int { indices.reduce(0) { $0 + zmq_msg_size(place($1)) } }

  /// The place behind its last one.
  var end: Int { Int(start) + Int(frameCount) }

  /// Makes it the message at other places of its storage.
  mutating func refer(to start: Int, count: Int) {
    self.start = UInt32(truncatingIfNeeded: start)
    frameCount = UInt32(truncatingIfNeeded: count)
  }

  /// Nobody else has any message or frame of its storage.
  mutating func isAlone() -> Bool { isKnownUniquelyReferenced(&storage) }

  /// The bytes of a frame, for as long as the message lives.
  func bytes(_ index: Int) -> UnsafeRawBufferPointer { storage.bytes(Int(start) + index) }

  /// A frame, for as long as the message lives.
  func place(_ index: Int) -> UnsafeMutablePointer<zmq_msg_t> { storage.place(Int(start) + index) }
}

extension Message: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { Int(frameCount) }

  public subscript(index: Int) -> Frame {
    precondition(indices.contains(index), "no such frame")
    return Frame(storage, Int(start) + index)
  }
}

extension Message: Hashable {
  public static func == (a: Message, b: Message) -> Bool { a.elementsEqual(b) }

  public func hash(into hasher: inout Hasher) { for frame in self { hasher.combine(frame) } }
}

extension Message: ExpressibleByArrayLiteral {
  public init(arrayLiteral frames: Frame...) { self.init(frames) }
}

extension Message: CustomStringConvertible {
  public var description: String { "\(Array(self))" }
}

extension Message {
  /// What libzmq says of the peer that sent it, such as "Socket-Type" (`zmq_msg_gets(3)`); nil when it says nothing, as of a message
  /// that was not received.
  public func property(_ name: String) -> String? {
    // The last frame knows it; the first may be an identity that a router has put in front.
    guard let last = indices.last else { return nil }
    defer { withExtendedLifetime(storage) {} }
    return zmq_msg_gets(place(last), name).map { String(cString: $0) }
  }

  /// The IP address that it came from, in numbers and without the port; nil over inproc and ipc. Over ipc, `property("Peer-Address")` tells
  /// of the peer's process: `localhost:user:group:process`, in numbers.
  public var peerAddress: String? { PeerAddress.number(property("Peer-Address")) }

  /// The user that the context's authenticator gave its sender (`zmq_zap(7)`); nil when it gave none.
  public var userID: String? { property("User-Id").flatMap { $0.isEmpty ? nil : $0 } }
}
