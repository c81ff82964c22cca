import HTTPServer
import Support
import Testing

@Suite("Methods", .inTurn(minutes: 3))
struct HTTPMethodTests {
  private func method(_ text: String) -> HTTPMethod { Array(text.utf8).withUnsafeBytes { HTTPMethod($0) } }

  @Test("each is found by its name", arguments: HTTPMethod.allCases.filter { $0 != .other })
  func named(known: HTTPMethod) {
    #expect(method("\(known.name)") == known)
  }

  @Test(
    "any other name is another method",
    arguments: ["", "get", "Get", "GE", "GETT", "PURGE", "PATCh", "TRACE", "DELETED", "OPTION", "CONNECT", "GET\0"])
  func other(text: String) {
    #expect(method(text) == .other)
  }

  @Test("a set holds its methods and no others")
  func set() {
    let set: HTTPMethod.Set = [.post, .get, .options, .head]
    for method in HTTPMethod.allCases {
      #expect(set.contains(method) == [.get, .head, .post, .options].contains(where: { $0 == method }))
    }
    #expect(set.allow == "GET, HEAD, POST, OPTIONS")
    #expect(([.patch, .delete, .put] as HTTPMethod.Set).allow == "PUT, DELETE, PATCH")
    #expect(!([.other] as HTTPMethod.Set).contains(.other))
    #expect(([] as HTTPMethod.Set).allow == "")
  }
}
