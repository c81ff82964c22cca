import LibFuzzer
import MessagePack

@testable import ZeroMQRPC

/// A header and a body, the former with its length in a byte before it: an exception that is read is written as the same, and its
/// arguments can be told.
private func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let all = UnsafeRawBufferPointer(start: data, count: count)
  let length = min(Int(all.first ?? 0), max(0, count - 1))
  _ = CallHeader.readReply(UnsafeRawBufferPointer(rebasing: all.dropFirst().prefix(length)))
  let body = UnsafeRawBufferPointer(rebasing: all.dropFirst(1 + length))
  guard let error = try? RemoteException(body) else { return 0 }
  _ = (error.args, error.firstArgument, error.innerArgument, error.isA("LookupError"), error.description)
  precondition(error.body.withUnsafeBytes { (try? RemoteException($0)) == error })
  return 0
}

/// The package manager has the program begin here, where libFuzzer would have its own `main`.
@_cdecl("fuzz_reply_main")
public func run(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  runFuzzer(count, arguments, fuzz)
}
