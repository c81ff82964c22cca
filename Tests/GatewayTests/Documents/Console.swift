import Foundation
import Reactor
import Support

/// Runs commands of the README, with the address in them replaced by that of a gateway under test.
struct Console {
  let gateway: LiveGateway

  /// What a command prints, made comparable.
  func output(of command: String) async throws -> String {
    let process = try Subprocess("sh", ["-c", "exec " + replaced(command)])
    let output = try await process.rest()
    try await process.ended()
    return Self.normalised(output)
  }

  /// Starts a command that goes on, and repeats the others until it has printed the blocks of lines it should, in their
  /// order.
  func follow(_ stream: Readme.Step, while repeating: [Readme.Step]) async throws {
    let process = try Subprocess("sh", ["-c", "exec " + replaced(stream.command)])
    let text = Guarded("")
    let reading = Task {
      while let line = try await process.line() { text.withLock { $0 += line + "\n" } }
    }
    defer { reading.cancel() }
    do {
      try await eventually("what \(stream.command) prints") {
        for step in repeating { _ = try await output(of: step.command) }
        return Self.blocks(text.withLock { $0 }).contains(inOrder: Self.blocks(stream.output))
      }
    } catch {
      await process.destroy()
      throw error
    }
    await process.destroy()
  }

  /// With the address of the gateway in place of the usual one.
  func replaced(_ text: String) -> String {
    text.replacing("127.0.0.1:8080", with: "127.0.0.1:\(gateway.http.port)")
  }

  private static func blocks(_ text: String) -> [String] {
    normalised(text).components(separatedBy: "\n\n").filter { !$0.isEmpty }
  }

  /// Without what differs from run to run: request ids, event ids, times and the numbers of ticks.
  static func normalised(_ text: String) -> String {
    var text = text.trimmingCharacters(in: .newlines)
    text.replace(/"requestId":"[a-z0-9]+"/, with: #""requestId":"...""#)
    text.replace(/"connectedSince":"[0-9T:-]+Z"/, with: #""connectedSince":"...""#)
    text.replace(/id: [a-z0-9]+-[0-9]+/, with: "id: ...")
    text.replace(/\[[0-9]+,"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z"\]/, with: "[...]")
    return text
  }
}

extension [String] {
  /// Whether the others are among these, one after the other.
  fileprivate func contains(inOrder others: [String]) -> Bool {
    var rest = others[...]
    for element in self where element == rest.first { rest.removeFirst() }
    return rest.isEmpty
  }
}
