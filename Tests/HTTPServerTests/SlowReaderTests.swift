import Foundation
import HTTPServer
import Reactor
import Support
import Testing

/// Clients that take what they asked for slowly, and those that take nothing: what the kernel has for them counts as well.
@Suite("Slow readers", .inTurn(minutes: 3))
struct SlowReaderTests {
  /// Short enough for the kernel to take all of it at once.
  private let short = String(repeating: "x", count: 400_000)

  /// A client with a small buffer whose answer, of a connection that goes on, is all with the kernel.
  private func answered(_ fixture: Fixture, vanishing: Bool = false) async throws -> HTTPConnection {
    let client = try HTTPConnection(port: fixture.address.port, receiveBuffer: 4_096)
    client.send(get("/later"))
    await fixture.until { script, _ in script.waiting.count == 1 }
    if vanishing { client.vanish() }
    await fixture.on { script, _ in script.answerWaiting(short) }
    await fixture.until { _, server in server.isIdle }
    #expect(try fixture.bytesWithKernel() > 200_000)
    return client
  }

  // The kernel has a timeout of its own for what is not acknowledged, which does not end for a reader with a small window. It knows
  // nothing of the test's clock, so this one takes its time.
  @Test(
    "one that reads steadily through a small window goes on for many times the write timeout",
    arguments: ["/long", "/stream"])
  func steady(target: String) async throws {
    var options = ServerOptions()
    options.writeTimeout = .milliseconds(600)
    try await Fixture.with(options) { fixture in
      let client = try HTTPConnection(port: fixture.address.port, receiveBuffer: 4_096)
      client.send(get(target))
      await fixture.until { script, _ in script.handled == 1 }
      await fixture.on { script, _ in script.streams.first?.put(Script.longText) }
      let read = try await offThread {
        let end = Instant.monotonic() + .seconds(4)
        var count = 0
        while Instant.monotonic() < end {
          count += try client.read(count: 1_000).count
          // The reader's pace; nothing is waited for.
          Thread.sleep(forTimeInterval: 0.02)
        }
        return count
      }
      // No more than the clients' buffer and a little besides was read at once.
      #expect(read < 1 << 20)
      #expect(await fixture.on { _, server in server.connections == 1 && !server.isIdle })
    }
  }

  @Test(
    "one that takes its answer from the kernel slowly is not idle, and makes its next request when it has all of it")
  func keptAnswer() async throws {
    try await Fixture.with { fixture in
      let client = try await answered(fixture)
      #expect(try client.head().status == 200)
      var left = short.utf8.count
      while left > 0 {
        let count = min(left, 10_000)
        #expect(try client.read(count: count).count == count)
        left -= count
        try await fixture.advance(by: .seconds(4), times: 1)
        #expect(await fixture.on { _, server in server.connections } == 1)
      }
      // Its idle time begins only now.
      try await fixture.advance(by: .seconds(5), times: 14)
      client.send(get("/"))
      #expect(try client.reply().status == 200)
    }
  }

  @Test(
    "one that leaves an answer of a connection that goes on with the kernel is gone after the write timeout, and so are the bytes",
    arguments: [false, true])
  func unread(vanishing: Bool) async throws {
    try await Fixture.with { fixture in
      let client = try await answered(fixture, vanishing: vanishing)
      try await fixture.advance(by: .seconds(4), times: 6)
      #expect(await fixture.on { _, server in server.connections } == 1)
      try await fixture.advance(by: .seconds(4), times: 6)
      await fixture.until { _, server in server.connections == 0 }
      #expect(try fixture.bytesWithKernel() == 0)
      client.disconnect()
    }
  }

  /// Reads every few seconds what comes at the rate, as long as the answer lasts, and sees that it is not cut.
  private func reads(_ fixture: Fixture, _ client: HTTPConnection, bytesASecond rate: Int, for seconds: Int)
    async throws
  {
    for _ in 0..<seconds / 4 {
      try #require(try await offThread { try client.drop(count: 4 * rate) })
      try await fixture.advance(by: .seconds(4), times: 1)
    }
    #expect(await fixture.on { _, server in server.connections == 1 && !server.isIdle })
  }

  // A machine that is full takes no more until much of that is read: some 130,000 bytes by default, which take two minutes at the least rate.
  @Test(
    "one above the least rate is never cut, however much its machine holds before it makes room again",
    arguments: [(3_000, 65_536), (4_000, nil), (1_100, nil), (1_100, 65_536), (6_000, 212_992), (1_100, 4_096)],
    ["/long", "/stream"])
  func steadily(reader: (rate: Int, buffer: CInt?), target: String) async throws {
    try await Fixture.with { fixture in
      let client = try HTTPConnection(port: fixture.address.port, receiveBuffer: reader.buffer)
      client.send(get(target))
      await fixture.until { script, _ in script.handled == 1 }
      await fixture.on { script, _ in script.streams.first?.put(Script.longText) }
      try await reads(fixture, client, bytesASecond: reader.rate, for: 600)
    }
  }

  // libmicrohttpd has a timeout and a clock of its own. It used to end connections two seconds after the longest of these: this one takes its time.
  @Test("one whose machine holds much goes on for longer than all times together", arguments: ["/long", "/stream"])
  func longerThanAll(target: String) async throws {
    var options = ServerOptions()
    options.readTimeout = .milliseconds(200)
    options.writeTimeout = .milliseconds(200)
    options.idleTimeout = .milliseconds(200)
    try await Fixture.with(options) { fixture in
      let client = try fixture.connect()
      client.send(get(target))
      await fixture.until { script, _ in script.handled == 1 }
      await fixture.on { script, _ in script.streams.first?.put(Script.longText) }
      let lasts = try await offThread {
        let end = Instant.monotonic() + .seconds(5)
        while Instant.monotonic() < end {
          guard try client.drop(count: 200) else { return false }
          // The reader's pace; nothing is waited for.
          Thread.sleep(forTimeInterval: 0.05)
        }
        return true
      }
      #expect(lasts)
      #expect(await fixture.on { _, server in server.connections == 1 && !server.isIdle })
    }
  }

  @Test("one that was fast, and then reads slowly what its machine holds by then, is not cut")
  func slower() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(get("/long"))
      #expect(try await offThread { try client.drop(count: 5_000_000) })
      try await reads(fixture, client, bytesASecond: 10_000, for: 400)
    }
  }

  @Test(
    "one that stands still is cut, after the time for what it took before at most",
    arguments: [(0, 4_096, 30, 44), (0, nil, 60, 180), (1 << 20, 65_536, 120, 180)] as [(Int, CInt?, Int, Int)])
  func standing(read: Int, buffer: CInt?, least: Int, most: Int) async throws {
    try await Fixture.with { fixture in
      let client = try HTTPConnection(port: fixture.address.port, receiveBuffer: buffer)
      client.send(get("/long"))
      _ = try await offThread { try client.drop(count: read) }
      await fixture.until { script, _ in script.handled == 1 }
      var seconds = 0
      while seconds < most, await fixture.on({ _, server in server.connections }) == 1 {
        try await fixture.advance(by: .seconds(4), times: 1)
        seconds += 4
      }
      await fixture.until { _, server in server.connections == 0 && server.isIdle }
      #expect(least...most ~= seconds)
    }
  }

  @Test("one that took much before it vanished is gone after the write timeout")
  func vanishedAhead() async throws {
    try await Fixture.with { fixture in
      let client = try HTTPConnection(port: fixture.address.port, receiveBuffer: 65_536)
      client.send(get("/long"))
      _ = try await offThread { try client.drop(count: 2_000_000) }
      client.vanish()
      try await eventually("it to be asked in vain") { try fixture.sockets().contains { $0.unanswered >= 5 } }
      try await fixture.advance(by: .seconds(4), times: 12)
      await fixture.until { _, server in server.connections == 0 && server.isIdle }
    }
  }

  @Test(
    "what the kernel has for one that is given up in the middle of an answer or a stream is freed",
    arguments: ["/long", "/stream"])
  func freed(target: String) async throws {
    try await Fixture.with { fixture in
      let client = try HTTPConnection(port: fixture.address.port, receiveBuffer: 4_096)
      client.send(get(target))
      await fixture.until { script, _ in script.handled == 1 }
      await fixture.on { script, _ in script.streams.first?.put(Script.longText) }
      try await eventually("bytes with the kernel") { try fixture.bytesWithKernel() > 10_000 }
      try await fixture.advance(by: .seconds(4), times: 12)
      await fixture.until { _, server in server.connections == 0 && server.isIdle }
      #expect(try fixture.bytesWithKernel() == 0)
      client.disconnect()
    }
  }

  @Test("one that vanished is gone after the write timeout, in the middle of an answer", arguments: [1, 20 << 20])
  func vanished(length: Int) async throws {
    // Made before anybody waits: it takes a while.
    let text = String(repeating: "x", count: length)
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(get("/later"))
      await fixture.until { script, _ in script.waiting.count == 1 }
      client.vanish()
      await fixture.on { script, _ in script.answerWaiting(text) }
      try await eventually("it to be sent again") { try fixture.sockets().contains { $0.unanswered > 0 } }
      try await fixture.advance(by: .seconds(4), times: 6)
      #expect(await fixture.on { _, server in server.connections } == 1)
      try await fixture.advance(by: .seconds(4), times: 6)
      await fixture.until { _, server in server.connections == 0 && server.isIdle }
      client.disconnect()
    }
  }
}

extension Fixture {
  /// The server's ends of its connections, as the kernel tells of them: bytes that clients have not acknowledged, and how often in a row
  /// something was sent again, or room was asked for, and nothing answered.
  fileprivate nonisolated func sockets() throws -> [(unacknowledged: Int, unanswered: Int)] {
    let port = ":" + String(format: "%04X", Int(address.port))
    let table = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/net/tcp")).readToEnd() ?? Data()
    return String(decoding: table, as: UTF8.self).split(separator: "\n").dropFirst().map { $0.split(separator: " ") }
      .filter { $0[1].hasSuffix(port) }
      .map { fields in
        let (retransmissions, probes) = (Int(fields[6], radix: 16) ?? 0, Int(fields[8]) ?? 0)
        return (Int(fields[4].prefix(8), radix: 16) ?? 0, retransmissions + probes)
      }
  }

  /// How many bytes the kernel has for clients that have not acknowledged them.
  fileprivate nonisolated func bytesWithKernel() throws -> Int { try sockets().reduce(0) { $0 + $1.unacknowledged } }
}
