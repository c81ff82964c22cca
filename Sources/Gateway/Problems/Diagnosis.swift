import Glibc
import Reactor
import ZeroMQRPC

/// Why a backend was silent until the deadline, as far as the gateway can tell: the `diagnosis` of a 504.
///
/// The facts are of the one connection that the call was sent on; other threads have their own.
struct Diagnosis: Hashable, Sendable {
  /// What it looks like.
  enum Verdict: String, Sendable {
    /// Nothing at all came from the backend while the call waited.
    case stalled = "backend-stalled"
    /// What came from the backend while the call waited was no reply.
    case garbled = "bad-replies"
    /// The method usually takes as long, or it is not known how long it takes and others were answered.
    case slow = "method-slow"
    /// The backend answered others, and the method usually answers much sooner.
    case dropped = "probably-dropped"
    /// The connection is younger than the call.
    case restarted = "backend-restarted"
  }

  /// By how many times a call must have outlasted what is usual, to be taken for lost and not for slow.
  private static let patience = 3

  private let silence: Silence
  /// What nineteen of twenty replies of the method have not exceeded of late; nil when that is not known.
  private let p95: Duration?
  /// Seconds of Unix time; nil when the connection stands no more.
  private let connectedSince: Int?

  /// `now` is Unix time, in seconds.
  init(_ silence: Silence, p95: Duration?, now: Int = time(nil)) {
    self.silence = silence
    self.p95 = p95
    connectedSince = silence.connected.map { now - Int($0.components.seconds) }
  }

  var verdict: Verdict {
    guard let connected = silence.connected, connected >= silence.waited else { return .restarted }
    if let p95, p95 >= silence.waited { return .slow }
    if silence.answeredMeanwhile == 0 { return silence.isGarbled ? .garbled : .stalled }
    if let p95, p95 * Self.patience <= silence.waited { return .dropped }
    return .slow
  }

  /// What the caller is told in words of the time that was lost before the call was sent; empty when that was less than a millisecond.
  var words: String {
    guard silence.queued >= .milliseconds(1) else { return "" }
    return " It waited \(Self.seconds(silence.queued)) s in the gateway's queue before it was sent, and"
      + " \(Self.seconds(silence.waited)) s for the reply."
  }

  /// As a JSON object.
  var json: [UInt8] {
    var json = JSONWriter()
    json.open("{")
    json.key("connectedSince")
    if let text = connectedSince.flatMap(Self.utc) { json.string(text) } else { json.raw("null") }
    json.member("answeredMeanwhile", silence.answeredMeanwhile)
    json.key("p95")
    json.raw(p95.map(Self.seconds) ?? "null")
    json.key("queued")
    json.raw(Self.seconds(silence.queued))
    json.member("verdict", verdict.rawValue)
    json.close("}")
    return json.bytes
  }

  /// Seconds with three decimals.
  private static func seconds(_ duration: Duration) -> String {
    let (seconds, rest) = (duration.nanoseconds / 1_000_000).quotientAndRemainder(dividingBy: 1_000)
    return "\(seconds).\(String(1_000 + rest).dropFirst())"
  }

  /// As RFC 3339 text.
  private static func utc(_ seconds: Int) -> String? {
    var (seconds, parts) = (time_t(seconds), tm())
    guard gmtime_r(&seconds, &parts) != nil else { return nil }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
      guard let start = text.baseAddress, strftime(start, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0 else {
        return nil
      }
      return String(cString: start)
    }
  }
}
