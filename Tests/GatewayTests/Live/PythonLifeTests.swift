import Support
import Testing

/// Python services that are slow, die, come back, or no longer hear. `make test` sets ZMQ_GATEWAY_PYTHON.
@Suite("the life of a Python service", .inTurn(minutes: 3), .enabled(if: Python.isThere, "\(Python.comment)"))
struct PythonLifeTests {
  @Test("RPC-10: a slow method is given up at the deadline, and the service is fine afterwards")
  func slow() async throws {
    let http = try await Rig.http
    let time = try await duration {
      let reply = try await http.post("/rpc/math/slow", "[15]", headers: ["Request-Timeout": "0.3"])
      #expect(reply.status == 504)
      #expect(reply.json["code"] == "timeout")
      #expect(reply.json["sent"] == true)
      let diagnosis = reply.json["diagnosis"]
      #expect(diagnosis["connectedSince"].text?.hasSuffix("Z") == true)
      #expect(["method-slow", "backend-stalled"].contains(diagnosis["verdict"]))
    }
    #expect(time >= .milliseconds(300))
    // The service would wait for ten.
    #expect(time < .seconds(8))
    #expect(try await http.post("/rpc/math/slow", #"[0.01,"in time"]"#).body == #""in time""#)
  }

  @Test("RPC-14: slow calls of one connection run side by side")
  func parallel() async throws {
    let http = try await Rig.http
    let time = try await duration {
      try await withThrowingTaskGroup { group in
        for _ in 0..<10 {
          group.addTask {
            let reply = try await http.post("/rpc/math/slow", "[1]")
            #expect(reply.status == 200)
          }
        }
        try await group.waitForAll()
      }
    }
    // One after the other they take ten.
    #expect(time < .seconds(8))
  }

  @Test("a method that never answers runs into the deadline: 504", arguments: ["danger.cancelled", "danger.surrogate"])
  func silent(method: String) async throws {
    let reply = try await Rig.http.post("/rpc/math/\(method)?_timeout=0.2")
    #expect(reply.status == 504)
  }

  @Test("a service that is killed fails its calls at once, and is used again when it is back")
  func killed() async throws {
    try await Rig.with { rig in
      let endpoint = rig.directory.endpoint("s")
      let first = try await PythonPeer("--rpc", endpoint)
      rig.cleanup.add { await first.process.destroy() }
      let gateway = try await rig.gateway(#"s: { pattern: rpc, connect: ["\#(endpoint)"], timeout: 20s }"#)
      try await gateway.isConnected("/rpc/s/ping")
      async let reply = gateway.http.post("/rpc/s/slow", "[15]")
      // The handler runs when a later call has been answered.
      try await eventually("the slow call has begun") { try await gateway.http.post("/rpc/s/ping").status == 200 }
      await first.process.destroy()
      let lost = try await reply
      #expect([502, 503].contains(lost.status))
      #expect(lost.json["sent"] == .bool(lost.status == 502))
      // Each shard hears of the loss by itself.
      try await eventually("no backend is left") {
        try await gateway.http.post("/rpc/s/ping").json["code"] == "no-backend"
      }
      let second = try await PythonPeer("--rpc", endpoint)
      rig.cleanup.add { await second.process.destroy() }
      let time = try await duration { try await gateway.isConnected("/rpc/s/ping") }
      #expect(time < .seconds(8))
    }
  }

  @Test("a service that no longer hears is reached over a fresh connection after three deadlines in a row")
  func deaf() async throws {
    try await Rig.with { rig in
      let peer = try await rig.python()
      // Only deadlines that the service itself sets, or longer ones, count as silence.
      let gateway = try await rig.gateway(
        #"s: { pattern: rpc, connect: ["\#(peer.rpc)"], timeout: 200ms }"#, threads: 1)
      try await gateway.isConnected("/rpc/s/ping")
      #expect(try await gateway.http.post("/rpc/s/danger.items.x?_timeout=0.2").status == 504)
      var deadlines = 1
      try await eventually("an answer") {
        let reply = try await gateway.http.post("/rpc/s/ping?_timeout=0.2")
        if reply.status == 504 { deadlines += 1 }
        return reply.status == 200
      }
      #expect((1...5).contains(deadlines))
      #expect(try await gateway.http.post("/rpc/s/add", "[2,3]").body == "5")
    }
  }

  @Test("RPC-7: two services share the calls, and one alone takes all when the other dies")
  func two() async throws {
    try await Rig.with { rig in
      async let second = rig.python()
      let peers = [try await rig.python(), try await second]
      let gateway = try await rig.gateway(
        "s:\n  pattern: rpc\n  connect: [\"\(peers[0].rpc)\", \"\(peers[1].rpc)\"]", threads: 1)
      try await gateway.isConnected("/rpc/s/ping")
      var counts: [Int: Int] = [:]
      try await eventually("both answer") {
        let pid = try await gateway.http.post("/rpc/s/stats").json["pid"].integer ?? 0
        counts[pid, default: 0] += 1
        return counts.count == 2
      }
      await peers[0].process.destroy()
      try await eventually("the loss is noticed") {
        for _ in 0..<10 where try await gateway.http.post("/rpc/s/ping?_timeout=0.5").status != 200 { return false }
        return true
      }
      #expect(try await gateway.http.post("/rpc/s/stats").json["pid"].integer == Int(peers[1].process.pid))
    }
  }
}
