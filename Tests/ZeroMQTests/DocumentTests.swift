import Foundation
import Support
import Testing

@testable import ZeroMQ

// What `docs/zeromq.md` shows of all but streams. Its code is that of this file, line for line. It is built and not run: it listens at fixed ports.

private struct Directory {
  func user(of key: CurvePublicKey) async throws -> String? { nil }
}

private final class Events: TransportDelegate {}

private final class Nobody: TransportDelegate {}

private func security(_ directory: Directory) async throws -> SocketOptions {
  let server = try CurveKeyPair()  // once; server.secretKey.text goes into a file that only its owner may read
  let client = try CurveKeyPair()

  var options = SocketOptions()
  options.security = .curveServer(server, domain: "orders")

  let authenticator = try await Authenticator.open()  // of Context.shared
  await authenticator.allow(AllowList(keys: [client.publicKey: "alice"]), in: "orders")

  await authenticator.decide(in: "orders") { request in
    guard case .curve(let key) = request.credentials, let user = try await directory.user(of: key) else { return .deny }
    return .allow(user: user, properties: ["Role": "clerk"])
  }
  return options
}

private func monitor(_ transport: Transport) async throws {
  for await event in try await transport.monitor() { print(event) }  // handshakeRefused(400) at tcp://10.0.0.5:5555
}

private func subscriber() async throws {
  let publisher = try await Transport.open(.publish, bind: ["tcp://*:5556"]) {
    $0.watchesSubscribers = true
  } delegate: {
    Events()
  }
  try await publisher.waitForSubscriber(of: "news.eu".utf8, within: .seconds(10))  // to it, or to a prefix: "news"
}

private func between() async throws {
  let router = try await Transport.open(.router, bind: ["tcp://*:5559"]) { Nobody() }
  let dealer = try await Transport.open(.dealer, bind: ["tcp://*:5560"]) { Nobody() }
  try await proxy(router, dealer)
}

@Suite("the library as it is documented", .inTurn(minutes: 3))
struct DocumentTests {
  @Test("each piece of code that the document shows stands in a test") func same() throws {
    let here = URL(fileURLWithPath: #filePath)
    let root = here.appendingPathComponent("../../..").standardized
    let page = try String(contentsOf: root.appendingPathComponent("docs/zeromq.md"), encoding: .utf8)
    let streams = here.appendingPathComponent("../Stream/StreamDocumentTests.swift").standardized
    let lines = try [here, streams].flatMap { try Self.lines(of: String(contentsOf: $0, encoding: .utf8)) }
    let blocks = page.components(separatedBy: "```swift\n").dropFirst().map { rest in
      Self.lines(of: rest.components(separatedBy: "```")[0])
    }
    #expect(blocks.count == 7)
    for block in blocks {
      #expect(lines.indices.contains { lines[$0...].starts(with: block) }, "\(block)")
    }
  }

  /// The lines that are not empty, without their indentation.
  private static func lines(of text: String) -> [String] {
    text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
  }
}
