import Gateway
import Support
import Testing

/// Settings of methods, before a Python service. `make test` sets ZMQ_GATEWAY_PYTHON.
@Suite(
  "methods with settings of their own", .inTurn(minutes: 3), .enabled(if: Python.isThere, "\(Python.comment)"))
struct MethodSettingsLiveTests {
  private func gateway(_ rig: Rig) async throws -> LiveGateway {
    let peer = try await PythonPeer.shared.value
    let gateway = try await rig.gateway(
      """
      s:
        pattern: rpc
        connect: ["\(peer.rpc)"]
        timeout: 10s
        errors: { map: { KeyError: 418, ValueError: 422 } }
        methods:
          settings:
            "slo*": { timeout: 100ms, max-timeout: 200ms }
            exc.KeyError: { errors: { expose: class, map: { KeyError: 410 } } }
      """, threads: 1)
    try await gateway.isConnected("/rpc/s/ping")
    return gateway
  }

  @Test("have their own timeout, and their own longest one")
  func timeouts() async throws {
    try await Rig.with { rig in
      let http = try await gateway(rig).http
      for query in ["", "?_timeout=60", "?_timeout=0.05"] {
        let took = try await ContinuousClock().measure {
          let reply = try await http.post("/rpc/s/slow\(query)", "[20]")
          #expect(reply.json["code"] == "timeout")
        }
        // The method takes twenty, the service would wait for ten.
        #expect(took < .seconds(8))
      }
      let document =
        #"[{"jsonrpc":"2.0","method":"slow","params":[2],"id":1},{"jsonrpc":"2.0","method":"ping","id":2}]"#
      let batch = try await http.post("/jsonrpc/s", document)
      #expect(batch.json[0]["error"]["data"]["code"] == "timeout")
      #expect(batch.json[1]["result"] == "pong")
      #expect(try await http.post("/rpc/s/slow", "[0.001]").status == 200)
    }
  }

  @Test("answer errors in their own way, else as the service does")
  func errors() async throws {
    try await Rig.with { rig in
      let http = try await gateway(rig).http
      let own = try await http.post("/rpc/s/exc.KeyError", #"["k"]"#)
      #expect(own.status == 410)
      #expect(own.json["exception"] == ["type": "builtins.KeyError"])
      let other = try await http.post("/rpc/s/raise_builtin", #"["KeyError","k"]"#)
      #expect(other.status == 418)
      #expect(other.json["exception"]["args"] == ["k"])
      #expect(try await http.post("/rpc/s/exc.ValueError", "[]").status == 422)
    }
  }
}
