import GatewayTracing
import Metrics

/// What requests ask for, as metrics tell them apart.
enum RouteKind: Int, CaseIterable, Sendable {
  case rpc, push, pub, sub, last, topics, batch, jsonrpc, calls, route
  /// What tells of the gateway itself.
  case operation
  /// Refused before it is known what is asked for.
  case none

  /// As a label.
  var label: String { Self.labels[rawValue] }

  // To ask a case for its name takes as long as all else that the log tells of a request.
  private static let labels = allCases.map { "\($0)" }
}

/// How a request ended, as metrics tell it.
enum RequestOutcome: Int, CaseIterable, Sendable {
  case success, redirect, clientError, serverError
  /// The client had left.
  case abandoned

  init(status: Int) {
    self =
      switch status {
      case ..<300: .success
      case ..<400: .redirect
      case ..<500: .clientError
      default: .serverError
      }
  }

  /// As a label.
  var label: String { ["2xx", "3xx", "4xx", "5xx", "abandoned"][rawValue] }
}

/// What has become of the requests of one shard, counted on its thread: no lock, and no allocation.
struct RequestCounters: Sendable {
  /// For each kind, the count of each outcome.
  private var outcomes = [Int](repeating: 0, count: RouteKind.allCases.count * RequestOutcome.allCases.count)
  private var times = [LatencyHistogram](repeating: .init(), count: RouteKind.allCases.count)
  private var problems = [Int](repeating: 0, count: ProblemCode.allCases.count)

  private static let places = Dictionary(uniqueKeysWithValues: ProblemCode.allCases.enumerated().map { ($1, $0) })

  /// Counts a request that has ended, and how many nanoseconds it took from its head to its answer; of a stream, to its beginning.
  /// `place` is where it stands in a trace.
  mutating func count(
    _ kind: RouteKind, _ outcome: RequestOutcome, after nanoseconds: Int64, in place: TraceParent? = nil
  ) {
    outcomes[kind.rawValue * RequestOutcome.allCases.count + outcome.rawValue] += 1
    let exemplar = place.flatMap {
      $0.isSampled
        ? Exemplar(
          traceHigh: $0.traceHigh, traceLow: $0.traceLow, nanoseconds: nanoseconds, at: WallTime.now.milliseconds)
        : nil
    }
    times[kind.rawValue].record(nanoseconds, as: exemplar)
  }

  /// Counts the problem that a request was answered with.
  mutating func count(_ code: ProblemCode) {
    if let place = Self.places[code] { problems[place] += 1 }
  }

  /// Adds those of another shard.
  mutating func add(_ other: RequestCounters) {
    for index in outcomes.indices { outcomes[index] += other.outcomes[index] }
    for index in times.indices { times[index].add(other.times[index]) }
    for index in problems.indices { problems[index] += other.problems[index] }
  }

  func write(to text: inout MetricsText) {
    text.begin("zmq_gateway_requests_total", .counter, "Requests that have ended, by what they asked for and how.")
    for kind in RouteKind.allCases {
      for outcome in RequestOutcome.allCases {
        let count = outcomes[kind.rawValue * RequestOutcome.allCases.count + outcome.rawValue]
        text.add(count, ("route", kind.label), ("status", outcome.label))
      }
    }
    text.begin(
      "zmq_gateway_request_duration_seconds", .histogram,
      "From a request's head to its answer, or to the beginning of its stream.")
    for kind in RouteKind.allCases { text.add(times[kind.rawValue], ("route", kind.label)) }
    text.begin("zmq_gateway_problems_total", .counter, "Requests that were answered with a problem, by its code.")
    for (place, code) in ProblemCode.allCases.enumerated() { text.add(problems[place], ("code", code.rawValue)) }
  }
}
