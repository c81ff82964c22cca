/// The inproc endpoints that a socket is connected to. A value without I/O.
///
/// libzmq reports nothing of them, so each counts as connected from `add` to `remove`; that it is, is told once, in the turn that
/// follows.
struct InprocConnections {
  /// In the order in which they were added, which is also the order in which they are told.
  private var endpoints: [Endpoint] = []
  /// How many of the last ones are not told yet.
  private(set) var untold = 0

  var count: Int { endpoints.count }

  mutating func add(_ endpoint: Endpoint) {
    endpoints.append(endpoint)
    untold += 1
  }

  /// The first connection to the endpoint; nil when there is none.
  func index(of endpoint: Endpoint) -> Int? { endpoints.firstIndex(of: endpoint) }

  /// Takes one away; true when it had been told, so that its end has to be told too.
  mutating func remove(at index: Int) -> Bool {
    let wasTold = index < endpoints.count - untold
    endpoints.remove(at: index)
    if !wasTold { untold -= 1 }
    return wasTold
  }

  /// The next one is told. Only while some are untold.
  mutating func tellNext() { untold -= 1 }
}
