import Foundation
import Glibc
import Reactor
import Support
import Testing

/// The program with two threads, and Python backends that are killed, frozen, brought back, or lie, while clients call without a pause.
/// `make test` sets ZMQ_GATEWAY_PYTHON.
@Suite(
  "backends with faults", .serialized, .inTurn(minutes: 3),
  .enabled(if: Python.isThere && Program.isThere, "\(Python.comment), or no program is built"))
struct FaultTests {
  @Test("100 times the only backend is killed, and comes back: calls work again within a second")
  func oneBackend() async throws {
    try await FaultyGateway.with(["a"]) { backends, load in
      var times: [Duration] = []
      for _ in 0..<100 {
        try await backends.kill("a")
        try await backends.start("a")
        times.append(try await load.eachSucceeds())
      }
      // The machine may be busy with other tests: of a hundred returns, ninety-five.
      times.sort()
      #expect(times[94] < .seconds(1), "the slowest took \(times[99])")
    } check: { record in
      #expect(record.count(502) > 0)
      #expect(record.codes.keys.allSatisfy { ["backend-lost", "no-backend"].contains($0) }, "\(record.codes)")
    }
  }

  @Test("80 times one of three backends is killed: the others serve on, unless their own connections are not back yet")
  func threeBackends() async throws {
    let names = ["a", "b", "c"]
    try await FaultyGateway.with(names) { backends, load in
      for number in 0..<80 {
        let name = names[number % 3]
        let before = await backends.runs(at: name)
        try await backends.kill(name)
        try await load.eachSucceeds()
        try await backends.start(name)
        try await eventually("\(name) has calls again") { await backends.runs(at: name) > before + 4 }
      }
    } check: { record in
      #expect(record.codes.keys.allSatisfy { ["backend-lost", "no-backend"].contains($0) }, "\(record.codes)")
      #expect(record.count(200) > 20 * (record.count(502) + record.count(503)))
    }
  }

  @Test("20 times a real aiozmq service is killed, and 5 times frozen")
  func aiozmq() async throws {
    try await FaultyGateway.with(["a"], .aiozmq, timeout: "500ms") { backends, load in
      for number in 0..<20 {
        try await backends.kill("a")
        try await backends.start("a", .aiozmq)
        try await load.eachSucceeds()
        guard number % 4 == 0 else { continue }
        try await backends.freeze("a")
        // Of the calls that it has, some reach their deadline.
        let deadlines = load.failures(504)
        try await eventually("deadlines to pass") { load.failures(504) > deadlines + 2 }
        try await backends.thaw("a")
        try await load.eachSucceeds()
      }
    } check: { record in
      #expect(record.count(504) > 0)
    }
  }

  @Test(
    "a backend that answers with garbage, half, twice, or for others: each call has its own answer, or a true status")
  func hostile() async throws {
    try await FaultyGateway.with(["a", "b"], .hostile, timeout: "200ms") { backends, load in
      for number in 0..<10 {
        let name = number % 2 == 0 ? "a" : "b"
        try await backends.kill(name)
        try await backends.start(name, number % 4 < 2 ? .raw : .hostile)
        try await load.eachSucceeds()
      }
    } check: { record in
      #expect(record.codes["bad-reply"] ?? 0 > 0)
      #expect(record.codes["timeout"] ?? 0 > 0)
      #expect(record.codes["remote-exception"] ?? 0 > 0)
    }
  }

  @Test("10 times something that is no ZeroMQ takes the backend's place")
  func noise() async throws {
    try await FaultyGateway.with(["a"]) { backends, load in
      for _ in 0..<10 {
        try await backends.kill("a")
        try await backends.start("a", .noise)
        let refusals = load.failures(503)
        try await eventually("refusals") { load.failures(503) > refusals + 100 }
        try await backends.kill("a")
        try await backends.start("a")
        try await load.eachSucceeds()
      }
    } check: { record in
      #expect(record.codes["no-backend"] ?? 0 > 0)
    }
  }

  @Test("40 times the only backend that dials in is killed, and another one dials in: calls work again within a second")
  func oneDialer() async throws {
    try await FaultyGateway.with(["a"], .dialer) { backends, load in
      var times: [Duration] = []
      for _ in 0..<40 {
        try await backends.kill("a")
        try await backends.start("a", .dialer)
        times.append(try await load.eachSucceeds())
      }
      times.sort()
      #expect(times[36] < .seconds(1), "the slowest took \(times[39])")
    } check: { record in
      #expect(record.count(502) > 0)
      #expect(record.codes.keys.allSatisfy { ["backend-lost", "no-backend"].contains($0) }, "\(record.codes)")
    }
  }

  @Test("20 times one of two that dial in is killed: its calls wait for their deadlines, and the other serves on")
  func twoDialers() async throws {
    let names = ["a", "b"]
    try await FaultyGateway.with(names, .aiozmqDialer, timeout: "300ms") { backends, load in
      for number in 0..<20 {
        let name = names[number % 2]
        let before = await backends.runs(at: name)
        try await backends.kill(name)
        try await load.eachSucceeds()
        try await backends.start(name, .aiozmqDialer)
        try await eventually("\(name) has calls again") { await backends.runs(at: name) > before + 4 }
      }
    } check: { record in
      #expect(record.count(504) > 0)
      #expect(record.codes.keys.allSatisfy { $0 == "timeout" }, "\(record.codes)")
      #expect(record.count(200) > 20 * record.count(504))
    }
  }
}
