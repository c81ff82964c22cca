import Foundation
import MessagePack
import Reactor

@testable import ZeroMQRPC

/// What `peer_server.py` offers, in Swift: the same names, parameters, results and exceptions.
enum PeerMethods {
  static var all: Methods {
    var peer = Methods()
    peer.add("ping") { "pong" }
    peer.add("none") {}
    peer.add("add", "a", Parameter("b", default: 2)) { (a: Value, b: Value) in try a + b }
    peer.add("echo", "x") { (x: Value) in x }
    peer.add("echo_call", Parameter(rest: "args"), Parameter(keywords: "kwargs")) {
      (args: [Value], kwargs: [String: Value]) in
      Value.array([.array(args), .map(kwargs.map { .init(.string($0.key), $0.value) })])
    }
    peer.add("keyword_only", "a", Parameter(keyword: "b")) { (a: Value, b: Value) in [a, b] }
    peer.add("_private") { "a marked private method is callable" }
    peer.add("slow", "seconds", Parameter("result", default: "done")) { (seconds: Double, result: Value) in
      try await Task.sleep(for: .seconds(seconds))
      return result
    }
    peer.add("block", "seconds") { (seconds: Double) in
      usleep(UInt32(min(seconds, 5) * 1_000_000))
      return "unblocked"
    }
    peer.add("ints") {
      [0, 127, 128, .int(1 << 32), .int(1 << 53), Value.int(.max), .uint(.max), -1, -32, -33, .int(.min)]
    }
    peer.add("floats") {
      [0.0, -0.0, 1.0, 1.5, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, Double.greatestFiniteMagnitude]
    }
    peer.add("strings") { ["", "ascii", "h\u{e9}llo", "\u{4e16}\u{754c}", "\u{1f600}", "nul\0byte", "\u{2028}"] }
    peer.add("large", "n") { (n: Int) in (0..<min(n, 256 << 20)).map { UInt8($0 % 251) } }
    peer.add("large_list", "n") { (n: Int) in Array(0..<min(n, 1_000_000)) }
    peer.add("size", "x") { (x: Value) in try x.length }
    peer.add("deep", "n") { (n: Int) in (0..<min(n, 1_100)).reduce("bottom") { inner, _ in .array([inner]) } as Value }
    peer.add("depth", "x") { (x: Value) in
      var (x, depth) = (x, 0)
      while let inner = x[0], x.arrayValue?.count == 1 { (x, depth) = (inner, depth + 1) }
      return depth
    }
    peer.add("reverse", "b") { (b: [UInt8]) in Array(b.reversed()) }
    addErrors(to: &peer)
    peer["math"] = math
    peer["exc"] = Exceptions()
    peer["validated"] = validated
    peer["dyn"] = Dynamic()
    let inner: [String: any Handler] = ["b": Method { "b" }]
    peer["table"] = ["a": Method { "a" }, "subnamespace": inner] as [String: any Handler]
    peer["point"] = points
    peer["dates"] = PeerDates.methods
    peer["danger"] = danger
    var typed = Methods()
    typed.add("add", "a", "b") { (a: Value, b: Value) in try a + b }
    peer["typed"] = typed
    addDescriptions(to: &peer)
    return peer
  }

  private static func addDescriptions(to peer: inout Methods) {
    peer.add("describe", "x") { (x: Value) -> Value in
      ["type": "builtins.\(x.pythonType)", "repr": .string(x.pythonRepr)]
    }
    peer.add("builtin_exceptions") { builtins.split(separator: " ").map(String.init) }
    peer.add("stats") { ["pid": Int(getpid())] }
    let names = peer.names + ["exc.<BuiltinException>", "methods"]
    peer.add("methods") { names.sorted() }
  }

  /// Those of Python 3.11.
  private static let builtins =
    "ArithmeticError AssertionError AttributeError BlockingIOError BrokenPipeError BufferError BytesWarning "
    + "ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError "
    + "DeprecationWarning EOFError EncodingWarning EnvironmentError Exception ExceptionGroup FileExistsError "
    + "FileNotFoundError FloatingPointError FutureWarning IOError ImportError ImportWarning IndentationError "
    + "IndexError InterruptedError IsADirectoryError KeyError LookupError MemoryError ModuleNotFoundError "
    + "NameError NotADirectoryError NotImplementedError OSError OverflowError PendingDeprecationWarning "
    + "PermissionError ProcessLookupError RecursionError ReferenceError ResourceWarning RuntimeError "
    + "RuntimeWarning StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError TabError "
    + "TimeoutError TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError "
    + "UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning ZeroDivisionError"

  /// What silences a Python service, or its client.
  private static var danger: Methods {
    var danger = Methods()
    danger.add("unpackable_error") { throw RemoteException("peer.CustomError", [.map([.init(1, 2)])]) }
    danger.add("cancelled") { () async throws -> Void in throw CancellationError() }
    danger.add("int_keys") { Value.map([.init(1, "one"), .init(2, "two")]) }
    danger.add("surrogate") {
      throw RemoteException("builtins.UnicodeEncodeError", ["utf-8", "?", 0, 1, "surrogates not allowed"])
    }
    return danger
  }

  private static func addErrors(to peer: inout Methods) {
    peer.add("raise_builtin", "name", Parameter(rest: "args")) { (name: String, args: [Value]) in
      guard name != "StopIteration" else { throw RemoteException("builtins.ValueError", ["refused", .string(name)]) }
      throw RemoteException("builtins.\(name)", args)
    }
    peer.add("custom_error", Parameter(rest: "args")) { (args: [Value]) in
      throw RemoteException("peer.CustomError", args)
    }
    peer.add("untranslated_error", Parameter(rest: "args")) { (args: [Value]) in
      throw RemoteException("peer.Unlisted", args)
    }
    // What no value of Swift can be is refused in Python's words.
    peer.add("unpackable_result", Parameter("kind", default: "set")) { (kind: String) throws -> Void in
      let texts = [
        "set": "{1, 2}", "big": "18446744073709551616", "negative_big": "-9223372036854775809",
        "object": "<Unpackable>", "complex": "(1+2j)",
      ]
      guard let text = texts[kind] else { throw RemoteException.key(.string(kind)) }
      throw RemoteException.type("Unknown type: \(text)")
    }
  }

  private static var math: Methods {
    var math = Methods()
    math.add("add", "a", "b") { (a: Value, b: Value) in try a + b }
    math.add("sub", "a", "b") { (a: Int, b: Int) in a - b }
    math.add("mul", "a", "b") { (a: Int, b: Int) in a * b }
    math.add("div", "a", "b") { (a: Double, b: Double) in
      guard b != 0 else { throw RemoteException("builtins.ZeroDivisionError", ["division by zero"]) }
      return a / b
    }
    math.add("divmod", "a", "b") { (a: Int, b: Int) in
      let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
      return rest != 0 && (rest < 0) != (b < 0) ? [quotient - 1, rest + b] : [quotient, rest]
    }
    math.add("total", Parameter(rest: "values"), Parameter(keyword: "start", default: 0)) {
      (values: [Int], start: Int) in
      values.reduce(start, +)
    }
    math["deep"] = deep("deep", 1)
    return math
  }

  private static func deep(_ name: String, _ level: Int) -> Methods {
    var deep = Methods()
    deep.add("where") { name }
    if level < 4 { deep["deeper"] = self.deep("\(name).deeper", level + 1) }
    return deep
  }

  private static var validated: Methods {
    let int = Conversion<Int> { value in
      switch value {
      case .int(let number): return Int(number)
      case .double(let number): return Int(number)
      case .string(let text):
        guard let number = Int(text) else {
          throw RemoteException.value("invalid literal for int() with base 10: '\(text)'")
        }
        return number
      default:
        throw RemoteException.type(
          "int() argument must be a string, a bytes-like object or a real number, not 'NoneType'")
      }
    }
    var validated = Methods()
    validated.add("add", Parameter("a", int), Parameter("b", int)) { (a: Int, b: Int) in a + b }
    validated.add(
      "default", Parameter("a", default: "untouched" as Value, int.map { Value.int(Int64($0)) })
    ) { (a: Value) in a }
    validated.add(
      "optional",
      Parameter(
        "a",
        Conversion<Value> { value in
          guard value.isNil || value.intValue != nil else { throw RemoteException.value("bad value") }
          return value
        })
    ) { (a: Value) in a }
    return validated
  }

  private static var points: Methods {
    var points = Methods()
    points.add("make", "x", "y") { (x: Int, y: Int) in Point(x: x, y: y) }
    points.add("swap", "p") { (p: Point) in Point(x: p.y, y: p.x) }
    points.add("total", Parameter(rest: "points")) { (points: [Point]) in points.reduce(0) { $0 + $1.x + $1.y } }
    return points
  }
}

/// `exc.<Name>(*args)`: every builtin exception, by name.
private struct Exceptions: Handler {
  func lookup(_ name: String) -> (any Handler)? {
    Method(Parameter(rest: "args")) { (args: [Value]) async throws -> Void in
      throw RemoteException("builtins.\(name)", args)
    }
  }
}

/// Makes up a namespace for any name.
private struct Dynamic: Handler {
  var namespace: [String] = []

  func lookup(_ name: String) -> (any Handler)? {
    guard name == "func" else { return Dynamic(namespace: namespace + [name]) }
    let namespace = namespace
    return Method { Value.array([.array(namespace.map { .string($0) }), "val"]) }
  }
}

/// The class behind the code 0 of the Python peer's translators.
private struct Point: ValueConvertible {
  let x: Int
  let y: Int

  init(x: Int, y: Int) { (self.x, self.y) = (x, y) }

  init(converting value: Value) throws(ConversionError) {
    guard case .ext(0, let bytes) = value, let parts = try? Unpacker().unpack(bytes), let x = parts[0]?.intValue,
      let y = parts[1]?.intValue
    else { throw ConversionError(code: .type, message: "a point is needed") }
    self.init(x: x, y: y)
  }

  func asValue() throws(ConversionError) -> Value {
    do throws(TranscodingError) {
      return .ext(0, try Packer().pack([.int(Int64(x)), .int(Int64(y))]))
    } catch {
      throw ConversionError(code: .value, message: error.message)
    }
  }
}

extension Value {
  /// As Python adds.
  fileprivate static func + (a: Value, b: Value) throws -> Value {
    switch (a, b) {
    case (.int(let a), .int(let b)): return .int(a + b)
    case (.string(let a), .string(let b)): return .string(a + b)
    case (.array(let a), .array(let b)): return .array(a + b)
    default:
      guard let first = a.doubleValue, let second = b.doubleValue else {
        throw RemoteException.type("unsupported operand type(s) for +: '\(a.pythonType)' and '\(b.pythonType)'")
      }
      return .double(first + second)
    }
  }

  fileprivate var length: Int {
    get throws {
      switch self {
      case .string(let text): return text.unicodeScalars.count
      case .binary(let bytes): return bytes.count
      case .array(let members): return members.count
      case .map(let pairs): return pairs.count
      default: throw RemoteException.type("object of type '\(pythonType)' has no len()")
      }
    }
  }
}
