import Glibc
import Reactor
import Support
import Testing

/// The program in front of faulty backends, called by clients.
enum FaultyGateway {
  private static let clients = 8

  /// Starts all of it, does the faults, and checks what holds whatever they are; then what is special.
  static func with(
    _ names: [String], _ kind: FaultyBackends.Kind = .raw, timeout: String = "5s",
    _ faults: (FaultyBackends, FaultLoad) async throws -> Void, check: (FaultLoad.Record) -> Void
  ) async throws {
    let directory = try TemporaryDirectory()
    try await Cleanup.with { cleanup in
      let backends = try await FaultyBackends(in: directory)
      cleanup.add { await backends.end() }
      for name in names { try await backends.start(name, kind) }
      let program = try start(names, dialing: kind.dials, timeout: timeout, in: directory)
      cleanup.add { await program.destroy() }
      let port = try await program.port()
      let descriptors = try program.descriptors()
      // Its log is read all the time, or it would wait for that.
      async let log = program.rest()

      // What the first calls make it keep is no leak.
      let first = FaultLoad("first", clients: clients, port: port)
      for _ in 0..<20 { try await first.eachSucceeds() }
      var record = try await first.end()
      let memory = try program.residentMemory()
      let load = FaultLoad("load", clients: clients, port: port)
      try await load.eachSucceeds()
      try await faults(backends, load)
      record.merge(try await load.end())

      try await eventually("the descriptors of all calls to be closed") { try program.descriptors() <= descriptors }
      let more = try program.residentMemory() - memory
      #expect(more < 16 << 20, "\(more) bytes more than at the start")
      try await checkRuns(record, backends)
      program.signal(SIGTERM)
      checkBooks(record, try await log)
      check(record)
    }
  }

  private static func start(
    _ names: [String], dialing: Bool, timeout: String, in directory: TemporaryDirectory
  ) throws -> Subprocess {
    let endpoints = names.map { "\"\(directory.endpoint($0))\"" }.joined(separator: ", ")
    let place = dialing ? "bind: [\"\(directory.endpoint("gateway"))\"]" : "connect: [\(endpoints)]"
    let file = try directory.file(
      "gateway.yaml",
      """
      http: { listen: ["127.0.0.1:0"], threads: 2 }
      services:
        s: { pattern: rpc, \(place), timeout: \(timeout) }
      """)
    return try Program.start("serve", "--config", file)
  }

  /// Each call had one answer, its own, and a true one.
  private static func checkRuns(_ record: FaultLoad.Record, _ backends: FaultyBackends) async throws {
    #expect(record.faults == [])
    for (token, status) in record.statuses {
      let runs = await backends.runs(of: token)
      switch status {
      case 200, 400: #expect(runs == 1, "\(token) was answered, and ran \(runs) times")
      case 503: #expect(runs == 0, "\(token) ran, and its client was told that it was never sent")
      default: #expect(runs <= 1, "\(token) ran \(runs) times")
      }
    }
  }

  /// What the gateway has counted is what its clients have seen.
  private static func checkBooks(_ record: FaultLoad.Record, _ log: String) {
    let books = log.split(separator: "\n").last { $0.contains("stopped") } ?? ""
    func count(_ name: String) -> Int? {
      books.split(separator: " ").first { $0.hasPrefix("\(name)=") }.flatMap { Int($0.dropFirst(name.count + 1)) }
    }
    #expect(count("accepted") == record.statuses.count, "\(books)")
    #expect(count("answered") == record.count(200), "\(books)")
    #expect(count("refused") == record.count(503), "\(books)")
    #expect(count("failed") == record.count(502) + record.count(504) + record.count(400), "\(books)")
    #expect(count("abandoned") == 0, "\(books)")
  }
}
