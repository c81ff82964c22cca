import LibFuzzer
import MessagePack

/// What is read can be written, and is then read as the same.
private func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let limits = TranscodingLimits(depth: 100, elements: 10_000)
  let unpacker = Unpacker(limits: limits)
  guard let value = try? unpacker.unpack(UnsafeRawBufferPointer(start: data, count: count)) else { return 0 }
  let packer = Packer(limits: limits, allowsAnyKeys: true)
  // To end is how a fuzzer tells of a fault.
  guard let packed = try? packer.pack(value), let again = try? unpacker.unpack(packed),
    let repacked = try? packer.pack(again)
  else { fatalError("what was read is not written, or not read again") }
  precondition(packed == repacked)
  return 0
}

/// The package manager has the program begin here, where libFuzzer would have its own `main`.
@_cdecl("fuzz_messagepack_main")
public func run(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  runFuzzer(count, arguments, fuzz)
}
