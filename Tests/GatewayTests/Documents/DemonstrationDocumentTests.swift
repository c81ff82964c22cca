import ConfigurationReader
import Foundation
import Support
import Testing

@testable import Gateway

@Suite("openapi/gateway.yaml", .inTurn(minutes: 3))
struct DemonstrationDocumentTests {
  private static let name = "openapi/gateway.yaml"

  @Test("is the document that the demonstration serves; make openapi writes it")
  func inStep() async throws {
    let text = try Repository.text(Self.name)
    let parts = try #require(OpenAPIDocument.parts(of: text))
    try await Cleanup.with { cleanup in
      let gateway = try await Rig.demonstration(prefix: "", cleanup)
      let served = try await gateway.http.get("/openapi.json").body
      let services = Self.services(try #require(JSON(served)))
      if ProcessInfo.processInfo.environment["ZMQ_GATEWAY_RENEW"] == nil {
        // Whole texts in a message help nobody.
        let isSame = parts.services == services
        #expect(isSame, "make openapi renews \(Self.name)")
        let isServed = String(decoding: try #require(try YAMLNode.read(text)).json, as: UTF8.self) == served
        #expect(isServed, "make openapi renews \(Self.name)")
      } else {
        let renewed = parts.before + services + OpenAPIDocument.divider + parts.after
        try renewed.write(toFile: Repository.path(Self.name), atomically: true, encoding: .utf8)
      }
    }
  }

  @Test("has each service of the demonstration, its methods and what they take, and the paths of any service")
  func contents() throws {
    let node = try #require(try YAMLNode.read(try Repository.text(Self.name)))
    let paths = try #require(JSON(String(decoding: node.json, as: UTF8.self)))["paths"]
    let own = paths.members.prefix { $0.key != "/rpc/{service}/{method}" }
    #expect(
      own.map { "\($0.value.members.map(\.key).joined(separator: " ")) \($0.key)" } == [
        "post get /rpc/calc/add", "post get /rpc/calc/div", "post get /rpc/calc/echo", "post /rpc/calc/fail",
        "post /rpc/calc/slow", "post /push/jobs/email", "post /push/jobs/resize", "post /pub/news/{topic}/say",
        "get /sub/news",
      ])
    let add = own[0].value["post"]["requestBody"]["content"]["application/json"]["schema"]
    #expect(add["required"] == ["a", "b"])
    #expect(paths.members.dropFirst(own.count).map(\.key) == (try APIDocument().root)["paths"].members.map(\.key))
  }

  /// The paths of services as they stand in the file.
  private static func services(_ document: JSON) -> String {
    var yaml = BlockYAML()
    for member in document["paths"].members.prefix(while: { $0.key != "/rpc/{service}/{method}" }) {
      yaml.append(member.key, member.value, indent: 2)
    }
    return "  # The services of the demonstration, which make openapi renews:\n" + yaml.text
  }
}
