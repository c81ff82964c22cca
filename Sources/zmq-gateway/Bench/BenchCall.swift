import ArgumentParser
import Glibc
import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

struct BenchCall: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "call", abstract: "Call a method over and over.",
    discussion: """
      zmq-gateway bench call calc/add '[2, 3]' --connections 64 --seconds 10     each connection calls when its last call was answered
      zmq-gateway bench call calc/add '[2, 3]' --rate 1000                       calls are due at their own times; what waits counts
      zmq-gateway bench call --zmq tcp://127.0.0.1:5555 add '[2, 3]'             a service, without a gateway

      What is under way when the time is over has two seconds more; calls that have no answer then have failed.
      The exit code is 0, 1 when calls failed, and 69 when none was answered.
      """)

  @OptionGroup var peers: PeerOptions
  @OptionGroup var load: LoadOptions

  @Argument(help: "service/method at a gateway; at a service the method alone.")
  var name: String

  @OptionGroup var arguments: Arguments

  @Option(help: "Connections to a gateway, or calls to a service at one time: 1 to 1000.")
  var connections = 16

  @Option(help: "Calls a second, all connections together. Default: as many as are answered.")
  var rate: Double?

  func validate() throws {
    guard 1...1_000 ~= connections else { throw ValidationError("--connections: 1 to 1000") }
    if let rate, !(rate > 0 && rate <= 1_000_000) { throw ValidationError("--rate: above 0, at most 1000000") }
  }

  func run() async throws {
    let report: BenchReport
    let elapsed: Double
    switch try peers.peer {
    case .gateway(let url):
      let name = try CalledName(inGateway: name, hasTopic: false)
      let request = url.request(name.path(at: "rpc"), body: try arguments.checkedJSON())
      let schedule = BenchSchedule(seconds: load.seconds, rate: rate)
      report = await Self.onThreads(connections) { Self.call(url, request, schedule) }
      elapsed = schedule.elapsed
    case .service(let endpoint):
      let name = try CalledName(inService: name, hasTopic: false)
      let (positional, keywords) = try arguments.values()
      let client = try await RPCClient.connect([endpoint], timeout: .seconds(5)) { $0.logger = PeerOptions.quiet }
      let schedule = BenchSchedule(seconds: load.seconds, rate: rate)
      report = await withTaskGroup { group in
        for _ in 0..<connections {
          group.addTask { await Self.call(client, name.method, positional, keywords, schedule) }
        }
        return await group.reduce(into: BenchReport()) { $0.add($1) }
      }
      elapsed = schedule.elapsed
      await client.close()
    }
    print(report.lines(of: "calls", in: elapsed).joined(separator: "\n"))
    if !report.isAnswered { throw ExitCode.unavailable }
    if !report.failures.isEmpty { throw ExitCode.failure }
  }

  /// Runs work that blocks on so many threads, and adds up what it returns.
  private static func onThreads(
    _ count: Int, _ work: @escaping @Sendable () -> BenchReport
  ) async -> BenchReport {
    let total = Guarded((report: BenchReport(), left: count))
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      @Sendable func add(_ report: BenchReport) {
        let isLast = total.withLock { total in
          total.report.add(report)
          total.left -= 1
          return total.left == 0
        }
        if isLast { continuation.resume() }
      }
      for _ in 0..<count {
        do throws(ReactorError) {
          try startThread(name: "bench") { add(work()) }
        } catch {
          var report = BenchReport()
          report.fail("\(error)")
          add(report)
        }
      }
    }
    return total.withLock { $0.report }
  }

  /// One connection's calls, over a new one when it breaks.
  private static func call(_ url: GatewayURL, _ request: [UInt8], _ schedule: BenchSchedule) -> BenchReport {
    var report = BenchReport()
    var due = schedule.next()
    while due != nil {
      let wasConnected: Bool? = url.withConnection(within: schedule.left) { descriptor in
        var connection = KeptConnection(descriptor)
        while let time = due {
          pause(until: time)
          do throws(KeptConnection.Broken) {
            let status = try connection.send(request, until: schedule.closing)
            report.isAnswered = true
            if 200..<300 ~= status {
              report.latencies.record(Instant.monotonic().nanoseconds - time)
            } else {
              report.fail("\(status)")
            }
          } catch {
            report.fail("no answer")
            due = schedule.next()
            return true
          }
          due = schedule.next()
        }
        return true
      }
      if wasConnected == nil {
        report.fail("no connection")
        // Not as fast as refusals come.
        pause(until: Instant.monotonic().nanoseconds + 100_000_000)
        due = schedule.next()
      }
    }
    return report
  }

  private static func pause(until time: Int64) {
    let left = time - Instant.monotonic().nanoseconds
    if left > 0 { usleep(UInt32(min(left / 1_000, 1_000_000_000))) }
  }

  private static func call(
    _ client: RPCClient, _ method: String, _ positional: [Value], _ keywords: [String: Value],
    _ schedule: BenchSchedule
  ) async -> BenchReport {
    var report = BenchReport()
    while let due = schedule.next() {
      let left = due - Instant.monotonic().nanoseconds
      if left > 0 { try? await Task.sleep(for: .nanoseconds(left)) }
      do {
        let _: Value = try await client.withTimeout(min(.seconds(5), schedule.left)).call(method, positional, keywords)
        report.isAnswered = true
        report.latencies.record(Instant.monotonic().nanoseconds - due)
      } catch let error as RemoteError {
        report.isAnswered = true
        report.fail(error.name)
      } catch let failure as CallFailure {
        report.fail(failure.code.rawValue)
      } catch {
        report.fail("\(error)")
      }
    }
    return report
  }
}
