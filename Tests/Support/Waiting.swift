import Foundation
import Reactor

/// A wait of a test that took too long.
public struct TimedOut: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = "timed out: \(description)" }
}

/// How long a test waits for what has to come: longer than a debug build needs for 16 MiB on a busy machine, and shorter than any suite may
/// take.
public let patience = Duration.seconds(100)

/// Blocks until there are bytes to read, or the other side has closed.
func waitForBytes(at descriptor: CInt, or what: String) throws {
  var readable = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
  guard poll(&readable, 1, CInt(patience.components.seconds) * 1_000) == 1 else { throw TimedOut(what) }
}

/// Runs something that blocks on a thread of its own, so that it holds up no other test.
public func offThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: .init(catching: body)) }
  }
}

/// Asks until there is an answer other than nil, with patience. Between two questions others get their turn; who has to be asked for long
/// is asked once a millisecond.
public func eventually<Result>(
  _ what: String, within limit: Duration = patience, _ body: () async throws -> Result?
) async throws -> Result {
  let start = Instant.monotonic()
  while true {
    if let result = try await body() { return result }
    let now = Instant.monotonic()
    guard now < start + limit else { throw TimedOut(what) }
    if now < start + .milliseconds(20) {
      await Task.yield()
    } else {
      try await Task.sleep(for: .milliseconds(1))
    }
  }
}

/// Asks until the condition holds, with patience.
public func eventually(
  _ what: String, within limit: Duration = patience, holds: () async throws -> Bool
) async throws {
  try await eventually(what, within: limit) { try await holds() ? () : nil }
}

/// How long something takes.
public func duration(of body: () async throws -> Void) async rethrows -> Duration {
  let start = Instant.monotonic()
  try await body()
  return Instant.monotonic() - start
}
