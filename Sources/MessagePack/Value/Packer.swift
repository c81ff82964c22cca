import CMessagePack

/// Values to MessagePack bytes, through msgpack-c.
public struct Packer: Sendable, Hashable {
  /// Only the depth counts here. Default: 64.
  public var limits: TranscodingLimits
  /// Whether keys of maps may be other than strings and binary. Default: false, because Python's reader refuses those: a caller
  /// would wait in vain for a reply that holds one.
  public var allowsAnyKeys: Bool

  /// A packer with these limits.
  public init(limits: TranscodingLimits = .init(), allowsAnyKeys: Bool = false) {
    self.limits = limits
    self.allowsAnyKeys = allowsAnyKeys
  }

  /// Appends the bytes of `value`. Throws `tooDeep` and, for a key of a map, `notEncodable`; `buffer` is then as it was before.
  public func pack(_ value: Value, into buffer: inout ByteBuffer) throws(TranscodingError) {
    try pack(value, into: &buffer, inside: 0)
  }

  /// The same for a value that is inside so many others.
  package func pack(_ value: Value, into buffer: inout ByteBuffer, inside depth: Int) throws(TranscodingError) {
    // What is packed most needs no msgpack-c.
    switch value {
    case .nil: return buffer.append(0xC0)
    case .int(let number): return buffer.append(integer: number)
    default: break
    }
    let start = buffer.count
    do throws(TranscodingFault) {
      // The packer keeps the buffer's address: it must not move while packing.
      try withUnsafeMutablePointer(to: &buffer) { target throws(TranscodingFault) in
        var packer = msgpack_packer()
        msgpack_packer_init(&packer, target, appendPacked)
        try pack(value, &packer, depth)
      }
    } catch {
      buffer.truncate(to: start)
      throw TranscodingFault(error.kind, error.offset - start).error()
    }
  }

  /// The bytes of `value`. Throws as above.
  public func pack(_ value: Value) throws(TranscodingError) -> [UInt8] {
    // What is answered most needs no buffer.
    switch value {
    case .nil: return [0xC0]
    case .int(let number):
      return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 9) { bytes in
        guard let start = bytes.baseAddress else { return [] }
        return Array(UnsafeBufferPointer(start: start, count: MessagePackWriter.integer(number, start) - start))
      }
    default: break
    }
    var buffer = ByteBuffer()
    try pack(value, into: &buffer)
    return buffer.withUnsafeBytes { Array($0) }
  }

  private func pack(_ value: Value, _ packer: inout msgpack_packer, _ depth: Int) throws(TranscodingFault) {
    // The C functions fail only when the buffer cannot grow, which ends the process before.
    switch value {
    case .nil: check(msgpack_pack_nil(&packer))
    case .bool(true): check(msgpack_pack_true(&packer))
    case .bool(false): check(msgpack_pack_false(&packer))
    case .int(let value): check(msgpack_pack_int64(&packer, value))
    case .uint(let value): check(msgpack_pack_uint64(&packer, value))
    case .double(let value): check(msgpack_pack_double(&packer, value))
    case .string(var text): text.withUTF8 { check(msgpack_pack_str_with_body(&packer, $0.baseAddress, $0.count)) }
    case .binary(let bytes):
      bytes.withUnsafeBytes { check(msgpack_pack_bin_with_body(&packer, $0.baseAddress, $0.count)) }
    case .ext(let code, let bytes):
      bytes.withUnsafeBytes { check(msgpack_pack_ext_with_body(&packer, $0.baseAddress, $0.count, code)) }
    case .array(let members):
      guard depth < limits.depth else { throw TranscodingFault(.tooDeep, packed(packer)) }
      check(msgpack_pack_array(&packer, members.count))
      for member in members { try pack(member, &packer, depth + 1) }
    case .map(let pairs):
      guard depth < limits.depth else { throw TranscodingFault(.tooDeep, packed(packer)) }
      check(msgpack_pack_map(&packer, pairs.count))
      for pair in pairs {
        switch pair.key {
        case .string, .binary: break
        default: guard allowsAnyKeys else { throw TranscodingFault(.keyType, packed(packer)) }
        }
        try pack(pair.key, &packer, depth + 1)
        try pack(pair.value, &packer, depth + 1)
      }
    }
  }

  /// How many bytes the buffer has so far.
  private func packed(_ packer: msgpack_packer) -> Int {
    packer.data.assumingMemoryBound(to: ByteBuffer.self).pointee.count
  }

  private func check(_ result: CInt) { precondition(result == 0, "out of memory") }
}

/// Called by msgpack-c for each piece that it writes.
private func appendPacked(_ buffer: UnsafeMutableRawPointer?, _ bytes: UnsafePointer<CChar>?, _ count: Int) -> CInt {
  buffer?.assumingMemoryBound(to: ByteBuffer.self).pointee.append(UnsafeRawBufferPointer(start: bytes, count: count))
  return 0
}
