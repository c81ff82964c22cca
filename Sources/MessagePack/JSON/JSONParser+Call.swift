extension JSONParser {
  /// Where the argument frames lie in the `count` bytes written, which begin at `base` of the buffer.
  ///
  /// The keys of the outermost object were dropped when it closed, but nothing has been written over them since.
  func frames(_ count: Int, _ base: Int) throws(TranscodingFault) -> CallFrames {
    let whole = base..<(base + count)
    switch output.pointee {
    case 0x90: return CallFrames()
    case 0x91...0x9f, 0xdc, 0xdd: return CallFrames(arguments: whole)
    case 0x80: return CallFrames()
    case 0x81 where count > 1, 0x82:
      return envelope(Int(output.pointee & 0x0f), count, base) ?? CallFrames(keywords: whole)
    case 0x83...0x8f, 0xde, 0xdf: return CallFrames(keywords: whole)
    default: throw TranscodingFault(.shape, 0)
    }
  }

  /// The frames of an object whose only members are `args` and `kwargs`; nil when it is something else.
  private func envelope(_ members: Int, _ count: Int, _ base: Int) -> CallFrames? {
    guard !rewritten else { return nil }
    var frames = CallFrames()
    for member in 0..<members {
      let key = keys.entries[member]
      let from = Int(key.offset) + Int(key.length)
      // The header of a next key this short is one byte.
      let to = member + 1 < members ? Int(keys.entries[member + 1].offset) - 1 : count
      let name = UnsafePointer(output + Int(key.offset))
      let head = output[from]
      let range = (base + from)..<(base + to)
      if ByteWord.equal(name, Int(key.length), "args"), Self.isArray(head) {
        frames.arguments = head == 0x90 ? nil : range
      } else if ByteWord.equal(name, Int(key.length), "kwargs"), Self.isMap(head) {
        frames.keywords = head == 0x80 ? nil : range
      } else {
        return nil
      }
    }
    return frames
  }

  private static func isArray(_ head: UInt8) -> Bool { head & 0xf0 == 0x90 || head == 0xdc || head == 0xdd }
  private static func isMap(_ head: UInt8) -> Bool { head & 0xf0 == 0x80 || head == 0xde || head == 0xdf }
}
