import Foundation
import MessagePack
import Support
import Testing
import ZeroMQ

/// The program itself: `ZMQ_GATEWAY_BINARY`, or the one that was built beside these tests.
enum Program {
  static let path: String? = {
    let beside = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/zmq-gateway"
    let path = ProcessInfo.processInfo.environment["ZMQ_GATEWAY_BINARY"] ?? beside
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
  }()
  static let isThere = path != nil

  static func start(_ arguments: String...) throws -> Subprocess {
    // A program built with ThreadSanitizer would sleep a second at its end.
    setenv("TSAN_OPTIONS", "atexit_sleep_ms=0", 0)
    return try Subprocess(path ?? "zmq-gateway", arguments, complaints: .withOutput)
  }

  /// Runs it to its end; returns what it printed, both outputs as one, and its exit code.
  static func run(_ arguments: [String], input: String? = nil) async throws -> (output: String, code: Int32) {
    let process = try Subprocess(try #require(path), arguments, complaints: .withOutput)
    if let input { process.write(input) }
    process.closeInput()
    let output = try await process.rest()
    return (output, try await process.ended())
  }

  /// Runs a demonstration until the body is done with it.
  static func demo(_ body: (_ url: String) async throws -> Void) async throws {
    try await Cleanup.with { cleanup in
      let demo = try start("demo", "--listen", "127.0.0.1:0")
      cleanup.add { await demo.destroy() }
      let port = try await demo.port()
      let http = HTTPClient(port: port)
      try await eventually("the demonstration to be connected") { try await http.get("/ready").status == 200 }
      try await body("http://127.0.0.1:\(port)")
    }
  }
}

extension Subprocess {
  /// The port that a gateway says it listens on.
  func port() async throws -> UInt16 {
    while let line = try await line() {
      guard let address = line.firstRange(of: "addresses=127.0.0.1:") else { continue }
      if let port = UInt16(line[address.upperBound...].prefix { $0.isNumber }) { return port }
    }
    throw Failed(description: "the gateway did not say where it listens")
  }

  /// How many descriptors it has open.
  func descriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count }

  /// Bytes of memory that are the process's own now; pages of files, as of the program itself, come with use and are not counted.
  func residentMemory() throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
      let size = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { throw Failed(description: "no RssAnon") }
    return size << 10
  }
}
