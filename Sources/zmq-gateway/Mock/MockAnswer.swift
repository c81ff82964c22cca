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
    let result = section.field("result")?.anything().map(Value.init)
    let name = section.field("error")?.text("the class of an exception, such as builtins.KeyError")
    let arguments = section.field("args")?.anything().map(Value.init)
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

extension Value {
  /// What YAML calls integers, floats and texts is so here.
  init(_ value: YAMLValue) {
    switch value {
    case .null: self = .nil
    case .bool(let truth): self = .bool(truth)
    case .integer(let number): self = .int(number)
    case .float(let number): self = .double(number)
    case .text(let text): self = .string(text)
    case .list(let values): self = .array(values.map(Value.init))
    case .mapping(let members): self = .map(members.map { .init(.string($0.key), Value($0.value)) })
    }
  }
}
