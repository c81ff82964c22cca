import MessagePack
import Support
import Testing
import ZeroMQ

@Suite("http.limits.memory", .inTurn(minutes: 3))
struct MemoryLimitTests {
  private let long = "[\"" + String(repeating: "x", count: 700_000) + "\"]"

  @Test("calls that a backend does not read are refused when they fill it, and short ones are not")
  func frozen() async throws {
    try await Rig.with { rig in
      var options = SocketOptions()
      (options.receiveHighWaterMark, options.heartbeat) = (1, .zero)
      let backend = try await rig.wire(.router, options: options)
      let endpoint = await backend.endpoint
      let gateway = try await rig.gateway(
        "s: { pattern: rpc, connect: [\"\(endpoint)\"], timeout: 50s }", http: "limits: { memory: 3MiB }")
      try await gateway.reaches(backend)
      await backend.pause(true)
      let port = gateway.http.port
      let (replies, reply) = AsyncStream.makeStream(of: HTTPReply.self)
      for _ in 0..<12 {
        Task { reply.yield(try await HTTPClient(port: port).post("/rpc/s/work", long)) }
      }
      var all = replies.makeAsyncIterator()
      let refused = await all.next()
      #expect(refused?.status == 503)
      #expect(refused?.json["code"] == "overloaded")
      #expect(refused?.json["sent"] == false)
      #expect(refused?.json["detail"].text?.contains("memory") == true)
      Task { reply.yield(try await HTTPClient(port: port).post("/rpc/s/short", "[1]")) }
      try await eventually("the short call is under way") {
        try await HTTPClient(port: port).post("/rpc/s/short?_timeout=0.001", "[1]").status == 504
      }
      await backend.pause(false)
      let answering = Task { while true { try await backend.answer(try await backend.call(), [0xC0]) } }
      defer { answering.cancel() }
      var statuses = [503]
      while statuses.count < 13, let next = await all.next() { statuses.append(next.status) }
      #expect(statuses.contains(200))
      #expect(statuses.allSatisfy { $0 == 200 || $0 == 503 })
    }
  }

  @Test("an answer that cannot be kept is told of as one, and the call as sent")
  func answer() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(http: "limits: { memory: 2MiB }")
      let call = Task { try await gateway.http.post("/rpc/s/work", "[]") }
      // JSON writes each of these as six.
      let controls = [UInt8](repeating: 1, count: 0x80000)
      try await backend.answer(try await backend.call(), [0xDB, 0, 0x08, 0, 0] + controls)
      let reply = try await call.value
      #expect(reply.status == 502)
      #expect(reply.json["code"] == "reply-too-large")
      #expect(reply.json["sent"] == true)
      let fitting = Task { try await gateway.http.post("/rpc/s/work", "[]") }
      try await backend.answer(
        try await backend.call(), [0xDB, 0, 0x0F, 0, 0] + [UInt8](repeating: 0x78, count: 0xF0000))
      #expect(try await fitting.value.status == 200)
    }
  }

  @Test("a worker that reads nothing takes its service's part of the memory, and other services have room")
  func stalled() async throws {
    try await Rig.with { rig in
      var options = SocketOptions()
      (options.receiveHighWaterMark, options.heartbeat) = (1, .zero)
      let workers = [
        try await rig.wire(.pull, bind: rig.directory.endpoint("a"), options: options),
        try await rig.wire(.pull, bind: rig.directory.endpoint("b"), options: options),
      ]
      let backend = try await rig.wire(.router)
      let gateway = try await rig.gateway(
        """
        a: { pattern: pipeline, connect: ["\(await workers[0].endpoint)"] }
        b: { pattern: pipeline, connect: ["\(await workers[1].endpoint)"] }
        s: { pattern: rpc, connect: ["\(await backend.endpoint)"] }
        """, http: "limits: { memory: 16MiB }", threads: 1)
      try await gateway.reaches(backend)
      for worker in workers { await worker.pause(true) }
      for service in ["a", "b"] {
        var accepted = 0
        while try await gateway.connectedPost("/push/\(service)/work", long).status == 202 { accepted += 1 }
        // The second has half of what the first has left.
        #expect(accepted >= (service == "a" ? 8 : 4))
        let refused = try await gateway.http.post("/push/\(service)/work", long)
        #expect(refused.json["code"] == "overloaded")
        #expect(refused.json["detail"].text?.contains("memory") == true)
      }
      async let answer = backend.answerNext(.nil)
      #expect(try await gateway.http.post("/rpc/s/work", long).status == 200)
      try await answer
      for worker in workers { await worker.pause(false) }
      for service in ["a", "b"] {
        try await eventually("room again") { try await gateway.http.post("/push/\(service)/work", long).status == 202 }
      }
    }
  }
}
