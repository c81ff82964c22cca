import LibFuzzer
import MessagePack

@testable import ZeroMQRPC

private let methods = [
  Method("a", Parameter("b", default: 2)) { (a: Int, b: Int) in a + b },
  Method("x", Parameter(rest: "args"), Parameter(keywords: "kwargs")) {
    (x: String?, args: [Value], kwargs: [String: Value]) in Value.array(args)
  },
]

/// A header, arguments and keywords, one behind the other, each with its length in a byte before it: they are bound to parameters and
/// answered, or refused in words that can be sent.
private func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var rest = UnsafeRawBufferPointer(start: data, count: count)[...]
  func frame() -> [UInt8] {
    let length = min(Int(rest.popFirst() ?? 0), rest.count)
    defer { rest = rest.dropFirst(length) }
    return Array(rest.prefix(length))
  }
  _ = frame().withUnsafeBytes { CallHeader.readRequest($0) }
  let unpacker = Unpacker(limits: .init(depth: 100, elements: 10_000))
  guard let positional = try? unpacker.unpack(frame()), let keywords = try? unpacker.unpack(Array(rest)) else {
    return 0
  }
  for method in methods {
    do {
      _ = try method.signature.bind(positional, keywords)
    } catch {
      precondition(error.body.withUnsafeBytes { (try? RemoteException($0)) == error })
    }
  }
  return 0
}

/// The package manager has the program begin here, where libFuzzer would have its own `main`.
@_cdecl("fuzz_request_main")
public func run(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  runFuzzer(count, arguments, fuzz)
}
