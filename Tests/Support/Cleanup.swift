import Reactor

/// What has to be undone when a test is over.
public final class Cleanup: Sendable {
  private let steps = Guarded<[@Sendable () async -> Void]>([])

  /// Runs the body; afterwards, also when it failed, the steps that were added, the last one first.
  public static func with<Result>(_ body: (Cleanup) async throws -> Result) async throws -> Result {
    let cleanup = Cleanup()
    do {
      let result = try await body(cleanup)
      await cleanup.run()
      return result
    } catch {
      await cleanup.run()
      throw error
    }
  }

  /// Adds a step.
  public func add(_ step: @escaping @Sendable () async -> Void) { steps.withLock { $0.append(step) } }

  private func run() async {
    while let step = steps.withLock({ $0.popLast() }) { await step() }
  }
}
