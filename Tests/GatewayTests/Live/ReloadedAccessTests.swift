import GatewaySecurity
import MessagePack
import Support
import Testing
import ZeroMQ

@testable import Gateway

@Suite("A reload that changes who may ask, and how much", .inTurn(minutes: 4))
struct ReloadedAccessTests {
  @Test("takes keys, rules and origins over")
  func keys() async throws {
    try await Rig.with { rig in
      let (old, new) = (APIKey.random(), APIKey.random())
      let gateway = try await rig.gateway("{}", auth: try rig.auth((old, "alice", [])))
      #expect(try await gateway.http.get("/ready", headers: old.header).status == 200)
      let cors = "cors: { origins: [\"https://app.example\"] }"
      try await gateway.reload("{}", http: cors, auth: try rig.auth((new, "alice", [])))
      #expect(try await gateway.http.get("/openapi.json", headers: old.header).status == 401)
      let listed = new.header.merging(["Origin": "https://app.example"]) { $1 }
      let reply = try await gateway.http.get("/openapi.json", headers: listed)
      #expect(reply.status == 200 && reply.headers["access-control-allow-origin"] == "https://app.example")
    }
  }

  @Test("ends streams whose clients have to be asked who they are, or have other limits, from then on")
  func strangers() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let services = "s: { pattern: pubsub, subscribe: { connect: [\"\(await publisher.endpoint)\"] } }"
      let first = try await gateway.http.events("/sub/s?topic=a")
      let limited = try await gateway.reload(services, limits: "{ streams: 1 }")
      #expect(limited.changed == ["limits"])
      try await eventually("the end of the first") { try await first.event().map { $0.name == "auth" } ?? true }
      let second = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await gateway.http.get("/sub/s?topic=a").status == 429)
      let auth = try rig.auth((APIKey.random(), "alice", []))
      let known = try await gateway.reload(services, auth: auth, limits: "{ streams: 1 }")
      #expect(known.changed == ["auth.keys"])
      try await eventually("the end of the second") { try await second.event().map { $0.name == "auth" } ?? true }
      #expect(try await gateway.http.get("/sub/s?topic=a").status == 401)
    }
  }

  @Test("ends the watched calls of clients that have other limits, and lets calls be watched from then on")
  func watches() async throws {
    try await Rig.with { rig in
      let more = ["methods: { safe: [get] }", "watch: { interval: 20ms }"]
      let (backend, gateway) = try await rig.backend(more.joined(separator: "\n"))
      let service =
        "s: { pattern: rpc, connect: [\"\(await backend.endpoint)\"], \(more.joined(separator: ", ")) }"
      let answering = Task {
        var count = 0
        while !Task.isCancelled {
          count += 1
          try await backend.answerNext(.int(Int64(count)))
        }
      }
      rig.cleanup.add { answering.cancel() }
      func watch() async throws -> EventReader {
        try await gateway.http.events("/rpc/s/get?_watch=20ms", headers: ["Accept": "text/event-stream"])
      }
      let first = try await watch()
      #expect(try await first.event()?.data == "1")
      try await gateway.reload(service, limits: "{ rate: 100/s }")
      var last: EventReader.Block?
      while let event = try await first.event() { last = event }
      #expect(last?.name == "auth" && last?.data == #"{"reason":"revoked"}"#)
      let second = try await watch()
      defer { second.close() }
      for _ in 0..<3 {
        let event = try #require(try await second.event())
        #expect(event.name == nil)
      }
    }
  }

  @Test("gives a connection that is kept the limits that are new")
  func limits() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(LiveGateway.other, threads: 1, limits: "{ rate: 1/h, burst: 1 }")
      let connection = try HTTPConnection(port: gateway.http.port)
      func status() async throws -> Int {
        connection.send("GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".bytes)
        return try await offThread { try connection.reply() }.status
      }
      func post() async throws -> Int {
        connection.send("POST /push/other/m HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".bytes)
        return try await offThread { try connection.reply() }.status
      }
      #expect(try await status() == 200)
      #expect(try await post() == 503)
      #expect(try await post() == 429)
      try await gateway.reload(LiveGateway.other, limits: "{ rate: 100/s, burst: 9 }")
      #expect(try await post() == 503)
    }
  }
}
