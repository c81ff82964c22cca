/// Python's exceptions: which class is one of which others.
enum PythonClasses {
  /// Where short names are looked for, in this order.
  private static let modules = ["builtins.", "aiozmq.rpc.base."]

  /// Whether a class is the other one, or one of its subclasses. The first name is as it came: one without a module is no class of
  /// Python's, for those come with theirs. The other one may be short if it is one of Python's own or of aiozmq's.
  static func isSubclass(_ name: String, of other: String) -> Bool {
    let fullOther = fullName(other)
    // What nobody knows here is an exception all the same: else it could not have come.
    var class_: String? = aliases[name] ?? name
    while let current = class_ {
      if current == other || current == fullOther
        || (mixed[current] ?? []).contains(where: { isSubclass($0, of: other) })
      {
        return true
      }
      class_ = current == root ? nil : parents[current] ?? exception
    }
    return false
  }

  private static let exception = "builtins.Exception"
  private static let root = "builtins.BaseException"

  private static func fullName(_ name: String) -> String {
    guard !name.contains(".") else { return aliases[name] ?? name }
    let known = modules.lazy.map { $0 + name }.first { parents[$0] != nil || $0 == root || aliases[$0] != nil }
    return known.map { aliases[$0] ?? $0 } ?? name
  }

  /// Other names of a class.
  private static let aliases = [
    "builtins.IOError": "builtins.OSError", "builtins.EnvironmentError": "builtins.OSError",
  ]

  /// A second class that some are made from.
  private static let mixed = [
    "builtins.ExceptionGroup": [exception], "aiozmq.rpc.base.NotFoundError": ["builtins.LookupError"],
    "aiozmq.rpc.base.ParametersError": ["builtins.ValueError"],
  ]

  /// The class that each is made from: those of Python 3.8 to 3.14, and aiozmq's.
  private static let parents: [String: String] = {
    let children = [
      "BaseException": "BaseExceptionGroup Exception GeneratorExit KeyboardInterrupt SystemExit",
      "BaseExceptionGroup": "ExceptionGroup",
      "Exception":
        "ArithmeticError AssertionError AttributeError BufferError EOFError ImportError LookupError MemoryError NameError OSError"
        + " ReferenceError RuntimeError StopAsyncIteration StopIteration SyntaxError SystemError TypeError ValueError Warning",
      "ArithmeticError": "FloatingPointError OverflowError ZeroDivisionError",
      "ImportError": "ModuleNotFoundError",
      "LookupError": "IndexError KeyError",
      "NameError": "UnboundLocalError",
      "OSError":
        "BlockingIOError ChildProcessError ConnectionError FileExistsError FileNotFoundError InterruptedError IsADirectoryError"
        + " NotADirectoryError PermissionError ProcessLookupError TimeoutError",
      "ConnectionError": "BrokenPipeError ConnectionAbortedError ConnectionRefusedError ConnectionResetError",
      "RuntimeError": "NotImplementedError PythonFinalizationError RecursionError",
      "SyntaxError": "IndentationError _IncompleteInputError",
      "IndentationError": "TabError",
      "ValueError": "UnicodeError",
      "UnicodeError": "UnicodeDecodeError UnicodeEncodeError UnicodeTranslateError",
      "Warning":
        "BytesWarning DeprecationWarning EncodingWarning FutureWarning ImportWarning PendingDeprecationWarning ResourceWarning"
        + " RuntimeWarning SyntaxWarning UnicodeWarning UserWarning",
    ]
    var parents: [String: String] = [:]
    for (parent, names) in children {
      for name in names.split(separator: " ") { parents["builtins.\(name)"] = "builtins.\(parent)" }
    }
    let base = "aiozmq.rpc.base."
    parents[base + "Error"] = exception
    for name in ["GenericError", "NotFoundError", "ParametersError", "ServiceClosedError"] {
      parents[base + name] = base + "Error"
    }
    return parents
  }()
}
