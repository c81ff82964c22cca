/// From the class of a remote exception to the status it is answered with.
struct ErrorMap: Sendable {
  /// How a remote exception is answered.
  struct Verdict: Hashable, Sendable {
    let status: Int
    let code: ProblemCode
    /// Seconds, for statuses that ask to come back later.
    let retryAfter: Int?

    init(_ status: Int, _ code: ProblemCode = .remoteException) {
      self.status = status
      self.code = code
      retryAfter = status == 503 || status == 429 ? 1 : nil
    }
  }

  private let layers: [Layer]

  /// Overrides by exact dotted name, bare class name or glob; an earlier layer beats a later one.
  ///
  /// Within a layer exact names come before bare ones, those before globs, and a longer glob before a shorter.
  init(_ layers: [String: Int]...) { self.layers = layers.filter { !$0.isEmpty }.map(Layer.init) }

  /// A map of these overrides and, where they say nothing, of those of another one.
  func before(_ other: ErrorMap) -> ErrorMap { layers.isEmpty ? other : ErrorMap(layers + other.layers) }

  private init(_ layers: [Layer]) { self.layers = layers }

  /// Looks up an exception by its name on the wire.
  ///
  /// - Parameters:
  ///   - name: the dotted name, such as `builtins.ValueError`.
  ///   - firstArgument: the first argument if it is a string: for `NotFoundError` the method that was not found, for
  ///     `GenericError` the class of the exception inside.
  ///   - innerArgument: for `GenericError`, the first argument of the exception inside.
  ///   - method: the method that was called.
  func verdict(
    for name: String, firstArgument: String?, innerArgument: String? = nil, calling method: String
  ) -> Verdict {
    guard name == Self.generic else {
      let isCalled = firstArgument == method
      let verdict = Self.verdict(for: name, namesCalledMethod: isCalled)
      return overriding(name).map { Verdict($0, verdict.code) } ?? verdict
    }
    // A relayed GenericError arrives inside another one: its class is then one level further in.
    let inner = (firstArgument == Self.generic ? innerArgument : firstArgument) ?? ""
    if let status = overriding(inner) ?? overriding(name) { return Verdict(status) }
    // The called method exists, or there were no exception inside: what was not found is another.
    return Self.table[inner] == nil ? Verdict(502, .nestedCall) : Self.verdict(for: inner, namesCalledMethod: false)
  }

  private func overriding(_ name: String) -> Int? {
    for layer in layers {
      if let status = layer.status(for: name) { return status }
    }
    return nil
  }

  private static func verdict(for name: String, namesCalledMethod: Bool) -> Verdict {
    if name == notFound { return namesCalledMethod ? Verdict(404, .noSuchMethod) : Verdict(502, .nestedCall) }
    return table[name] ?? Verdict(500)
  }
}

extension ErrorMap {
  private struct Layer: Sendable {
    private var exact: [String: Int] = [:]
    private var globs: [(glob: Glob, status: Int)] = []

    init(_ map: [String: Int]) {
      exact = map.filter { !Glob.isGlob($0.key) }
      let patterns = map.filter { exact[$0.key] == nil }
      let order = patterns.sorted { (-$0.key.utf8.count, $0.key) < (-$1.key.utf8.count, $1.key) }
      globs = order.map { (Glob($0.key), $0.value) }
    }

    func status(for name: String) -> Int? {
      if let status = exact[name] { return status }
      if let dot = name.lastIndex(of: "."), let status = exact[String(name[name.index(after: dot)...])] {
        return status
      }
      return globs.first { $0.glob.matches(name.utf8.span) }?.status
    }
  }

  static let generic = "aiozmq.rpc.base.GenericError"
  static let notFound = "aiozmq.rpc.base.NotFoundError"

  /// The classes whose status does not depend on their arguments; all others are 500.
  static let table: [String: Verdict] = {
    var table: [String: Verdict] = [
      "aiozmq.rpc.base.ParametersError": Verdict(400, .invalidArgument),
      "aiozmq.rpc.base.ParameterError": Verdict(400, .invalidArgument),
      "aiozmq.rpc.base.ServiceClosedError": Verdict(502),
      "json.decoder.JSONDecodeError": Verdict(400),
      "asyncio.TimeoutError": Verdict(504),
      "asyncio.exceptions.TimeoutError": Verdict(504),
      "concurrent.futures._base.TimeoutError": Verdict(504),
      "socket.timeout": Verdict(504),
      "asyncio.queues.QueueFull": Verdict(503),
      // Only to be known inside a GenericError; its verdict depends on the argument.
      notFound: Verdict(502, .nestedCall),
    ]
    let builtins: [Int: [String]] = [
      400: [
        "ValueError", "UnicodeError", "UnicodeEncodeError", "UnicodeDecodeError", "UnicodeTranslateError", "IndexError",
        "OverflowError",
      ],
      403: ["PermissionError"],
      404: ["KeyError", "LookupError", "FileNotFoundError", "NotADirectoryError", "IsADirectoryError"],
      409: ["FileExistsError"],
      500: ["TypeError", "AttributeError", "RuntimeError", "MemoryError"],
      501: ["NotImplementedError"],
      502: [
        "ConnectionError", "ConnectionResetError", "ConnectionRefusedError", "ConnectionAbortedError",
        "BrokenPipeError", "EOFError",
      ],
      503: ["BlockingIOError"],
      504: ["TimeoutError"],
    ]
    for (status, names) in builtins {
      for name in names { table["builtins.\(name)"] = Verdict(status) }
    }
    return table
  }()
}
