import Foundation
import Gateway
import GatewaySecurity
import HTTPServer
import Support
import Testing

/// What `docs/security.md` shows of a service that decides, with the service of the page.
@Suite("docs/security.md", .inTurn(minutes: 4), .enabled(if: Python.isThere, "\(Python.comment)"))
struct SecurityTests {
  @Test("has a service in Python that decides, and a configuration that asks it")
  func decisions() async throws {
    let blocks = Readme(try Repository.text("docs/security.md")).blocks
    let script = try #require(blocks.first { $0.text.contains("class Authorizer") }).text
    let yaml = try #require(blocks.first { $0.text.contains("decision: { service: authorizer }") }).text
    try await Rig.with { rig in
      let (math, endpoint) = (try await rig.python(), rig.directory.endpoint("authorizer"))
      func moved(_ text: String) -> String { text.replacing("tcp://127.0.0.1:5599", with: endpoint) }
      let file = try rig.directory.file("authorizer.py", moved(script))
      let service = try Subprocess(Python.path ?? "", [file])
      rig.cleanup.add { await service.destroy() }
      let (alice, bob, carol) = (APIKey.random(), APIKey.random(), APIKey.random())
      _ = try rig.directory.file(
        "keys.yaml",
        "\(alice.digest.hex): { subject: alice }\n\(bob.digest.hex): { subject: bob, scopes: [read] }\n\(carol.digest.hex): { subject: carol }\n"
      )
      let more = """
          math: { pattern: rpc, connect: ["\(math.rpc)"] }
          news: { pattern: pubsub, subscribe: { connect: ["\(math.publish)"] } }
        """
      var configuration = try Configuration.load(yaml: moved(yaml) + more, file: rig.directory.path + "/gateway.yaml")
      configuration.http.listen = [.loopback(port: 0)]
      configuration.http.threads = 1
      configuration.auth.decision?.timeout = .seconds(20)
      let gateway = LiveGateway(try await Gateway.start(configuration, logger: Rig.logger))
      rig.cleanup.add { await gateway.stop() }
      try await eventually("the services") {
        try await gateway.http.post("/rpc/math/ping", headers: alice.header).status == 200
      }
      #expect(try await gateway.http.post("/rpc/math/add", "[2,3]", headers: bob.header).body == "5")
      for (caller, method, status) in [(bob, "delete_all", 403), (alice, "delete_all", 404)] {
        let reply = try await gateway.http.post("/rpc/math/\(method)", "[]", headers: caller.header)
        #expect(reply.status == status, "\(reply.body)")
      }
      #expect(try await gateway.http.post("/rpc/authorizer/decide", "[{}]", headers: alice.header).status == 404)
      for (caller, status) in [(bob, 200), (carol, 403)] {
        let stream = try await gateway.http.events("/sub/news", headers: caller.header)
        #expect(stream.head.status == status)
        stream.close()
      }
      // When it is gone what it has answered still holds, and all else is refused.
      await service.destroy()
      try await eventually("its end") {
        try await gateway.http.post("/rpc/math/mul", "[2,3]", headers: bob.header).json["code"] == "undecided"
      }
      #expect(try await gateway.http.post("/rpc/math/add", "[2,3]", headers: bob.header).body == "5")
    }
  }
}
