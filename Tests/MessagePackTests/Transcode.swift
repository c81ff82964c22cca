import Testing

@testable import MessagePack

/// The module's functions on plain arrays and strings.
func pack(
  _ json: String, _ transcoder: JSONToMessagePack = .init()
) throws(TranscodingError) -> [UInt8] {
  try pack(Array(json.utf8), transcoder)
}

func pack(
  _ json: [UInt8], _ transcoder: JSONToMessagePack = .init()
) throws(TranscodingError) -> [UInt8] {
  try filled(json) { bytes, buffer throws(TranscodingError) in try transcoder.transcode(bytes, into: &buffer) }
}

func print(
  _ bytes: [UInt8], _ transcoder: MessagePackToJSON = .init()
) throws(TranscodingError) -> String {
  let text = try filled(bytes) { bytes, buffer throws(TranscodingError) in
    try transcoder.transcode(bytes, into: &buffer)
  }
  return String(decoding: text, as: UTF8.self)
}

/// What `body` appends, which must leave what was there alone, and append nothing when it throws.
func filled(
  _ source: [UInt8],
  _ body: (UnsafeRawBufferPointer, inout ByteBuffer) throws(TranscodingError) -> Void
) throws(TranscodingError) -> [UInt8] {
  var buffer = ByteBuffer(capacity: 16)
  buffer.append("kept")
  let result = source.withUnsafeBytes { bytes in
    Result { () throws(TranscodingError) in try body(bytes, &buffer) }
  }
  let all = buffer.withUnsafeBytes { Array($0) }
  #expect(all.starts(with: "kept".utf8))
  if case .failure = result { #expect(all.count == 4) }
  try result.get()
  return Array(all[4...])
}

/// The parts of a call.
func call(
  _ json: String, _ transcoder: JSONToMessagePack = .init()
) throws(TranscodingError) -> (arguments: String?, keywords: String?) {
  var buffer = ByteBuffer(capacity: 16)
  buffer.append("kept")
  let json = Array(json.utf8)
  let result = json.withUnsafeBytes { bytes in
    Result { () throws(TranscodingError) in try transcoder.transcodeCall(bytes, into: &buffer) }
  }
  let frames = try result.get()
  func part(_ range: Range<Int>?) -> String? {
    range.map { range in buffer.withUnsafeBytes(range) { hex(Array($0)) } }
  }
  return (part(frames.arguments), part(frames.keywords))
}

/// The error that `body` throws.
func failure(_ body: () throws(TranscodingError) -> some Any) -> TranscodingError? {
  do throws(TranscodingError) {
    _ = try body()
    return nil
  } catch {
    return error
  }
}

func packed(_ value: Value, _ packer: Packer = .init()) throws(TranscodingError) -> [UInt8] {
  try packer.pack(value)
}

func written(_ value: Value) -> [UInt8] {
  guard let bytes = try? Packer(limits: .init(depth: .max), allowsAnyKeys: true).pack(value) else {
    preconditionFailure("only a value that is too deep cannot be packed")
  }
  return bytes
}

func hex(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func bytes(_ hex: String) -> [UInt8] {
  let digits = hex.utf8.filter { $0 != UInt8(ascii: " ") }.map { UInt8($0 < 58 ? $0 - 48 : $0 - 87) }
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
