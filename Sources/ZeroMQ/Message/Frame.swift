/// One part of a message: bytes that nobody changes, owned by libzmq or by an array of this program.
///
/// Copying a frame copies no bytes. A frame of a received message keeps that whole message, and with a short one up to 31 other short
/// frames that came with it: 2 KiB together. One of 33 bytes or more keeps the buffer that libzmq received it in, 8 KiB, if it fits in there.
// Sendable although it refers to a storage that is not: nobody changes that any more (see `FrameStorage`).
public struct Frame: @unchecked Sendable {
  /// An array with more bytes is kept and not copied, and so is sent as it is: 8 KiB. Copying a shorter one costs less.
  public static let longestCopied = 8_192

  let storage: FrameStorage
  let index: Int

  init(_ storage: FrameStorage, _ index: Int) {
    self.storage = storage
    self.index = index
  }

  /// A frame of these bytes.
  public init(_ bytes: [UInt8]) {
    storage = .make(1)
    index = 0
    if bytes.count > Self.longestCopied {
      storage.fill(0, keeping: bytes)
    } else {
      bytes.withUnsafeBytes { storage.fill(0, with: $0) }
    }
    storage.share()
  }

  /// A frame of a text, in UTF-8.
  public init(_ text: String) {
    var text = text
    self = text.withUTF8 { Frame(copying: UnsafeRawBufferPointer($0)) }
  }

  /// A frame of a copy of these bytes.
  public init(_ bytes: borrowing RawSpan) { self = bytes.withUnsafeBytes { Frame(copying: $0) } }

  /// A frame of a copy of these bytes.
  public init(_ bytes: borrowing Span<UInt8>) { self.init(bytes.bytes) }

  /// A frame of a copy of these bytes.
  public init(copying bytes: UnsafeRawBufferPointer) {
    storage = .make(1)
    index = 0
    storage.fill(0, with: bytes)
    storage.share()
  }

  /// How many bytes it has.
  public var count: Int { storage.bytes(index).count }

  /// The bytes, in place.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let bytes = storage.bytes(index)
      return _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
    }
  }

  /// Lends the bytes; the pointer is valid only inside `body`.
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(storage) {} }
    return try body(storage.bytes(index))
  }

  /// The text, if the bytes are UTF-8.
  public var text: String? { withUnsafeBytes { String(validating: $0, as: UTF8.self) } }
}

extension Frame: Hashable {
  public static func == (a: Frame, b: Frame) -> Bool {
    a.withUnsafeBytes { a in b.withUnsafeBytes { b in a.elementsEqual(b) } }
  }

  public func hash(into hasher: inout Hasher) { withUnsafeBytes { hasher.combine(bytes: $0) } }
}

extension Frame: ExpressibleByStringLiteral {
  public init(stringLiteral text: String) { self.init(text) }
}

extension Frame: ExpressibleByArrayLiteral {
  public init(arrayLiteral bytes: UInt8...) { self.init(bytes) }
}

extension Frame: CustomStringConvertible {
  /// The text, or the bytes as an array is shown.
  public var description: String { text ?? "\([UInt8](self))" }
}

extension Array where Element == UInt8 {
  /// A copy of the bytes of a frame.
  public init(_ frame: Frame) { self = frame.withUnsafeBytes { Array($0) } }
}
