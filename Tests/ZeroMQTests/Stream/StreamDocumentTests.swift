import Foundation
import Support
import Testing

@testable import ZeroMQ

/// What `docs/zeromq.md` shows of streams. Its code is that of this file, line for line.
@Suite("streams as they are documented", .inTurn(minutes: 3))
struct StreamDocumentTests {
  @Test("a question and its answer") func roundTrip() async throws {
    let router = try await MessageStream.open(.router, bind: ["tcp://127.0.0.1:*"])
    let dealer = try await MessageStream.open(.dealer, connect: router.transport.bindings) { $0.linger = .seconds(1) }

    try await dealer.send(["data", "ask", "0"])
    let question = try await router.read()  // what the router calls its peer, and the frames
    try await router.send(Message([question[0], "data", "answer"]))
    let answer = try await dealer.read()
    #expect(answer == ["data", "answer"])
    await dealer.close()
    await router.close()
  }

  @Test("batches") func batches() async throws {
    let pull = try await MessageStream.open(.pull, bind: ["tcp://127.0.0.1:*"])
    let push = try await MessageStream.open(.push, connect: pull.transport.bindings)
    for _ in 0..<1_000 { try await push.send(["ten bytes!"]) }
    await push.close()
    try await eventually("all") { pull.readBufferSize == 10_000 }
    await pull.close()
    var bytes = 0
    for try await batch in pull.batches {  // what is there, 1 to 256 messages
      for message in batch { bytes += message[0].bytes.byteCount }  // libzmq's own frames, in place
    }
    #expect(bytes == 10_000)
  }

  @Test("the document shows what is tested here") func same() throws {
    let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../..").standardized
    let page = try String(contentsOf: root.appendingPathComponent("docs/zeromq.md"), encoding: .utf8)
    let section = try #require(page.components(separatedBy: "\n## ").first { $0.hasPrefix("Streams\n") })
    let lines = try Self.lines(of: String(contentsOfFile: #filePath, encoding: .utf8))
    let blocks = section.components(separatedBy: "```swift\n").dropFirst().map { rest in
      Self.lines(of: rest.components(separatedBy: "```")[0])
    }
    #expect(blocks.count == 2)
    for block in blocks {
      #expect(lines.indices.contains { lines[$0...].starts(with: block) }, "\(block)")
    }
  }

  /// The lines that are not empty, without their indentation.
  private static func lines(of text: String) -> [String] {
    text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
  }
}
