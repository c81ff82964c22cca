import MessagePack
import Support
import Testing
import ZeroMQ

/// What a service may answer, whatever it is written in.
@Suite("values that no Python sends", .inTurn(minutes: 3))
struct ForeignValueTests {
  /// A reply, what it is shown as, and the same reply as a client of MessagePack gets it, where that differs.
  static let replies: [(reply: [UInt8], json: String, packed: [UInt8]?)] = [
    ([0xA1, 0xFF], #"{"$bin":"/w=="}"#, nil),
    ([0xCA, 0x3F, 0x80, 0, 0], "1.0", nil),
    ([0xCA, 0x3D, 0xCC, 0xCC, 0xCD], "0.10000000149011612", nil),
    ([0xCA, 0x7F, 0xC0, 0, 0], "null", nil),
    ([0xCD, 0, 1], "1", nil),
    ([0xD3, 0, 0, 0, 0, 0, 0, 0, 1], "1", nil),
    ([0xD3, 0x80, 0, 0, 0, 0, 0, 0, 0], "-9223372036854775808", nil),
    ([0xD9, 1, 0x61], #""a""#, nil),
    ([0xDC, 0, 1, 0xC3], "[true]", nil),
    ([0xDF, 0, 0, 0, 1, 0xA0, 0xC0], #"{"":null}"#, nil),
    ([0x81, 0x90, 0xC0], #"{"[]":null}"#, nil),
    ([0x82, 0xA1, 0x61, 1, 0xA1, 0x61, 2], #"{"$map":[["a",1],["a",2]]}"#, nil),
    ([0x82, 1, 1, 0xA1, 0x31, 2], #"{"$map":[[1,1],["1",2]]}"#, nil),
    ([0xD6, 0xFF, 0, 0, 0, 0], #""1970-01-01T00:00:00Z""#, nil),
    ([0xD4, 0xFF, 0], #"{"$ext":[-1,"AA=="]}"#, nil),
    ([0xD4, 0xFE, 0], #"{"$ext":[-2,"AA=="]}"#, nil),
    ([0xD4, 0x7E, 0], #"{"$ext":[126,"AA=="]}"#, (["$ext": [126, .binary([0])]] as Value).packed),
  ]

  @Test(
    "are shown exactly, and pass as they came but for pickles", arguments: ["application/json", "application/msgpack"])
  func shown(accept: String) async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      for (bytes, json, packed) in Self.replies {
        async let answer = gateway.http.post("/rpc/s/any", headers: ["Accept": accept])
        try await backend.answer(try await backend.call(), bytes)
        let reply = try await answer
        #expect(reply.status == 200)
        if accept == "application/json" { #expect(reply.body == json) } else { #expect(reply.bytes == packed ?? bytes) }
      }
      for bytes: [UInt8] in [[], [0xC1], [0x91], [0xC0, 0xC0], [0xDD, 0xFF, 0xFF, 0xFF, 0xFF]] {
        async let answer = gateway.http.post("/rpc/s/any", headers: ["Accept": accept])
        try await backend.answer(try await backend.call(), bytes)
        let reply = try await answer
        #expect(reply.status == 502)
        #expect(reply.json["code"] == "bad-reply")
      }
    }
  }

  @Test("application types are shown in events as the service says")
  func events() async throws {
    try await Rig.with { rig in
      let publisher = try await rig.wire(.subscriptionAwarePublish)
      let gateway = try await rig.gateway(
        #"s: { pattern: pubsub, ext: { 10: text }, subscribe: { connect: ["\#(await publisher.endpoint)"] } }"#,
        threads: 1)
      let stream = try await gateway.http.events("/sub/s?topic=t")
      defer { stream.close() }
      for subscription in ["+", "+t"] { #expect(try await publisher.subscription() == subscription) }
      try await publisher.publish("t", "paid", [.ext(10, "12.50".bytes), .ext(11, [0])])
      var data: String?
      while data?.contains("paid") != true { data = try #require(try await stream.event()).data }
      #expect(data == #"{"topic":"t","method":"paid","args":["12.50",{"$ext":[11,"AA=="]}],"kwargs":{}}"#)
    }
  }
}
