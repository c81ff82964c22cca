import Logging
import Reactor
import ZeroMQ
import ZeroMQRPC

/// The socket of a hub: which publishers it connects to, and what it is subscribed to there.
///
/// What the history is to hold is subscribed to for good, whatever streams ask for besides: libzmq counts how often a prefix is.
final class PublisherSocket {
  private let subscriber: Subscriber
  private let logger: Logger
  /// What is subscribed to for good.
  private(set) var standing: StandingTopics
  /// Where it connects.
  private var endpoints: [Endpoint]

  /// Opens the socket. Throws, with it closed, when an endpoint cannot be used. The delegate is not kept alive.
  init(
    _ service: Configuration.Service, _ subscribe: Configuration.Subscribe, states: EndpointStates?,
    delegate: any SubscriberDelegate, in context: Context, on loop: Loop, logger: Logger
  ) throws(ZMQError) {
    self.logger = logger
    endpoints = subscribe.connect
    standing = StandingTopics(Self.prefixes(subscribe))
    subscriber = try Subscriber(
      bind: subscribe.bind, connect: subscribe.connect, longestFrame: subscribe.eventLimit,
      takesExtraFrame: subscribe.numbering?.place == .frame, states: states, security: service.security, in: context,
      on: loop, logger: logger)
    subscriber.delegate = delegate
    for prefix in standing.prefixes { try subscriber.subscribe(prefix) }
  }

  /// How many publishers there are to be, and are.
  var publishers: Publishers {
    Publishers(connected: subscriber.connectedEndpoints, all: subscriber.endpointCount)
  }

  /// Begins to connect to those of the endpoints that are new; it is subscribed there to all that it is. Throws when one cannot be used.
  func connect(_ endpoints: [Endpoint]) throws(ZMQError) { try subscriber.connect(endpoints) }

  /// Connects from now on to what the settings say, and to nothing else, and is subscribed for good to what they say. Returns whether
  /// not all publishers are those that they were.
  func use(_ subscribe: Configuration.Subscribe, _ history: EventHistory) -> Bool {
    subscriber.takesExtraFrame = subscribe.numbering?.place == .frame
    let isOfOthers = Set(endpoints) != Set(subscribe.connect)
    endpoints = subscribe.connect
    subscriber.disconnect(allBut: subscribe.connect)
    let (wanted, former) = (Self.prefixes(subscribe), standing.prefixes)
    standing.use(wanted, history)
    // What is new first: of a prefix that takes the place of a longer one nothing is missed.
    for prefix in wanted.subtracting(former) { self.subscribe(prefix) }
    for prefix in former.subtracting(wanted) { unsubscribe(prefix) }
    return isOfOthers
  }

  /// Changes the subscriptions. libzmq refuses prefixes that are too long, but those are refused where topics are read
  /// (`NameRules.longestTopic`); what is left is a socket that has failed, and then the streams are told that all publishers are
  /// gone. Returns how many prefixes the work took: libzmq takes the longer for one the longer it is.
  func perform(_ work: Subscriptions.Work) -> Int {
    var bytes = 0
    for action in work.actions {
      switch action {
      case .subscribe(let prefix):
        bytes += prefix.count
        subscribe(prefix)
      case .unsubscribe(let prefix):
        bytes += prefix.count
        unsubscribe(prefix)
      }
    }
    return work.prefixes + bytes / 16
  }

  func close() { subscriber.close() }

  private static func prefixes(_ subscribe: Configuration.Subscribe) -> Set<[UInt8]> {
    subscribe.keepsEvents ? Set(subscribe.prefixes) : []
  }

  private func subscribe(_ prefix: [UInt8]) {
    attempt("subscribe at the publishers") { () throws(ZMQError) in try subscriber.subscribe(prefix) }
  }

  private func unsubscribe(_ prefix: [UInt8]) {
    attempt("unsubscribe at the publishers") { () throws(ZMQError) in try subscriber.unsubscribe(prefix) }
  }

  private func attempt(_ what: String, _ body: () throws(ZMQError) -> Void) {
    do throws(ZMQError) { try body() } catch { logger.error("cannot \(what)", metadata: ["error": "\(error)"]) }
  }
}
