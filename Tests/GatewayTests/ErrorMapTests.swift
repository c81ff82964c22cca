import Support
import Testing

@testable import Gateway

@Suite("A remote exception", .inTurn(minutes: 3))
struct ErrorMapTests {
  static let generic = "aiozmq.rpc.base.GenericError"
  static let notFound = "aiozmq.rpc.base.NotFoundError"

  /// The table of the contract, for names whose status does not depend on their arguments.
  static let contract: [(String, Int)] = [
    ("aiozmq.rpc.base.ServiceClosedError", 502), ("builtins.ValueError", 400), ("builtins.UnicodeError", 400),
    ("builtins.UnicodeEncodeError", 400), ("builtins.UnicodeDecodeError", 400), ("builtins.UnicodeTranslateError", 400),
    ("builtins.IndexError", 400), ("builtins.OverflowError", 400), ("json.decoder.JSONDecodeError", 400),
    ("builtins.KeyError", 404), ("builtins.LookupError", 404), ("builtins.FileNotFoundError", 404),
    ("builtins.NotADirectoryError", 404), ("builtins.IsADirectoryError", 404), ("builtins.FileExistsError", 409),
    ("builtins.PermissionError", 403), ("builtins.TimeoutError", 504), ("asyncio.TimeoutError", 504),
    ("asyncio.exceptions.TimeoutError", 504), ("concurrent.futures._base.TimeoutError", 504), ("socket.timeout", 504),
    ("builtins.NotImplementedError", 501), ("builtins.ConnectionError", 502), ("builtins.ConnectionResetError", 502),
    ("builtins.ConnectionRefusedError", 502), ("builtins.ConnectionAbortedError", 502),
    ("builtins.BrokenPipeError", 502), ("builtins.EOFError", 502), ("asyncio.queues.QueueFull", 503),
    ("builtins.BlockingIOError", 503), ("builtins.TypeError", 500), ("builtins.AttributeError", 500),
    ("builtins.RuntimeError", 500), ("builtins.MemoryError", 500),
  ]

  @Test("has the status of the contract", arguments: contract)
  func table(name: String, status: Int) {
    let verdict = ErrorMap().verdict(for: name, firstArgument: "x", calling: "add")
    #expect(verdict == .init(status))
    #expect(verdict.code == .remoteException)
    #expect(verdict.retryAfter == (status == 503 ? 1 : nil))
  }

  @Test("inside a GenericError has the same status", arguments: contract)
  func inner(name: String, status: Int) {
    let map = ErrorMap()
    #expect(map.verdict(for: Self.generic, firstArgument: name, calling: "add") == .init(status))
    let twice = map.verdict(for: Self.generic, firstArgument: Self.generic, innerArgument: name, calling: "add")
    #expect(twice == .init(status))
  }

  @Test(
    "of a class nobody knows is a 500",
    arguments: ["ValueError", "myapp.errors.Conflict", "", "builtins.", "builtins.OSError"])
  func unknown(name: String) {
    #expect(ErrorMap().verdict(for: name, firstArgument: nil, calling: "add") == .init(500))
  }

  @Test("for wrong parameters is an invalid argument", arguments: ["ParametersError", "ParameterError"])
  func parameters(name: String) {
    let verdict = ErrorMap().verdict(for: "aiozmq.rpc.base.\(name)", firstArgument: "add", calling: "add")
    #expect(verdict == .init(400, .invalidArgument))
  }

  @Test("for a method not found is a 404 only if it is the method that was called")
  func notFound() {
    let map = ErrorMap()
    #expect(map.verdict(for: Self.notFound, firstArgument: "add", calling: "add") == .init(404, .noSuchMethod))
    for argument in ["sub", "", nil] {
      #expect(map.verdict(for: Self.notFound, firstArgument: argument, calling: "add") == .init(502, .nestedCall))
    }
    let nested = map.verdict(for: Self.generic, firstArgument: Self.notFound, innerArgument: "add", calling: "add")
    #expect(nested == .init(502, .nestedCall))
  }

  @Test("inside a GenericError that nobody knows is a nested call", arguments: ["myapp.Error", "", nil, "ValueError"])
  func unknownInner(name: String?) {
    #expect(ErrorMap().verdict(for: Self.generic, firstArgument: name, calling: "add") == .init(502, .nestedCall))
    let twice = ErrorMap().verdict(for: Self.generic, firstArgument: Self.generic, innerArgument: name, calling: "add")
    #expect(twice == .init(502, .nestedCall))
  }

  @Test("is overridden by exact name, then by class, then by the longest glob")
  func override() {
    func status(_ map: [String: Int], _ name: String = "myapp.errors.Conflict") -> Int {
      ErrorMap(map).verdict(for: name, firstArgument: nil, calling: "add").status
    }
    #expect(status(["myapp.errors.Conflict": 409, "Conflict": 410, "*": 411]) == 409)
    #expect(status(["Conflict": 410, "myapp.errors.*": 411]) == 410)
    #expect(status(["*": 411, "myapp.*": 412, "myapp.errors.*": 413]) == 413)
    #expect(status(["myapp.*a": 411, "*": 412]) == 412)
    #expect(status(["myapp.*.Con?lict": 411, "myapp.errors.Con*": 412]) == 412)
    #expect(status(["m*.errors.Conflict": 411, "*yapp.errors.Conflict": 412]) == 412)
    #expect(status(["*b": 411, "a*": 412], "ab") == 411)
    #expect(status(["errors.Conflict": 411, "conflict": 412]) == 500)
    #expect(status(["NestedError": 411], "__main__.Outer.NestedError") == 411)
    #expect(status(["KeyError": 500], "builtins.KeyError") == 500)
    #expect(status(["KeyError": 500], "KeyError") == 500)
  }

  @Test("is overridden by the service before the gateway, even by a glob")
  func layers() {
    let map = ErrorMap(["builtins.*": 418], ["builtins.KeyError": 410, "builtins.ValueError": 411, "Mine": 412])
    #expect(map.verdict(for: "builtins.KeyError", firstArgument: nil, calling: "add").status == 418)
    #expect(map.verdict(for: "a.Mine", firstArgument: nil, calling: "add").status == 412)
  }

  @Test("keeps its code when only the status is overridden, and asks to come back for 503 and 429")
  func codes() {
    let map = ErrorMap(["NotFoundError": 410, "ParametersError": 422, "Busy": 503, "Often": 429, "Mine": 409])
    #expect(map.verdict(for: Self.notFound, firstArgument: "add", calling: "add") == .init(410, .noSuchMethod))
    #expect(
      map.verdict(for: "aiozmq.rpc.base.ParametersError", firstArgument: nil, calling: "add")
        == .init(422, .invalidArgument))
    #expect(map.verdict(for: "a.Busy", firstArgument: nil, calling: "add").retryAfter == 1)
    #expect(map.verdict(for: "a.Often", firstArgument: nil, calling: "add").retryAfter == 1)
    #expect(map.verdict(for: Self.generic, firstArgument: "a.Mine", calling: "add") == .init(409))
    let outer = ErrorMap(["GenericError": 418])
    #expect(outer.verdict(for: Self.generic, firstArgument: "a.Mine", calling: "add") == .init(418))
  }
}
