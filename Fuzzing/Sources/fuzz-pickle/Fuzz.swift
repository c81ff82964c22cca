import LibFuzzer
import MessagePack

/// A payload of Python's under each code is one value, which is written and read as the same, or none.
private func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let payload = Array(UnsafeBufferPointer(start: data, count: count))
  let found = [
    check(PythonTimeZone.self, 123, payload), check(PythonTimeDelta.self, 124, payload),
    check(PythonTime.self, 125, payload), check(PythonDateTime.self, 126, payload),
    check(PythonDate.self, 127, payload),
  ]
  precondition(found.count { $0 } <= 1)
  return 0
}

private func check<Date: ValueConvertible & Hashable & CustomStringConvertible>(
  _ type: Date.Type, _ code: Int8, _ payload: [UInt8]
) -> Bool {
  guard let date = try? Date(converting: .ext(code, payload)) else { return false }
  precondition(!date.description.isEmpty)
  guard let value = try? date.asValue(), let again = try? Date(converting: value) else {
    // To end is how a fuzzer tells of a fault.
    fatalError("\(date) is not written, or not read again")
  }
  precondition(again == date)
  return true
}

/// The package manager has the program begin here, where libFuzzer would have its own `main`.
@_cdecl("fuzz_pickle_main")
public func run(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  runFuzzer(count, arguments, fuzz)
}
