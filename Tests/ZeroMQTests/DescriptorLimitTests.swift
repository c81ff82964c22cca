import Glibc
import Reactor
import Support
import Testing

@testable import ZeroMQ

/// Takes all descriptors of a process that a test has for itself.
private struct Shortage {
  private var taken: [CInt] = []
  private var most: Int

  init() {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = min(limit.rlim_cur, 512)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    while case let copy = dup(0), copy >= 0 { taken.append(copy) }
    most = taken.count
  }

  mutating func takeAll() { while case let copy = dup(0), copy >= 0 { taken.append(copy) } }

  /// Waits until it has all that it ever had: when it first took them, another part of the process may have held one for a moment. It
  /// blocks its thread: while tasks wait for their turn, libdispatch opens a file each second, and ends the process where it cannot.
  mutating func takesAllAgain() {
    let end = Instant.monotonic() + .seconds(20)
    repeat {
      takeAll()
      sched_yield()
    } while taken.count < most && Instant.monotonic() < end
    #expect(taken.count >= most)
    most = max(most, taken.count)
  }

  /// Gives some back.
  mutating func relieve(_ count: Int) { for _ in 0..<count { close(taken.removeLast()) } }

  mutating func end() { relieve(taken.count) }
}

/// libzmq 4.3 ends the process where it finds no descriptor to ask for the interfaces, or for a thread of its own.
@Suite("out of descriptors", .inTurn(minutes: 3))
struct DescriptorLimitTests {
  @Test("what connects over TCP tries on, and connects when there are descriptors again", arguments: [false, true])
  func connect(ipv6: Bool) async {
    await #expect(processExitsWith: .success) { [ipv6] in
      try await Peers.with { peers in
        let endpoint = "tcp://127.0.0.1:\(try RawPeer.freePort())"
        let push = try await peers.peer(.push, options: { $0.ipv6 = ipv6 })
        let monitor = try await push.transport.monitor()
        var shortage = Shortage()
        try await push.transport.connect(endpoint)
        for _ in 0..<3 { _ = try await monitor.first { $0.name == "connectRetried" } }
        shortage.end()
        let pull = try await peers.peer(.pull, bind: [endpoint])
        await push.write([1])
        #expect(try await pull.has(1) == [[[1]]])
      }
    }
  }

  @Test("to bind over TCP is EMFILE, and works when there are descriptors again") func bind() async {
    await #expect(processExitsWith: .success) {
      try await Peers.with { peers in
        let pull = try await peers.peer(.pull)
        var shortage = Shortage()
        for free in 0..<2 {
          shortage.takeAll()
          shortage.relieve(free)
          #expect(await failure { try await pull.transport.bind(Peers.any) }?.code.rawValue == EMFILE)
        }
        #expect(await pull.transport.isOpen)
        shortage.end()
        let push = try await peers.peer(.push, connect: [try await pull.transport.bind(Peers.any)])
        await push.write([1])
        #expect(try await pull.has(1) == [[[1]]])
      }
    }
  }

  @Test("the first socket of a context is EMFILE, or is there", arguments: [1, 3]) func context(threads: Int) async {
    await #expect(processExitsWith: .success) { [threads] in
      var shortage = Shortage()
      for free in 0..<16 {
        // What libzmq's threads still have of the context before, they give back.
        shortage.takesAllAgain()
        shortage.relieve(free)
        do {
          _ = try Socket(.pull, in: Context(threads: threads))
          #expect(free > 2 * threads)
        } catch {
          #expect((error as? ZMQError)?.code.rawValue == EMFILE)
          #expect(free < 2 * threads + 4)
        }
      }
      shortage.end()
    }
  }
}
