import Gateway
import MessagePack
import Support
import Testing
import ZeroMQ

/// Services that are asked what they can be called with. `make test` sets ZMQ_GATEWAY_PYTHON.
@Suite("A service that describes itself", .inTurn(minutes: 3))
struct DescriptionTests {
  private static let service = """
    s:
      pattern: rpc
      connect: ["ENDPOINT"]
      describe: true
      methods: { hide: ["inner.none"], safe: [add] }
    """

  @Test(
    "has its methods in the documents, with their types, as far as callers reach them",
    .enabled(if: Python.isThere, "\(Python.comment)"))
  func python() async throws {
    try await Rig.with { rig in
      let peer = try Python.start("peer_describe.py", [])
      rig.cleanup.add { await peer.destroy() }
      let endpoints = JSON(try await peer.line() ?? "")?["rpc"].elements.compactMap(\.text) ?? []
      let yaml = Self.service.replacing("ENDPOINT", with: try #require(endpoints.first))
      let gateway = try await rig.gateway(yaml, threads: 2)
      let paths = try await eventually("the description") { () -> JSON? in
        let paths = try await gateway.http.get("/openapi.json").json["paths"]
        return paths["/rpc/s/add"]["post"]["summary"] == "The sum of two numbers." ? paths : JSON?.none
      }
      #expect(
        paths.members.prefix { $0.key != "/rpc/{service}/{method}" }.map(\.key) == [
          "/rpc/s/add", "/rpc/s/inner.all", "/rpc/s/join",
        ])
      let add = paths["/rpc/s/add"]["post"]
      #expect(add["description"] == .null)
      #expect(
        add["requestBody"]["content"]["application/json"]["schema"].description
          == #"{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer","default":2}},"required":["a"],"additionalProperties":false}"#
      )
      #expect(paths["/rpc/s/add"]["get"]["parameters"].elements.map { $0["name"] }.prefix(2) == ["a:", "b:"])
      let all = paths["/rpc/s/inner.all"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
      #expect(all.description == #"{"type":"array","items":{"type":["number","null"]}}"#)

      let home = try await gateway.http.get("/").json["services"].elements[0]["methods"].elements
      #expect(home.map { $0["name"] } == ["add", "inner.all", "join"])
      let file = try rig.directory.file("openapi.yaml", try await gateway.http.get("/openapi.yaml").body)
      let validator = try Subprocess(
        Python.path ?? "", ["-m", "openapi_spec_validator", file], complaints: .withOutput)
      let output = try await validator.rest()
      #expect(try await validator.ended() == 0, "\(output)")

      let configuration = try Configuration.load(yaml: "services:\n" + yaml.indented(by: 2), file: "gateway.yaml")
      let asked = await OpenAPIDocument(asking: configuration)
      #expect(String(decoding: asked.json, as: UTF8.self) == (try await gateway.http.get("/openapi.json").body))
    }
  }

  @Test("that does not know how is told of once, and has the methods that the configuration names")
  func silent() async throws {
    try await Rig.with { rig in
      let log = RecordingLog()
      let backend = try await rig.wire(.router)
      let yaml = Self.service.replacing("ENDPOINT", with: await backend.endpoint)
      let gateway = try await rig.gateway(yaml, threads: 1, logger: log.logger())
      let call = try await backend.call()
      #expect(call.method == "rpc.describe")
      try await backend.answer(call, [0x01])
      try await eventually("a warning") {
        log.lines.contains { $0.contains("does not tell what it can be called with") }
      }
      let paths = try await gateway.http.get("/openapi.json").json["paths"]
      #expect(paths.members.prefix { $0.key != "/rpc/{service}/{method}" }.map(\.key) == ["/rpc/s/add"])
    }
  }

  @Test(
    "that does not know how is told of by check --connect, which is satisfied with it", .enabled(if: Program.isThere))
  func checked() async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let endpoint = await backend.endpoint
      let answering = Task {
        while let call = try? await backend.call() {
          let notFound: Value = ["aiozmq.rpc.base.NotFoundError", ["rpc.describe"], "NotFoundError('rpc.describe')"]
          try await backend.answer(call, notFound.packed, isException: true)
        }
      }
      rig.cleanup.add { answering.cancel() }
      let yaml = "services:\n" + Self.service.replacing("ENDPOINT", with: endpoint).indented(by: 2)
      let (output, code) = try await Program.run(["check", "--connect", rig.directory.file("g.yaml", yaml)])
      #expect(code == 0)
      #expect(output.contains("\ns \(endpoint): ok\n"), "\(output)")
      let told = "\ns: describe: it does not tell what it can be called with: "
      #expect(output.contains(told) && output.contains("rpc.describe"), "\(output)")
    }
  }
}
