import MessagePack
import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

/// Clients of a service that do not read their replies.
@Suite("a client that does not read", .inTurn(minutes: 3))
struct SlowClientTests {
  private static let size = 16 << 10

  private let ran = Tally()

  private var methods: Methods {
    var methods = Methods()
    methods.add("big") { [ran] in
      ran.countUp()
      return [UInt8](repeating: 7, count: Self.size)
    }
    methods.add("small") { 1 }
    return methods
  }

  /// A client that leaves its replies in the sockets, when as many calls as it asks for have run.
  private func slow(_ bench: ServiceBench, asking count: Int) async throws -> WireSocket {
    var options = SocketOptions()
    options.receiveHighWaterMark = 1
    options.heartbeat = .zero
    let client = try await bench.client(options: options)
    await client.pause(true)
    for _ in 0..<count { try await client.sendSoon(ServiceBench.request(1, "big")) }
    await ran.reaches(count)
    try await eventually("all calls have ended") { await bench.service.counters.running == 0 }
    return client
  }

  @Test("gets all its replies when it reads again, and holds up nobody meanwhile")
  func waits() async throws {
    try await ServiceBench.with(methods) { bench in
      let slow = try await slow(bench, asking: 1_500)
      #expect(await bench.service.counters.waitingReplies > 300)
      let quick = try await bench.client()
      try await quick.sendSoon(ServiceBench.request(2, "small"))
      #expect(try await quick.reply().number == 2)
      await slow.pause(false)
      for _ in 0..<1_500 { #expect(try await slow.reply().body.count > Self.size) }
      #expect(await bench.service.counters == .init())
    }
  }

  @Test("loses what is beyond a thousand waiting replies, and that is counted")
  func full() async throws {
    try await ServiceBench.with(methods) { bench in
      let asked = 2_600
      let slow = try await slow(bench, asking: asked)
      let dropped = await bench.service.counters.undeliverable
      #expect(dropped > 0)
      await slow.pause(false)
      for _ in 0..<(asked - dropped) { _ = try await slow.reply() }
      #expect(await bench.service.counters == .init(undeliverable: dropped))
      #expect(await slow.waiting == 0)
    }
  }

  @Test("and goes: what waited for it is dropped and counted")
  func gone() async throws {
    try await ServiceBench.with(methods) { bench in
      let slow = try await slow(bench, asking: 1_500)
      #expect(await bench.service.counters.waitingReplies > 300)
      await slow.close()
      try await eventually("nothing waits") { await bench.service.counters.waitingReplies == 0 }
      #expect(await bench.service.counters.undeliverable > 0)
    }
  }
}

@Suite("replies that wait for their clients")
struct ReplyBacklogTests {
  private static func reply(_ client: UInt8, _ number: UInt8, size: Int = 1) -> [[UInt8]] {
    [[client], [number], [UInt8](repeating: 0, count: size)]
  }

  private func append(_ reply: [[UInt8]], to backlog: inout ReplyBacklog) -> Bool { backlog.append(reply) }

  @Test("are offered in their order, each client in its turn; one that refuses holds up no other")
  func turns() {
    var backlog = ReplyBacklog()
    for number in 0..<3 as Range<UInt8> {
      #expect(append(Self.reply(1, number), to: &backlog))
      #expect(append(Self.reply(2, number), to: &backlog))
    }
    #expect(backlog.holds([1]) && !backlog.holds([3]))
    var sent: [[UInt8]] = []
    let dropped = backlog.offer(clients: 10) { reply in
      if reply[0] == [1], reply[1] == [1] { return .refused }
      sent.append(reply[0] + reply[1])
      return .sent
    }
    #expect(dropped == 0)
    #expect(sent == [[1, 0], [2, 0], [2, 1], [2, 2]])
    #expect(backlog.count == 2)
    #expect(backlog.holds([1]) && !backlog.holds([2]))
  }

  @Test("are dropped with a client that is gone")
  func gone() {
    var backlog = ReplyBacklog()
    for number in 0..<3 as Range<UInt8> { #expect(append(Self.reply(1, number), to: &backlog)) }
    let dropped = backlog.offer(clients: 1) { $0[1] == [0] ? .sent : .gone }
    #expect(dropped == 2)
    #expect(backlog.count == 0 && !backlog.holds([1]))
  }

  @Test("no more than a number of clients, and of replies to each, are offered at a time")
  func bounds() {
    var backlog = ReplyBacklog()
    for client in 0..<3 as Range<UInt8> {
      for _ in 0...ReplyBacklog.repliesPerTurn { #expect(append(Self.reply(client, 0), to: &backlog)) }
    }
    var offered = 0
    _ = backlog.offer(clients: 2) { _ in
      offered += 1
      return .sent
    }
    #expect(offered == 2 * ReplyBacklog.repliesPerTurn)
    #expect(backlog.count == ReplyBacklog.repliesPerTurn + 3)
  }

  @Test("are bounded in number for each client")
  func number() {
    var backlog = ReplyBacklog()
    for _ in 0..<1_000 { #expect(append(Self.reply(1, 0), to: &backlog)) }
    #expect(!append(Self.reply(1, 0), to: &backlog))
    #expect(append(Self.reply(2, 0), to: &backlog))
  }

  @Test("are bounded in bytes for all clients; what is sent makes room")
  func bytes() {
    var backlog = ReplyBacklog()
    #expect(append(Self.reply(1, 0, size: (64 << 20) - 4), to: &backlog))
    #expect(!append(Self.reply(2, 0, size: 1), to: &backlog))
    #expect(append(Self.reply(2, 0, size: 0), to: &backlog))
    let dropped = backlog.offer(clients: 1) { _ in .sent }
    #expect(dropped == 0)
    #expect(append(Self.reply(2, 0, size: 1), to: &backlog))
  }
}
