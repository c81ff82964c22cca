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
  let storage: FrameStorage

  init(_ storage: FrameStorage) { self.storage = storage }

  /// A message of these frames. One without any cannot be sent.
  public init(_ frames: some Collection<Frame>) {
    storage = .make(frames.count)
    for (index, frame) in frames.enumerated() {
      // It fails for what is no message only.
      zmq_msg_copy(storage.place(index), frame.storage.place(frame.index))
    }
  }

  /// A message of frames of these bytes.
  public init(_ frames: [[UInt8]]) { self.init(frames.map(Frame.init)) }

  /// A message of one frame, in UTF-8.
  public init(_ text: String) { self.init(CollectionOfOne(Frame(text))) }

  /// The bytes of all its frames together.
  public var byteCount: Int { indices.reduce(0) { $0 + zmq_msg_size(storage.place($1)) } }
}

extension Message: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { storage.header }

  public subscript(index: Int) -> Frame {
    precondition(indices.contains(index), "no such frame")
    return Frame(storage, index)
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
    return zmq_msg_gets(storage.place(last), name).map { String(cString: $0) }
  }

  /// The address that it came from, in numbers and without the port; nil over inproc and ipc.
  public var peerAddress: String? { property("Peer-Address") }

  /// The user that the context's authenticator gave its sender (`zmq_zap(7)`).
  public var userID: String? { property("User-Id") }
}
