import HTTPServer
import Reactor

/// The lines of a shard's requests that have ended in a turn, which go to the log together.
final class AccessLines: EndOfTurn {
  private let log: AccessLog
  private let loop: Loop
  private var line: LogLine
  private var count = 0
  /// The time of the turn, read for its first line.
  private var now: WallTime?
  /// The second in which lines are written, and how they begin in it.
  private var second: Int64 = -1
  private var stamp: [UInt8] = []

  /// Hands over what is added at the end of each turn, until `close`.
  init(_ log: AccessLog, on loop: Loop) {
    self.log = log
    self.loop = loop
    line = LogLine(log.settings.format)
    loop.append(self)
  }

  /// Hands over what is left, and hears of no more turns.
  func close() {
    _ = endTurn()
    loop.remove(self)
  }

  /// Tells of a request that has ended, if it is to be told of.
  func add(_ request: GatewayRequest, _ notes: RequestNotes, _ end: GatewayRequest.End, after total: Duration) {
    let isSlow = log.settings.slow.map { total >= $0 } ?? false
    guard log.settings.access || isSlow else { return }
    let now = self.now ?? .now
    self.now = now
    if now.milliseconds / 1_000 != second {
      second = now.milliseconds / 1_000
      // Without the thousandths.
      stamp = Array("\(now)".utf8.dropLast(4))
    }
    line.begin(stamp, Int(now.milliseconds % 1_000), isWarning: isSlow)
    AccessLine.write(request, notes, end, after: total, isSlow: isSlow, to: &line)
    line.end()
    count += 1
  }

  func endTurn() -> Instant? {
    guard count > 0 else { return nil }
    line.withBytes { log.append($0, count: count) }
    line.removeAll()
    count = 0
    now = nil
    return nil
  }
}
