import MessagePack
import Support
import Testing
import ZeroMQ

/// Replies as no aiozmq service would send them, and those at the edge of what is accepted.
@Suite("replies of any shape", .inTurn(minutes: 3))
struct ReplyTests {
  struct Reply: Sendable, CustomStringConvertible {
    let description: String
    var flag: UInt8? = 0
    var frames: [[UInt8]]
    var status = 502
    var code: String?
    var body: String?
  }

  static let replies: [Reply] = [
    .init(description: "a result", frames: [[0x07]], status: 200, body: "7"),
    .init(description: "no body frame", frames: [], code: "bad-reply"),
    .init(description: "three frames", frames: [[0x07], [0x07]], code: "bad-reply"),
    .init(description: "forty frames", frames: .init(repeating: [0x07], count: 40), code: "bad-reply"),
    .init(description: "an empty body", frames: [[]], code: "bad-reply"),
    .init(description: "no MessagePack", frames: [[0xC1]], code: "bad-reply"),
    .init(description: "two values", frames: [[1, 2]], code: "bad-reply"),
    .init(description: "a truncated array", frames: [[0x93, 1]], code: "bad-reply"),
    .init(
      description: "an array that claims four billion elements", frames: [[0xDD, 255, 255, 255, 255, 1]], code: nil),
    .init(description: "text that is no UTF-8", frames: [[0xA1, 0xFF]], status: 200, body: #"{"$bin":"/w=="}"#),
    .init(description: "a foreign ext", frames: [[0xD4, 5, 1]], status: 200, body: #"{"$ext":[5,"AQ=="]}"#),
    .init(description: "a date that is none", frames: [[0xD4, 127, 1]], status: 200, body: #"{"$ext":[127,"AQ=="]}"#),
    .init(
      description: "a map with a key twice", frames: [[0x82, 0xA1, 97, 1, 0xA1, 97, 2]], status: 200,
      body: #"{"$map":[["a",1],["a",2]]}"#),
    .init(
      description: "an exception", flag: 1, frames: [[0x92, 0xA1, 88, 0x90]], status: 500, code: "remote-exception"),
    .init(
      description: "an odd flag", flag: 9, frames: [[0x92, 0xA1, 88, 0x90]], status: 500, code: "remote-exception"),
    .init(description: "an exception that is no array", flag: 1, frames: [[0x07]], code: "bad-reply"),
    .init(description: "an exception of one element", flag: 1, frames: [[0x91, 0xA1, 88]], code: "bad-reply"),
    .init(
      description: "an exception of four", flag: 1, frames: [[0x94, 0xA1, 88, 0x90, 0xA1, 88, 1]], code: "bad-reply"),
    .init(description: "an exception named by a number", flag: 1, frames: [[0x92, 1, 0x90]], code: "bad-reply"),
    .init(
      description: "a relayed exception", flag: 1,
      frames: [
        Value.array([
          "aiozmq.rpc.base.GenericError", .array(["builtins.ValueError", .array(["x"]), "ValueError('x')"]), "<...>",
        ]).packed
      ], status: 400, code: "remote-exception"),
    .init(
      description: "a relayed exception of an unknown class", flag: 1,
      frames: [
        Value.array(["aiozmq.rpc.base.GenericError", .array(["x.Y", .array(["x"]), "Y('x')"]), "<...>"]).packed
      ], status: 502, code: "nested-call"),
    .init(
      description: "another method that was not found", flag: 1,
      frames: [Value.array(["aiozmq.rpc.base.NotFoundError", .array(["other"]), ""]).packed], status: 502,
      code: "nested-call"),
    .init(
      description: "64 levels", frames: [.init(repeating: 0x91, count: 63) + [0x90]], status: 200,
      body: String(repeating: "[", count: 64) + String(repeating: "]", count: 64)),
    .init(
      description: "65 levels", frames: [.init(repeating: 0x91, count: 64) + [0x90]], code: "reply-not-representable"),
  ]

  @Test("are answered, and the next call works", arguments: replies)
  func reply(_ reply: Reply) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      async let answer = gateway.http.post("/rpc/s/work")
      let call = try await backend.call()
      try await backend.send(call.envelope + [call.header + (reply.flag.map { [$0] } ?? [])] + reply.frames)
      let received = try await answer
      #expect(received.status == reply.status, "\(received.body)")
      if let body = reply.body { #expect(received.body == body) }
      if let code = reply.code { #expect(received.json["code"] == .string(code)) }
      if received.status != 200 { #expect(received.json["sent"] == true) }
      async let next: Void = backend.answerNext(1)
      #expect(try await gateway.http.post("/rpc/s/work").body == "1")
      try await next
    }
  }

  @Test("what answers no call is dropped, and the caller goes on waiting")
  func unknown() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      async let answer = gateway.http.post("/rpc/s/work")
      let call = try await backend.call()
      var other = call.replyHeader()
      other[4] &+= 1
      for frames: [[UInt8]] in [[other, [1]], [call.header, [1]], [[], [1]], [[]], [[], call.replyHeader(), [1]]] {
        try await backend.send(call.envelope + frames)
      }
      try await backend.answer(call, [2])
      #expect(try await answer.body == "2")
    }
  }

  @Test("a reply as long as the limit passes, one byte more does not", arguments: [(1_024, 200), (1_025, 502)])
  func length(count: Int, status: Int) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("reply-limit: 1KiB")
      async let answer = gateway.http.post("/rpc/s/work")
      try await backend.answerNext(.string(String(repeating: "a", count: count - 3)))
      let reply = try await answer
      #expect(reply.status == status)
      if status != 200 { #expect(reply.json["code"] == "reply-too-large") }
      async let next: Void = backend.answerNext(1)
      #expect(try await gateway.http.post("/rpc/s/work").body == "1")
      try await next
    }
  }

  @Test("a reply far beyond the limit ends the connection, which comes back by itself")
  func farTooLong() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("reply-limit: 1KiB")
      async let answer = gateway.http.post("/rpc/s/work")
      try await backend.answerNext(.string(String(repeating: "a", count: 5 << 10)))
      let reply = try await answer
      #expect(reply.status == 502)
      #expect(reply.json["code"] == "backend-lost")
      try await gateway.reaches(backend)
    }
  }

  @Test("an endpoint where something else answered is tried again until the backend is there")
  func stranger() async throws {
    try await Rig.with { rig in
      // A PULL refuses the handshake of a caller, and libzmq gives such an endpoint up for good.
      let stranger = try await rig.wire(.pull)
      let gateway = try await rig.gateway(#"s: { pattern: rpc, connect: ["\#(await stranger.endpoint)"] }"#, threads: 1)
      for _ in 0..<20 {
        let reply = try await gateway.http.post("/rpc/s/work")
        #expect(reply.status == 503)
      }
      await stranger.close()
      let backend = try await rig.wire(.router)
      try await gateway.reaches(backend)
    }
  }

  @Test("elements count on the way in and on the way out", arguments: [(9, true), (10, false)])
  func elements(count: Int, passes: Bool) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(http: "limits: { elements: 10 }")
      let numbers = "[" + Array(repeating: "1", count: count).joined(separator: ",") + "]"
      if passes {
        async let answer = gateway.http.post("/rpc/s/work", numbers)
        try await backend.answerNext(.array(Array(repeating: 1, count: count)))
        #expect(try await answer.body == numbers)
      } else {
        let refused = try await gateway.http.post("/rpc/s/work", numbers)
        #expect(refused.status == 422)
        #expect(refused.json["code"] == "not-encodable")
        async let answer = gateway.http.post("/rpc/s/work")
        try await backend.answerNext(.array(Array(repeating: 1, count: count)))
        #expect(try await answer.json["code"] == "reply-too-large")
      }
    }
  }

  @Test("arguments as deep as the limit pass, one level more does not", arguments: [(6, 200), (7, 422)])
  func depth(levels: Int, status: Int) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(http: "limits: { depth: 6 }")
      let nested = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
      async let answer = gateway.http.post("/rpc/s/work", nested)
      if status == 200 { try await backend.answerNext(.nil) }
      #expect(try await answer.status == status)
    }
  }

  @Test(
    "a body as long as the limit passes, one byte more does not", arguments: [(100, 200), (101, 413)], [false, true])
  func body(length: (count: Int, status: Int), isChunked: Bool) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend(http: "chunked: accept\nlimits: { body: 100 }")
      let text = "[\"" + String(repeating: "a", count: length.count - 4) + "\"]"
      let connection = try HTTPConnection(port: gateway.http.port)
      let type = ["Content-Type": "application/json"]
      if isChunked {
        connection.send("POST", "/rpc/s/work", headers: type.merging(["Transfer-Encoding": "chunked"]) { $1 })
        connection.send("\(String(length.count, radix: 16))\r\n\(text)\r\n0\r\n\r\n".bytes)
      } else {
        connection.send("POST", "/rpc/s/work", headers: type, body: text.bytes)
      }
      if length.status == 200 { try await backend.answerNext(.nil) }
      let reply = try await offThread { try connection.reply() }
      #expect(reply.status == length.status)
      if length.status == 413 { #expect(reply.headers["gateway-error"] == "body-too-large") }
    }
  }

  @Test("a body longer than the limit for no service is told of the service")
  func bodyForNobody() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend(http: "limits: { body: 100 }")
      let reply = try await gateway.http.post("/rpc/nothing/work", String(repeating: " ", count: 101))
      #expect(reply.status == 404)
      #expect(reply.headers["gateway-error"] == "no-such-service")
    }
  }
}
