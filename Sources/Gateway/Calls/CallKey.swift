import MessagePack

/// What is called, and in which form the result is wanted. Safe methods answer equal calls alike.
struct CallKey: Hashable {
  let method: MethodName
  private let format: ResultFormat
  /// Both argument frames, packed: the positional ones first.
  private let arguments: [UInt8]
  private let positionals: Int

  /// A call whose arguments lie in the buffer and whose result is written in that format.
  init(_ method: MethodName, _ frames: CallFrames, in buffer: borrowing ByteBuffer, as format: ResultFormat) {
    self.method = method
    self.format = format
    (arguments, positionals) = frames.withFrames(in: buffer) { (Array($0) + Array($1), $0.count) }
  }

  /// Bytes that it takes.
  var count: Int { method.text.utf8.count + arguments.count }

  /// The arguments, to make the call again.
  var buffer: ByteBuffer {
    var buffer = ByteBuffer(capacity: arguments.count)
    arguments.withUnsafeBytes { buffer.append($0) }
    return buffer
  }

  /// Where they lie in the buffer.
  var frames: CallFrames {
    CallFrames(arguments: 0..<positionals, keywords: positionals..<arguments.count)
  }
}
