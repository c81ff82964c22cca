import MessagePack
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

@Suite("short replies", .inTurn(minutes: 3)) struct ShortReplyTests {
  /// Calls a backend that answers with these bytes.
  private func result(
    _ body: [UInt8], isException: Bool = false, _ configure: (inout RPCClientOptions) -> Void = { _ in }
  ) async throws -> Value {
    var result: Value = nil
    try await ClientBench.with { bench in
      let backend = try await WireSocket(.router, bind: bench.endpoint("backend"))
      bench.cleanup.add { await backend.close() }
      let client = try await bench.client([backend.endpoint], timeout: .seconds(60), configure)
      async let called = client.call("m") as Value
      try await backend.answer(try await backend.call(), body, isException: isException)
      result = try await called
    }
    return result
  }

  /// A text that has so many bytes in MessagePack.
  private static func text(_ count: Int) -> Value { .string(String(repeating: "a", count: count - 1)) }

  @Test("are read as longer ones are, up to 16 bytes and beyond") func limit() async throws {
    for count in [1, 15, 16, 17, 18] {
      #expect(try await result(Packer().pack(Self.text(count))) == Self.text(count))
    }
    #expect(try await result([0xC0]) == nil)
    #expect(try await result([0x92, 1, 0xA1, 0x61]) == [1, "a"])
  }

  @Test("that are no MessagePack fail as badReply, and so do those that are beyond the limits of the client")
  func unreadable() async throws {
    for body in [[], [0xC1], [0xC0, 0xC0], [0xA2, 0x61], [UInt8](repeating: 0xC1, count: 17)] {
      await #expect(throws: CallFailure(.badReply, sent: true), "\(body)") { try await result(body) }
    }
    let nested: [UInt8] = [0x91, 0x91, 0x90]
    #expect(try await result(nested) { $0.limits.depth = 3 } == [[[]]])
    await #expect(throws: CallFailure(.badReply, sent: true)) { try await result(nested) { $0.limits.depth = 2 } }
  }

  @Test("that are exceptions are raised") func exception() async throws {
    let body = try Packer().pack(["E", [], "E()"])
    #expect(body.count <= 16)
    await #expect { try await result(body, isException: true) } throws: { ($0 as? RemoteError)?.name == "E" }
  }
}
