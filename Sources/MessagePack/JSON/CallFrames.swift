/// Where the two argument frames of a call lie in a buffer: the MessagePack array of positional arguments and the map of
/// keyword arguments. One that is absent is sent as an empty array or an empty map.
///
/// In JSON an array holds positional arguments, an object keyword arguments, an object with only `args` (an array) and/or
/// `kwargs` (an object) both.
public struct CallFrames: Sendable, Hashable {
  /// The array of positional arguments; nil when there are none.
  public var arguments: Range<Int>?
  /// The map of keyword arguments; nil when there are none.
  public var keywords: Range<Int>?
  /// Where they stand in what the client has sent.
  package var place: Place

  /// Frames by their place; none by default.
  public init(arguments: Range<Int>? = nil, keywords: Range<Int>? = nil) {
    self.init(arguments: arguments, keywords: keywords, at: Place())
  }

  package init(arguments: Range<Int>? = nil, keywords: Range<Int>? = nil, at place: Place) {
    self.arguments = arguments
    self.keywords = keywords
    self.place = place
  }

  /// Where arguments stand in a client's document, for JSON pointers (RFC 6901) to them.
  package struct Place: Sendable, Hashable {
    package enum Form: Sendable, Hashable {
      /// In the members `args` and `kwargs` of an object; so are those of a query thought of.
      case envelope
      /// An array or an object of nothing else.
      case bare
      /// In the member `params` of an object, as an array or an object.
      case params
    }

    package var form: Form
    /// The number of the call in an array of calls; nil when it stands alone.
    package var item: Int?

    package init(_ form: Form = .envelope, item: Int? = nil) {
      self.form = form
      self.item = item
    }

    /// The pointer to an argument, by its number or its name as a token of a pointer.
    package func pointer(to token: String, isKeyword: Bool) -> String {
      let start = item.map { "/\($0)" } ?? ""
      return switch form {
      case .envelope: "\(start)/\(isKeyword ? "kwargs" : "args")/\(token)"
      case .bare: "\(start)/\(token)"
      case .params: "\(start)/params/\(token)"
      }
    }
  }

  /// Lends both frames, which must lie in `buffer`; the pointers are valid only inside `body`.
  @inlinable public func withFrames<Result, Failure: Error>(
    in buffer: borrowing ByteBuffer,
    _ body: (_ arguments: UnsafeRawBufferPointer, _ keywords: UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try buffer.withUnsafeBytes { bytes throws(Failure) in
      try withUnsafeBytes(of: (Self.emptyArray, Self.emptyMap)) { empty throws(Failure) in
        try body(
          UnsafeRawBufferPointer(rebasing: arguments.map { bytes[$0] } ?? empty[..<1]),
          UnsafeRawBufferPointer(rebasing: keywords.map { bytes[$0] } ?? empty[1...]))
      }
    }
  }

  @usableFromInline static var emptyArray: UInt8 { 0x90 }
  @usableFromInline static var emptyMap: UInt8 { 0x80 }
}

extension JSONParser {
  /// The frames of a call in the `count` bytes written, which begin at `base` of the buffer. Throws `shape` when they are
  /// neither an array nor a map.
  func frames(_ count: Int, _ base: Int) throws(TranscodingFault) -> CallFrames {
    let whole = base..<(base + count)
    switch output.pointee {
    case CallFrames.emptyArray, CallFrames.emptyMap: return CallFrames()
    case 0x91...0x9f, 0xdc, 0xdd: return CallFrames(arguments: whole, at: .init(.bare))
    case 0x81, 0x82:
      return envelope(Int(output.pointee & 0x0f), count, base) ?? CallFrames(keywords: whole, at: .init(.bare))
    case 0x83...0x8f, 0xde, 0xdf: return CallFrames(keywords: whole, at: .init(.bare))
    default: throw TranscodingFault(.shape, 0)
    }
  }

  /// The frames within an outermost object of one or two members; nil when it has others than `args` and `kwargs`, or when
  /// the map was no object.
  private func envelope(_ members: Int, _ count: Int, _ base: Int) -> CallFrames? {
    guard !lastKey.isEmpty else { return nil }
    var frames = CallFrames()
    for member in 0..<members {
      let key = member == 0 ? firstKey : lastKey
      let (start, from) = (Int(key.lowerBound), Int(key.upperBound))
      // The header of a next key this short is one byte.
      let to = member + 1 < members ? Int(lastKey.lowerBound) - 1 : count
      let name = UnsafePointer(output + start)
      let head = output[from]
      let range = (base + from)..<(base + to)
      if ByteWord.equal(name, from - start, "args"), Self.isArray(head) {
        frames.arguments = head == CallFrames.emptyArray ? nil : range
      } else if ByteWord.equal(name, from - start, "kwargs"), Self.isMap(head) {
        frames.keywords = head == CallFrames.emptyMap ? nil : range
      } else {
        return nil
      }
    }
    return frames
  }

  private static func isArray(_ head: UInt8) -> Bool { head & 0xf0 == 0x90 || head == 0xdc || head == 0xdd }
  private static func isMap(_ head: UInt8) -> Bool { head & 0xf0 == 0x80 || head == 0xde || head == 0xdf }
}
