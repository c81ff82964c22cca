import Gateway
import LibFuzzer

/// A text is a configuration, or has faults that are told in words, each with its place.
private func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let text = String(decoding: UnsafeRawBufferPointer(start: data, count: count), as: UTF8.self)
  do {
    // The files that it names are not there.
    _ = try Configuration.load(yaml: text, file: "/nonexistent/gateway.yaml", environment: ["NAME": "value"])
  } catch {
    precondition(!error.problems.isEmpty && error.problems.allSatisfy { !"\($0)".isEmpty })
  }
  return 0
}

/// The package manager has the program begin here, where libFuzzer would have its own `main`.
@_cdecl("fuzz_configuration_main")
public func run(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  runFuzzer(count, arguments, fuzz)
}
