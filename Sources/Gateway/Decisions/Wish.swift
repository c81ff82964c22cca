/// What somebody wants to do, by the names that are said, whether there is such a thing or not.
enum Wish: Hashable {
  /// To call a method.
  case call(String, of: String)
  /// To hand a call without a reply to a worker.
  case push(String, of: String)
  /// To publish an event on a topic.
  case publish(String, on: [UInt8], of: String)
  /// To see the events of topics; none: of all that may be seen.
  case subscribe([[UInt8]], of: String)

  /// The service.
  var service: String {
    switch self {
    case .call(_, let service), .push(_, let service), .publish(_, _, let service), .subscribe(_, let service): service
    }
  }

  /// More topics than that are in no question; their bytes are bounded by the target, or the body, that names them.
  static let mostTopics = 1_000

  /// Whether nothing of such a name can be anywhere, or more topics are named than any question has: nobody is asked of it.
  var isOutOfQuestion: Bool {
    guard NameRules.isService(service.utf8.span) else { return true }
    switch self {
    case .call(let method, _), .push(let method, _), .publish(let method, _, _): return MethodName(method) == nil
    case .subscribe(let topics, _): return topics.count > Self.mostTopics
    }
  }

  /// Whether the rules allow it; which topics may be subscribed to they say elsewhere.
  func isAllowed(by permissions: Permissions?) -> Bool {
    guard let permissions else { return true }
    switch self {
    case .call(let method, let service), .push(let method, let service):
      return permissions.allow(calling: method, of: service)
    case .publish(let method, let topic, let service):
      return (try? permissions.check(publishing: method, on: topic, of: service)) != nil
    case .subscribe(_, let service): return permissions.maySubscribe(to: service)
    }
  }
}

/// What a request wants to do.
struct Wanted {
  /// What it wants, none of it twice.
  private(set) var wishes: [Wish] = []
  /// What is answered when none of it is allowed; nil when each wish is answered for itself.
  let refusal: Problem?
  /// What is wrong with a document of JSON-RPC in which nothing is called, whatever the service.
  private(set) var fault: JSONRPCFault?

  /// Nothing that has to be allowed.
  static let nothing = Wanted([], else: nil)

  init(_ wishes: [Wish], else refusal: Problem?) {
    self.refusal = refusal
    var seen: Set<Wish> = []
    self.wishes = wishes.filter { seen.insert($0).inserted }
  }

  /// Nothing, by a document with that fault.
  init(_ fault: JSONRPCFault) {
    refusal = nil
    self.fault = fault
  }

  /// Whether nothing has to be asked.
  var isNothing: Bool { wishes.isEmpty && refusal == nil }
}
