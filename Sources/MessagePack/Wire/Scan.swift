/// The check that lets MessagePack bytes be passed on unread: exactly one value, within limits.
///
/// A key may occur twice in a map: only the service reads it, so there are no two readers to disagree.
public struct Scan: Sendable, Hashable {
  /// Depth and number of values.
  public var limits: TranscodingLimits
  /// Whether extension codes 123 to 127 may pass. aiozmq services unpickle them, which runs whatever code the sender
  /// chose: leave this off for bytes that are on their way to a service. Default: off.
  public var allowsPickledExtensions: Bool
  /// Whether map keys must be strings or binary, the only ones that aiozmq services read. Default: on.
  public var requiresTextKeys: Bool

  /// A scan for bytes from a client by default.
  public init(
    limits: TranscodingLimits = .init(), allowsPickledExtensions: Bool = false, requiresTextKeys: Bool = true
  ) {
    self.limits = limits
    self.allowsPickledExtensions = allowsPickledExtensions
    self.requiresTextKeys = requiresTextKeys
  }

  /// Throws unless `bytes` are exactly one value within the limits.
  ///
  /// Codes: `badMessagePack`, `tooDeep`, `tooManyElements`, and `notEncodable` for what a service must not be sent.
  public func validate(_ bytes: UnsafeRawBufferPointer) throws(TranscodingError) {
    do throws(TranscodingFault) {
      try check(bytes)
    } catch {
      throw error.error()
    }
  }

  private func check(_ bytes: UnsafeRawBufferPointer) throws(TranscodingFault) {
    guard bytes.count <= TranscodingLimits.largestDocument else { throw TranscodingFault(.tooLarge, 0) }
    var cursor = Cursor(bytes, limits: limits)
    /// What is left of each open container; a map counts keys and values, and an even number left means a key is next.
    var open: [(left: Int, isMap: Bool)] = []
    repeat {
      let at = cursor.offset
      let token = try cursor.token()
      if requiresTextKeys, let top = open.last, top.isMap, top.left.isMultiple(of: 2) {
        switch token {
        case .string, .binary: break
        default: throw TranscodingFault(.keyType, at)
        }
      }
      if let last = open.indices.last { open[last].left -= 1 }
      switch token {
      case .array(let count): try push(&open, (count, false), at)
      case .map(let count): try push(&open, (2 * count, true), at)
      case .string(let text):
        if !UTF8Sequence.isValid(text) { throw TranscodingFault(.textEncoding, at) }
      case .extension(let code, _):
        if code >= 123, !allowsPickledExtensions { throw TranscodingFault(.pickledPayload, at) }
      default: break
      }
      while open.last?.left == 0 { open.removeLast() }
    } while !open.isEmpty
    if !cursor.isAtEnd { throw TranscodingFault(.trailingBytes, cursor.offset) }
  }

  private func push(_ open: inout [(left: Int, isMap: Bool)], _ item: (Int, Bool), _ at: Int) throws(TranscodingFault) {
    guard open.count < limits.depth else { throw TranscodingFault(.tooDeep, at) }
    open.append(item)
  }
}
