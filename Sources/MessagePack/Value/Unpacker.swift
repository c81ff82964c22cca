/// MessagePack bytes to values, bounded before anything is allocated.
public struct Unpacker: Sendable, Hashable {
  /// Depth and number of values.
  public var limits: TranscodingLimits

  /// An unpacker with these limits.
  public init(limits: TranscodingLimits = .init()) { self.limits = limits }

  /// The one value that fills `bytes`. A string that is not UTF-8 becomes binary.
  ///
  /// Throws `badMessagePack`, `tooDeep` or `tooManyElements`.
  public func unpack(_ bytes: UnsafeRawBufferPointer) throws(TranscodingError) -> Value {
    do throws(TranscodingFault) { return try read(bytes) } catch { throw error.error() }
  }

  /// The one value that fills `bytes`, as above.
  public func unpack(_ bytes: [UInt8]) throws(TranscodingError) -> Value {
    // Array's own method throws untyped.
    try bytes.withUnsafeBytes { bytes in Result { () throws(TranscodingError) in try unpack(bytes) } }.get()
  }

  /// A container whose members are still coming; a map's members are its keys and values in turn.
  private struct Open {
    var left: Int
    let isMap: Bool
    var members: [Value] = []

    init(_ count: Int, isMap: Bool) {
      left = isMap ? 2 * count : count
      self.isMap = isMap
      // A header may claim as many members as bytes follow: let the array grow with what really comes.
      members.reserveCapacity(min(left, 64))
    }

    /// True when it was the last one.
    mutating func takes(_ member: Value) -> Bool {
      members.append(member)
      left -= 1
      return left == 0
    }

    var value: Value {
      guard isMap else { return .array(members) }
      return .map(stride(from: 0, to: members.count, by: 2).map { .init(members[$0], members[$0 + 1]) })
    }
  }

  private func read(_ bytes: UnsafeRawBufferPointer) throws(TranscodingFault) -> Value {
    guard bytes.count <= TranscodingLimits.largestDocument else { throw TranscodingFault(.tooLarge, 0) }
    var cursor = Cursor(bytes, limits: limits)
    // The innermost one, and those around it: mostly there are none.
    var current: Open?
    var outer: [Open] = []
    var depth = 0
    while true {
      let at = cursor.offset
      var value: Value
      switch try cursor.token() {
      case .nil: value = .nil
      case .bool(let flag): value = .bool(flag)
      case .int(let number): value = .int(number)
      case .uint(let number): value = .uint(number)
      case .double(let number): value = .double(number)
      case .string(let text):
        value = UTF8Sequence.isValid(text) ? .string(String(decoding: text, as: UTF8.self)) : .binary(Array(text))
      case .binary(let bytes): value = .binary(Array(bytes))
      case .extension(let code, let bytes): value = .ext(code, Array(bytes))
      case .array(let count):
        guard depth < limits.depth else { throw TranscodingFault(.tooDeep, at) }
        value = .array([])
        if count > 0 {
          if let around = current { outer.append(around) }
          current = Open(count, isMap: false)
          depth += 1
          continue
        }
      case .map(let count):
        guard depth < limits.depth else { throw TranscodingFault(.tooDeep, at) }
        value = .map([])
        if count > 0 {
          if let around = current { outer.append(around) }
          current = Open(count, isMap: true)
          depth += 1
          continue
        }
      }
      while current?.takes(value) == true {
        value = current.take()?.value ?? .nil
        current = outer.popLast()
        depth -= 1
      }
      if depth == 0 {
        guard cursor.isAtEnd else { throw TranscodingFault(.trailingBytes, cursor.offset) }
        return value
      }
    }
  }
}
