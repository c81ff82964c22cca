import Foundation
import Glibc
import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("transports under stress", .timeLimit(.minutes(5)))
struct TransportStressTests {
  /// With ZEROMQ_SOAK set, ten times as much.
  private static let factor = ProcessInfo.processInfo.environment["ZEROMQ_SOAK"] == nil ? 1 : 10

  /// A delegate that checks that numbers come in order.
  private final class Counter: TransportDelegate, Sendable {
    let count = Guarded(0)
    let faults = Guarded(0)

    func messageReceived(_ message: Message, on transport: isolated Transport) {
      let number = message[0].withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
      count.withLock { count in
        if number != UInt64(count) { faults.withLock { $0 += 1 } }
        count += 1
      }
    }
  }

  private static func numbered(_ number: Int) -> Message {
    Message([withUnsafeBytes(of: UInt64(number)) { Array($0) }])
  }

  @Test("GEN-9: signals that interrupt system calls reach nobody; each message arrives once, in order") func signals() async throws {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in }
    // A signal that by default does nothing, so the handler may stay.
    sigaction(SIGURG, &action, nil)
    // Threads of tasks block signals, and those that they start inherit that.
    let reactor = try await offThread {
      var signals = sigset_t()
      sigemptyset(&signals)
      sigaddset(&signals, SIGURG)
      pthread_sigmask(SIG_UNBLOCK, &signals, nil)
      return try Reactor(name: "signalled")
    }
    let thread = try await eventually("the thread") { try Self.thread(named: "signalled") }
    let isOver = Guarded(false)
    async let storm: Int = offThread {
      var count = 0
      // The kernel gives the signal to the thread that is named, if that does not block it.
      while !isOver.withLock({ $0 }) { if kill(thread, SIGURG) == 0 { count += 1 } }
      return count
    }
    let counter = Counter()
    let pull = try await Transport.open(.pull, bind: [Peers.any], on: reactor) { counter }
    let push = try await Transport.open(.push, connect: pull.bindings, on: reactor) { Notes { _, _ in } }
    let count = 20_000 * Self.factor
    for number in 0..<count { await push.write(Self.numbered(number)) }
    try await eventually("all of them", within: .seconds(60)) { counter.count.withLock { $0 } == count }
    isOver.withLock { $0 = true }
    #expect(try await storm > 100)
    #expect(counter.faults.withLock { $0 } == 0)
    for transport in [pull, push] {
      await transport.close()
      await transport.waitClosed()
    }
    await reactor.stop()
  }

  private static func thread(named name: String) throws -> pid_t? {
    let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").compactMap { pid_t($0) }
    return threads.first { (try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)) == name + "\n" }
  }

  @Test("LOOP-5: sockets are used from many tasks, on several reactors, and nothing is lost") func tasks() async throws {
    try await Peers.with { peers in
      let pull = try await peers.peer(.pull, bind: [Peers.any])
      let endpoints = await pull.boundTo
      let reactors = [try Reactor(), try Reactor()]
      try await withThrowingTaskGroup { group in
        for task in 0..<8 {
          group.addTask {
            let push = try await Transport.open(
              .push, connect: endpoints, on: reactors[task % 2], in: peers.context
            ) { Notes { _, _ in } }
            await withTaskGroup { writers in
              for writer in 0..<4 {
                writers.addTask {
                  for number in 0..<100 { await push.write([Frame([UInt8(task), UInt8(writer), UInt8(number)])]) }
                }
              }
            }
            await push.close()
            await push.waitClosed()
          }
        }
        try await group.waitForAll()
      }
      let messages = try await pull.has(3_200)
      #expect(Set(messages).count == 3_200)
      // Those of one writer are in order.
      for task in 0..<8 {
        for writer in 0..<4 {
          let numbers = messages.map { $0[0] }.filter { $0[0] == task && $0[1] == writer }.map { $0[2] }
          #expect(numbers == (0..<100).map { UInt8($0) })
        }
      }
      for reactor in reactors { await reactor.stop() }
    }
  }

  @Test("a thousand sockets that are opened and closed, dropped or aborted leave no descriptor") func churn() async {
    await #expect(processExitsWith: .success) {
      let reactor = try Reactor()
      let context = try Context()
      let first = try await Transport.open(.pull, bind: [Peers.any], on: reactor, in: context) { Notes { _, _ in } }
      let endpoints = await first.bindings
      let kinds: [SocketKind] = [.push, .dealer, .publish, .subscribe, .request, .router]
      let before = try TransportStressTests.descriptors()
      for number in 0..<1_000 * TransportStressTests.factor {
        let kind = kinds[number % kinds.count]
        let transport = try await Transport.open(
          kind, bind: ["tcp://127.0.0.1:*"], connect: kind == .push ? endpoints : [], on: reactor, in: context
        ) { Notes { _, _ in } }
        switch number % 3 {
        case 0:
          await transport.close()
          await transport.waitClosed()
        case 1: await transport.abort()
        default: break  // Dropped.
        }
      }
      try await eventually("the descriptors are back") { try TransportStressTests.descriptors() == before }
    }
  }

  private static func descriptors() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
  }
}
