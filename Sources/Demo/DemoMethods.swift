import MessagePack
import ZeroMQRPC

extension Methods {
  /// The `calc` service: sums, a slow method, one that fails, one that answers what it is given.
  static var calc: Methods {
    var methods = Methods()
    methods.add("add", "a", "b") { (a: Number, b: Number) in
      guard case .integer(let a) = a, case .integer(let b) = b else { return Number.float(a.float + b.float) }
      let (sum, overflow) = a.addingReportingOverflow(b)
      guard !overflow else {
        throw RemoteException("builtins.OverflowError", [.string("the sum is beyond 64 bits")])
      }
      return .integer(sum)
    }
    methods.add("div", "a", "b") { (a: Number, b: Number) in
      guard b.float != 0 else { throw RemoteException("builtins.ZeroDivisionError", [.string("division by zero")]) }
      return a.float / b.float
    }
    methods.add("slow", Parameter("seconds", default: 1)) { (seconds: Double) in
      guard (0...3_600).contains(seconds) else { throw RemoteException.value("seconds must be 0 to 3600") }
      try await Task.sleep(for: .seconds(seconds))
      return "done after \(seconds) s"
    }
    methods.add("fail", Parameter("message", default: "it failed, as asked")) { (message: String) in
      throw RemoteException.value(message)
    }
    methods.add("echo", Parameter(rest: "values")) { (values: [Value]) in values.count == 1 ? values[0] : .array(values)
    }
    for (name, text) in [
      ("add", "The sum of two numbers: of integers an integer."), ("div", "One number divided by another."),
      ("slow", "Answers after so many seconds."), ("fail", "Raises a ValueError with that message."),
      ("echo", "Answers with what it is given; an array, unless it is one value."),
    ] { methods.describe(name, text) }
    return methods
  }

  /// The `jobs` service: each job ends by telling what it was given.
  static func jobs(_ done: @escaping @Sendable ([Value]) async -> Void) -> Methods {
    var methods = Methods()
    for job in ["resize", "email"] {
      methods.add(job, Parameter(rest: "arguments")) { (arguments: [Value]) in await done([.string(job)] + arguments) }
    }
    return methods
  }
}

/// A number as Python has it: an integer or a float, and it stays what it is.
private enum Number: ValueConvertible {
  case integer(Int64)
  case float(Double)

  init(converting value: Value) throws(ConversionError) {
    if case .int(let integer) = value { self = .integer(integer) } else { self = .float(try Double(converting: value)) }
  }

  func asValue() -> Value {
    switch self {
    case .integer(let integer): .int(integer)
    case .float(let float): .double(float)
    }
  }

  var float: Double {
    switch self {
    case .integer(let integer): Double(integer)
    case .float(let float): float
    }
  }
}
