import ConfigurationReader
import MessagePack
import Reactor
import ZeroMQRPC

/// What a method of a mock does when it is called.
struct MockAnswer: Sendable {
  enum Outcome: Sendable {
    case result(Value)
    case exception(RemoteException)
    /// Nothing is answered.
    case silence
  }

  /// How long it takes.
  private(set) var delay = Duration.zero
  private(set) var outcome = Outcome.result(.nil)

  /// Reads `{ delay: 200ms, result: 5 }`, `{ error: builtins.KeyError, args: [fig] }` or `{ silent: true }`.
  init?(_ field: Field) {
    guard let section = field.section() else { return nil }
    section.read("delay", into: &delay) { $0.duration(in: .zero ... .seconds(86_400)) }
    let result = section.field("result")?.mockValue()
    let name = section.field("error")?.text("the class of an exception, such as builtins.KeyError")
    let arguments = section.field("args")?.mockValue()
    let isSilent = section.field("silent")?.boolean() ?? false
    section.finish()
    if ["result", "error", "silent"].filter(section.has).count > 1 {
      section.report("is one of result, error and silent")
    }
    if section.has("args"), !section.has("error") { section.report("goes with error", at: "args") }
    if let name {
      outcome = .exception(RemoteException(name, arguments?.arrayValue ?? arguments.map { [$0] } ?? []))
    } else if isSilent {
      outcome = .silence
    } else {
      outcome = .result(result ?? .nil)
    }
  }

  /// Does it.
  func run() async throws -> Value {
    if delay > .zero { try await Task.sleep(for: delay) }
    switch outcome {
    case .result(let value): return value
    case .exception(let exception): throw exception
    case .silence:
      // Until the service ends.
      while true { try await Task.sleep(for: .seconds(86_400)) }
    }
  }
}
