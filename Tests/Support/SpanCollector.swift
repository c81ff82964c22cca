/// A collector of spans, `Tests/Interop/otlp_collector.py`, in a process of its own.
public struct SpanCollector: Sendable {
  public let process: Subprocess
  /// Where it takes spans.
  public let address: String

  /// Starts one that answers with these statuses, one after the other.
  public init(answers: String = "200") async throws {
    process = try Python.start("otlp_collector.py", ["--answers", answers])
    guard let line = try await process.line(), let port = JSON(line)?["port"].integer else {
      await process.destroy()
      throw Subprocess.Failed(description: "otlp_collector.py did not start")
    }
    address = "http://127.0.0.1:\(port)/v1/traces"
  }

  /// The next span that it has taken.
  public func span() async throws -> JSON { try await next { $0["traceId"] != .null } }

  /// The next request that it has got.
  public func request() async throws -> JSON { try await next { $0["request"] != .null } }

  private func next(_ isMeant: (JSON) -> Bool) async throws -> JSON {
    while let line = try await process.line() { if let json = JSON(line), isMeant(json) { return json } }
    throw Subprocess.Failed(description: "the collector has ended")
  }
}
