import MessagePack
import ZeroMQRPC

extension MethodTable {
  /// The `calc` service: sums, a slow method, one that fails, one that answers what it is given.
  static var calc: MethodTable {
    var methods = MethodTable()
    methods.add("add", ["a", "b"]) { arguments in
      if case .int(let a) = arguments["a"], case .int(let b) = arguments["b"] {
        let (sum, overflow) = a.addingReportingOverflow(b)
        guard !overflow else {
          throw RemoteException("builtins.OverflowError", [.string("the sum is beyond 64 bits")])
        }
        return .int(sum)
      }
      return .double(try arguments.number("a") + arguments.number("b"))
    }
    methods.add("div", ["a", "b"]) { arguments in
      let divisor = try arguments.number("b")
      guard divisor != 0 else { throw RemoteException("builtins.ZeroDivisionError", [.string("division by zero")]) }
      return .double(try arguments.number("a") / divisor)
    }
    methods.add("slow", .init([.init("seconds", default: .int(1))], rest: false)) { arguments in
      let seconds = try arguments.number("seconds")
      guard (0...3_600).contains(seconds) else { throw RemoteException.value("seconds must be 0 to 3600") }
      try await Task.sleep(for: .seconds(seconds))
      return .string("done after \(seconds) s")
    }
    methods.add("fail", .init([.init("message", default: "it failed, as asked")], rest: false)) { arguments in
      guard case .string(let message) = arguments["message"] else {
        throw RemoteException.type("message must be a text")
      }
      throw RemoteException.value(message)
    }
    methods.add("echo", .any) { arguments in
      arguments.rest.count == 1 ? arguments.rest[0] : .array(arguments.rest)
    }
    return methods
  }

  /// The `jobs` service: each job ends by telling what it was given.
  static func jobs(_ done: @escaping @Sendable ([Value]) async -> Void) -> MethodTable {
    var methods = MethodTable()
    for job in ["resize", "email"] {
      methods.add(job, .any) { arguments in
        await done([.string(job)] + arguments.rest)
        return .nil
      }
    }
    return methods
  }
}
