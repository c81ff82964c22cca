import ConfigurationReader
import MessagePack
import Reactor
import ZeroMQRPC

/// The methods of a mock, by their whole names; `*` stands for all others. Each call is printed as a line of JSON.
struct MockMethods: Handler {
  private let methods: [String: Method]
  /// What of a name was looked up so far.
  private var path = ""

  /// Methods that give their answers in turn, and begin anew when all were given.
  init(_ service: String, _ answers: [String: [MockAnswer]]) {
    methods = answers.mapValues { answers in
      let turn = Guarded(0)
      return Method(Parameter(rest: "args"), Parameter(keywords: "kwargs")) {
        (call: CallContext, arguments: [Value], keywords: [String: Value]) async throws -> Value in
        MockCall(service, call, arguments, keywords).print()
        guard !answers.isEmpty else { return .nil }
        let number = turn.withLock { turn in
          defer { turn = (turn + 1) % answers.count }
          return turn
        }
        return try await answers[number].run()
      }
    }
  }

  func lookup(_ name: String) -> (any Handler)? {
    var inner = self
    inner.path = path.isEmpty ? name : "\(path).\(name)"
    return inner
  }

  var method: Method? { methods[path] ?? methods["*"] }
}

/// A call that came to a mock.
private struct MockCall {
  private let value: Value

  init(_ service: String, _ call: CallContext, _ arguments: [Value], _ keywords: [String: Value]) {
    var members: [Value.Pair] = [
      .init("service", .string(service)), .init("method", .string(call.name)), .init("args", .array(arguments)),
      .init("kwargs", .map(keywords.sorted { $0.key < $1.key }.map { .init(.string($0.key), $0.value) })),
    ]
    if let topic = call.topic {
      let text = String(validating: topic, as: UTF8.self).map { Value.string($0) } ?? .binary(topic)
      members.insert(.init("topic", text), at: 1)
    }
    value = .map(members)
  }

  func print() {
    guard let line = try? value.json else { return }
    // Whoever reads from a pipe wants each at once.
    StandardStream.output.write(line + "\n")
  }
}
