import Foundation
import MessagePack
import Support
import Testing
import ZeroMQ

@testable import Gateway

@Suite("CURVE", .inTurn(minutes: 3))
struct CurveTests {
  /// Writes a file that only its owner may read.
  private func secret(_ rig: Rig, _ name: String, _ text: String) throws -> String {
    let path = try rig.directory.file(name, text + "\n")
    try #require(chmod(path, 0o600) == 0)
    return path
  }

  @Test("reaches backends that know it by its key, in each pattern, and tells why one does not take it")
  func patterns() async throws {
    try await Rig.with { rig in
      let (server, client, stranger) = (try CurveKeyPair(), try CurveKeyPair(), try CurveKeyPair())
      var options = SocketOptions()
      options.security = .curveServer(server, domain: nil)
      let backend = try await rig.wire(.router, bind: rig.directory.endpoint("r"), options: options)
      let worker = try await rig.wire(.pull, bind: rig.directory.endpoint("p"), options: options)
      let publisher = try await rig.wire(.subscriptionAwarePublish, bind: rig.directory.endpoint("x"), options: options)
      let key = try secret(rig, "client.key", client.secretKey.text)
      let curve = "curve: { server-key: \"\(server.publicKey)\", secret-key: \"file:\(key)\" }"
        .replacing("$", with: "$$")
      let wrong = "curve: { server-key: \"\(stranger.publicKey)\", secret-key: \"file:\(key)\" }"
        .replacing("$", with: "$$")
      let services = """
        s: { pattern: rpc, connect: ["\(await backend.endpoint)"], \(curve) }
        jobs: { pattern: pipeline, connect: ["\(await worker.endpoint)"], \(curve) }
        news: { pattern: pubsub, subscribe: { connect: ["\(await publisher.endpoint)"] }, \(curve) }
        wrong: { pattern: rpc, required: false, connect: ["\(await backend.endpoint)"], \(wrong) }
        plain: { pattern: rpc, required: false, connect: ["\(await backend.endpoint)"] }
        """
      let configuration = try Configuration.load(
        yaml: "services:\n\(services.indented(by: 2))", file: rig.directory.path + "/gateway.yaml")
      let outcomes = await ConnectionCheck(configuration).run()
      #expect(
        outcomes.map { $0.fault?.code } == [nil, nil, nil, .rejected, .wrongMechanism], "\(outcomes)")
      let gateway = try await rig.gateway(services, threads: 1)
      try await gateway.reaches(backend)
      try await eventually("a worker") { try await gateway.http.post("/push/jobs/m").status == 202 }
      #expect(try await worker.receive().count == 3)
      let stream = try await gateway.http.events("/sub/news?topic=a")
      #expect(try await publisher.subscription() == "+")
      try await publisher.publish("a", "one")
      try await eventually("the event") { try await stream.event()?.json["method"] == "one" }
      func reason(_ service: String) async throws -> JSON {
        try await gateway.http.get("/status").json["services"][service]["endpoints"][0]["reason"]
      }
      try await eventually("the reason of the wrong key") { try await reason("wrong") == "rejected" }
      try await eventually("the reason of no key") { try await reason("plain") == "wrong-mechanism" }
    }
  }

  @Test("needs keys that are keys, in files of which nobody else may read the secret one") func configuration() throws {
    let directory = try TemporaryDirectory()
    let (server, client) = (try CurveKeyPair(), try CurveKeyPair())
    let secret = try directory.file("client.key", client.secretKey.text + "\n")
    let open = try directory.file("server.pub", "\(server.publicKey)\n")
    func read(_ curve: String, _ socket: String = "connect: [\"tcp://127.0.0.1:5555\"]") throws -> Configuration.Curve?
    {
      let yaml = "services: { s: { pattern: rpc, \(socket), curve: \(curve) } }"
      return try Configuration.load(yaml: yaml, file: "test.yaml").services[0].curve
    }
    let good = "{ server-key: \"file:\(open)\", secret-key: \"file:\(secret)\" }"
    try #require(chmod(secret, 0o640) == 0)
    let fault = #expect(throws: (any Error).self) { try read(good) }
    #expect(fault.map { "\($0)" }?.contains("chmod 600") == true)
    try #require(chmod(secret, 0o600) == 0)
    // A key may hold dollars, which mean nothing there; doubled ones are taken as elsewhere.
    var dollar = server
    while !"\(dollar.publicKey)".contains("$") { dollar = try CurveKeyPair() }
    for text in ["\(dollar.publicKey)", "\(dollar.publicKey)".replacing("$", with: "$$")] {
      #expect(try read("{ server-key: \"\(text)\", secret-key: \"file:\(secret)\" }")?.serverKey == dollar.publicKey)
    }
    let curve = try read(good)
    #expect(curve?.serverKey == server.publicKey && curve?.own == client)
    for bad in [
      "{ server-key: \"file:\(open)\" }", "{ secret-key: \"file:\(secret)\" }", "{}",
      "{ server-key: short, secret-key: \"file:\(secret)\" }", "{ server-key: \"file:\(open)\", secret-key: secret }",
      "{ server-key: \"file:/nowhere\", secret-key: \"file:\(secret)\" }",
    ] { #expect(throws: (any Error).self, "\(bad)") { try read(bad) } }
    #expect(throws: (any Error).self) { try read(good, "bind: [\"tcp://127.0.0.1:5555\"]") }
  }

  @Test(
    "has keys that the command keygen curve makes",
    .enabled(if: Program.isThere, "no program is built beside the tests"))
  func keygen() async throws {
    let directory = try TemporaryDirectory()
    let base = String(directory.endpoint("gateway").dropFirst("ipc://".count))
    func make() async throws -> (output: String, code: CInt) {
      let process = try Program.start("keygen", "curve", "--file", base)
      return (try await process.rest(), try await process.ended())
    }
    let (output, code) = try await make()
    #expect(code == 0)
    let secret = try String(contentsOfFile: base + ".key", encoding: .utf8).dropLast()
    let pair = try CurveKeyPair(CurveSecretKey(String(secret)))
    #expect(output == "\(pair.publicKey)\n")
    #expect(try String(contentsOfFile: base + ".pub", encoding: .utf8) == output)
    var status = stat()
    #expect(stat(base + ".key", &status) == 0 && status.st_mode & 0o777 == 0o600)
    for name in ["", directory.path + "/"] {
      let nameless = try await Program.run(["keygen", "curve", "-f", name])
      #expect(nameless.code == 64 && nameless.output.contains("--file: "), "\(nameless.output)")
    }
    // It writes over nothing.
    #expect(try await make().code == 73)
  }
}
