import Reactor

/// What the gateway itself tells a stream: an event of its own, or a comment. It is written in one of two shapes; neither has a line break
/// within, as all of it is the gateway's own or JSON.
final class Notice: Sendable {
  private enum Kind: String {
    /// Comments: that a stream is open, and that it still is.
    case open, heartbeat
    case gap, upstream, lagged, bye, auth, error
  }

  /// Why the gateway ends a stream.
  enum Farewell: String, Sendable {
    /// The gateway stops.
    case draining
    /// The stream has been open for as long as one may.
    case aged = "max-age"
    /// Not all of its topics are offered any more.
    case topics
    /// The token of its request has come to its end.
    case expired
    /// The key of its request, or that of its token, was taken back.
    case revoked
    /// The service that decides does not allow it any more.
    case refused

    /// Whether its client may see no more.
    var isOfCredentials: Bool { self == .expired || self == .revoked || self == .refused }
  }

  private let kind: Kind
  /// The event to which the stream has come.
  private let id: EventID?
  /// How long the client is to wait before it connects again.
  private let retry: Duration?
  /// An object of JSON.
  private let data: String?

  private init(_ kind: Kind, id: EventID? = nil, retry: Duration? = nil, data: String? = nil) {
    self.kind = kind
    self.id = id
    self.retry = retry
    self.data = data
  }

  /// The first of a stream, so that the client sees it open: how long to wait before it reconnects, and the id that stands for all before
  /// its first event: one that loses the connection before that misses nothing.
  static func opening(retry: Duration, id: EventID? = nil) -> Notice { Notice(.open, id: id, retry: retry) }

  /// What keeps proxies from closing a silent stream; with the id to which one has come without a word, as what came was not for it.
  static func heartbeat(id: EventID? = nil) -> Notice { Notice(.heartbeat, id: id) }

  /// Events that the stream does not get: the id is that of the last of them.
  static func gap(id: EventID, _ gap: EventGap) -> Notice {
    let missed = gap.missed.map { "\($0)" } ?? "null"
    let upstream = gap.reason == .lost ? #","upstream":true"# : ""
    return Notice(.gap, id: id, data: #"{"reason":"\#(gap.reason.rawValue)","missed":\#(missed)\#(upstream)}"#)
  }

  /// How many of the publishers are connected; without any the service is down.
  static func upstream(_ publishers: Publishers) -> Notice {
    let state = publishers.connected > 0 ? "up" : "down"
    return Notice(
      .upstream, data: #"{"state":"\#(state)","connected":\#(publishers.connected),"of":\#(publishers.all)}"#)
  }

  /// A stream that has read too slowly has missed so many events, of which the last has that id.
  static func lagged(id: EventID, missed: UInt64) -> Notice { Notice(.lagged, id: id, data: #"{"missed":\#(missed)}"#) }

  /// The last of a stream, which has come to the event of that id.
  ///
  /// The clients of a gateway that stops are told to return one after the other, in the time that `retry` says and as much again.
  static func farewell(_ reason: Farewell, retry: Duration, id: EventID? = nil) -> Notice {
    let retry = retry * (reason == .draining ? Double.random(in: 1...2) : 1)
    return Notice(
      reason.isOfCredentials ? .auth : .bye, id: id, retry: retry, data: #"{"reason":"\#(reason.rawValue)"}"#)
  }

  /// What goes wrong behind the beginning of a stream: the document of a problem.
  static func error(_ document: [UInt8]) -> Notice { Notice(.error, data: String(decoding: document, as: UTF8.self)) }

  /// Whether it tells of events that are lost.
  var isGap: Bool { kind == .gap }

  /// As lines of server-sent events.
  var lines: [UInt8] {
    let place = id.map { "id: \($0)\n" } ?? ""
    let wait = retry.map { "retry: \($0.millisecondsRoundedDown)\n" } ?? ""
    let text =
      switch kind {
      case .open: ": ok\n\(wait)\(place)"
      case .heartbeat: ":\n\(place)"
      default: "\(place)event: \(kind.rawValue)\n\(wait)data: \(data ?? "{}")\n"
      }
    return Array("\(text)\n".utf8)
  }

  /// As a line of JSON.
  var jsonLine: [UInt8] {
    var text = #"{"event":"\#(kind.rawValue)""#
    if let id { text += #","id":"\#(id)""# }
    if let retry { text += #","retry":\#(retry.millisecondsRoundedDown)"# }
    if let data { text += "," + data.dropFirst().dropLast() }
    return Array("\(text)}\n".utf8)
  }
}
