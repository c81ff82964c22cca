import Support
import Testing

@testable import ZeroMQ

/// What `docs/zeromq.md` shows of streams. Its code is that of this file, line for line (`DocumentTests`).
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
}
