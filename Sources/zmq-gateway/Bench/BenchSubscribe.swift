import ArgumentParser
import Glibc
import Reactor

struct BenchSubscribe: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sub", abstract: "Publish events through a gateway, and tell how long they take to many streams.",
    discussion: """
      zmq-gateway bench sub news --streams 1000 --rate 50

      The service has to be published to and subscribed to, and to pass on what is published, as news of the demonstration does. Each event
      has the time of its publication as its argument. The exit code is 0, 1 when events are missing, and 69 when there is no stream.
      """)

  @OptionGroup var gateway: GatewayOptions
  @OptionGroup var load: LoadOptions

  @Argument(help: "The service.")
  var service: String

  @Option(help: "How many streams follow: 1 to 10000.")
  var streams = 100

  @Option(help: "Events a second.")
  var rate = 10.0

  @Option(help: "The topic.")
  var topic = "bench"

  func validate() throws {
    guard 1...10_000 ~= streams else { throw ValidationError("--streams: 1 to 10000") }
    guard rate > 0, rate <= 10_000 else { throw ValidationError("--rate: above 0, at most 10000") }
    guard !topic.isEmpty else { throw ValidationError("--topic: at least one letter") }
    _ = try CalledName(inGateway: "\(service)/\(topic)/bench", hasTopic: true)
  }

  func run() async throws {
    let url = try gateway.url
    let path = try CalledName(inGateway: "\(service)/\(topic)/bench", hasTopic: true).path(at: "pub")
    let target = "/sub/\(service.percentEncoded)?topic=\(topic.percentEncoded)"
    let reader = try StreamFan(url, target, count: streams)
    let published = Guarded((sent: 0, failures: [String: Int](), isOver: false))
    let schedule = BenchSchedule(seconds: load.seconds, rate: rate)
    try startThread(name: "publish") {
      let report = Self.publish(url, path, schedule)
      published.withLock { $0 = (report.sent, report.failures, true) }
    }
    // What is on its way when the last was published has two seconds.
    var report = BenchReport()
    var last = Instant.monotonic().nanoseconds
    while true {
      let state = published.withLock { $0 }
      if !state.isOver { last = Instant.monotonic().nanoseconds }
      if state.isOver, report.latencies.count >= state.sent * streams { break }
      if Instant.monotonic().nanoseconds - last > 2_000_000_000 { break }
      reader.read(within: 50, into: &report)
    }
    let elapsed = schedule.elapsed
    reader.close()
    let state = published.withLock { $0 }
    report.failures.merge(state.failures) { $0 + $1 }
    let missing = state.sent * streams - report.latencies.count
    if missing > 0 { report.failures["missing"] = missing }
    print("\(state.sent) events to \(streams) streams")
    print(report.lines(of: "deliveries", in: elapsed).joined(separator: "\n"))
    if !report.failures.isEmpty { throw ExitCode.failure }
  }

  private static func publish(
    _ url: GatewayURL, _ path: String, _ schedule: BenchSchedule
  ) -> (sent: Int, failures: [String: Int]) {
    var sent = 0
    var failures = BenchReport()
    let done: Bool? = url.withConnection(within: schedule.left) { descriptor in
      var connection = KeptConnection(descriptor)
      while let due = schedule.next() {
        let left = due - Instant.monotonic().nanoseconds
        if left > 0 { usleep(UInt32(left / 1_000)) }
        do throws(KeptConnection.Broken) {
          let body = Array("[\(Instant.monotonic().nanoseconds)]".utf8)
          let status = try connection.send(url.request(path, body: body), until: schedule.closing)
          if status == 202 { sent += 1 } else { failures.fail("publishing: \(status)") }
        } catch {
          failures.fail("publishing: no answer")
          return true
        }
      }
      return true
    }
    if done == nil { failures.fail("publishing: no connection") }
    return (sent, failures.failures)
  }
}
