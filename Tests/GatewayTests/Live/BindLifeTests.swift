import Gateway
import Logging
import Support
import Testing
import ZeroMQ

/// How services whose peers connect to the gateway begin and end, and what the log tells of them.
@Suite("the life of services that are bound", .inTurn(minutes: 3))
struct BindLifeTests {
  @Test("are told of in the log: that nobody comes, who does not fit, that somebody comes, that the last one goes")
  func log() async throws {
    try await Rig.with { rig in
      let log = RecordingLog()
      let configuration = try Configuration.load(
        yaml: """
          http: { listen: ["127.0.0.1:0"], threads: 2 }
          services:
            s: { pattern: rpc, bind: "\(rig.directory.endpoint("s"))" }
            t: { pattern: pipeline, bind: "tcp://127.0.0.1:*" }
          """, file: "test.yaml")
      let gateway = LiveGateway(try await Gateway.start(configuration, logger: log.logger(.info)))
      rig.cleanup.add { await gateway.stop() }
      func lines(_ service: String) -> [String] { log.lines.filter { $0.contains("service=\(service)") } }
      let beginning = "info: bound, for peers that connect endpoint=tcp://127.0.0.1:"
      let first = try #require(lines("t").first)
      #expect(first.hasPrefix(beginning))
      let port = try #require(UInt16(first.dropFirst(beginning.count).prefix { $0.isNumber }))
      try await eventually("a warning") { lines("s").last?.hasPrefix("warning: no connection: nobody has") == true }
      // One that goes before it is known what it is.
      try HTTPConnection(port: port).disconnect()
      try await eventually("what came, and did not stay") {
        let line = "warning: no connection: nobody has connected to it but peers that left in ZeroMQ's handshake: "
        return lines("t").last?.hasPrefix(line) == true
      }
      #expect(try await gateway.http.post("/push/t/m").json["reason"] == "no-peer")
      let wrong = try await rig.dial(.push, "s")
      try await eventually("another reason") {
        lines("s").last?.hasPrefix("warning: no connection: a peer came that does not go with it: rpc needs ROUTER")
          == true
      }
      #expect(try await gateway.http.post("/rpc/s/m").json["reason"] == "wrong-socket-type")
      let right = try await rig.dial(.router, "s")
      try await eventually("it is connected") { lines("s").last?.hasPrefix("notice: connected") == true }
      await right.close()
      try await eventually("it is gone") {
        lines("s").contains { $0.hasPrefix("warning: the last connection is lost; whoever connects next is used") }
      }
      await wrong.close()
    }
  }

  @Test("need an endpoint that is free: else the start fails, says whose it is, and leaves the others free")
  func inUse() async throws {
    try await Rig.with { rig in
      let taken = try await rig.wire(.pull, bind: "tcp://127.0.0.1:*")
      let endpoint = await taken.endpoint
      let path = rig.directory.endpoint("file")
      let first = try await rig.gateway(#"s: { pattern: rpc, bind: "\#(path)" }"#)
      let places = [(endpoint, "rpc"), (endpoint, "pipeline"), (path, "rpc")]
      for (number, (place, pattern)) in places.enumerated() {
        // libzmq lets go of an endpoint a moment after its socket has closed: each start has its own.
        let services = """
          free: { pattern: pipeline, bind: "\(rig.directory.endpoint("free\(number)"))" }
          jobs: { pattern: \(pattern), bind: "\(place)" }
          """
        do {
          _ = try await rig.gateway(services)
          Issue.record("\(place) was bound twice")
        } catch let error as UnusableService {
          #expect(error.service == "jobs")
          #expect(error.error.code == .addressInUse)
          #expect(error.description.contains(place))
        }
        let configuration = try Configuration.load(
          yaml: "services:\n" + services.indented(by: 2), file: "test.yaml")
        try await eventually("the other one is free") {
          await ConnectionCheck(configuration).run().map { $0.fault?.code } == [nil, .inUse]
        }
      }
      _ = first
    }
  }

  @Test("a stop waits for calls of both threads, and each has its answer")
  func stop() async throws {
    try await Rig.with { rig in
      let (gateway, sockets) = try await BoundServices.backends(rig, "timeout: 20s")
      let connections = try BoundServices.names.flatMap { name in
        try (0..<4).map { _ in try gateway.http.begin("POST", "/rpc/\(name)/m", headers: ["Content-Length": "0"]) }
      }
      var calls: [[WireCall]] = []
      for socket in sockets {
        var own: [WireCall] = []
        for _ in 0..<4 { own.append(try await socket.call()) }
        calls.append(own)
      }
      async let stopped: Void = gateway.stop()
      try await eventually("the gateway stops") {
        (try? await gateway.http.get("/ready").status) != 200
      }
      for (socket, own) in zip(sockets, calls) { for call in own { try await socket.answer(call, [8]) } }
      for connection in connections {
        let reply = try await offThread { try connection.reply() }
        #expect(reply.status == 200)
        #expect(reply.body == "8")
        connection.disconnect()
      }
      await stopped
    }
  }
}
