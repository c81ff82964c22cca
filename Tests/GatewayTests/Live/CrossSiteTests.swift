import MessagePack
import Support
import Testing

/// What a browser would send for pages of its own and of other origins, as bytes. What browsers do is shown by BrowserTests.
@Suite("A request of a page", .inTurn(minutes: 3))
struct CrossSiteTests {
  /// A request, without its length, and whether a foreign page must have sent it.
  struct Case: CustomStringConvertible {
    let request: String
    let isForeign: Bool
    var isFetch: Bool { request.hasPrefix("GET") || request.hasPrefix("HEAD") }
    var description: String { request.split(separator: "\r\n").joined(separator: " | ") }

    init(_ headers: String..., method: String = "POST", host: String = "localhost:8080", isForeign: Bool) {
      request =
        (["\(method) /rpc/s/refused HTTP/1.1", "Host: \(host)"] + headers).map { $0 + "\r\n" }.joined()
      self.isForeign = isForeign
    }
  }

  static let foreign: [Case] = [
    "https://evil.example", "http://evil.example:8080", "null", "", "localhost:8080", "http://localhost",
    "http://localhost:8081", "https://localhost", "http://127.0.0.1:8080", "http://localhost:8080.evil.example",
    "http://evil.localhost:8080", "http://localhost:8080/", "ftp://localhost:8080",
    "http://localhost:8080@evil.example",
    "http://", "chrome-extension://abcdef",
  ].map { Case("Origin: \($0)", isForeign: true) }

  static let sites: [Case] = ["cross-site", "same-site", "", "any", "none, cross-site"].map {
    Case("Sec-Fetch-Site: \($0)", isForeign: true)
  }

  static let twice = [
    Case("Origin: http://localhost:8080", "Origin: https://evil.example", isForeign: true),
    Case("Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site", isForeign: true),
    Case("Origin: http://localhost:8080", "Sec-Fetch-Site: cross-site", isForeign: true),
    Case("Origin: https://evil.example", "Sec-Fetch-Site: same-origin", isForeign: true),
  ]

  static let methods: [Case] = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get"].map {
    Case("Origin: https://evil.example", method: $0, isForeign: true)
  }

  static let own = [
    Case(isForeign: false),
    Case("Sec-Fetch-Site: same-origin", isForeign: false), Case("Sec-Fetch-Site: none", isForeign: false),
    Case("Origin: http://localhost:8080", isForeign: false), Case("Origin: https://localhost:8080", isForeign: false),
    Case("Origin: HTTP://LocalHost:8080", isForeign: false),
    Case("Origin: http://localhost", host: "localhost", isForeign: false),
    Case("Origin: http://localhost", host: "LOCALHOST.:80", isForeign: false),
    Case("Origin: https://localhost", host: "localhost:443", isForeign: false),
    Case("Origin: http://localhost:443", host: "localhost:80", isForeign: true),
    Case("Origin: http://[::1]:8080", host: "[::1]:8080", isForeign: false),
    Case("Origin: http://[::1]", host: "[::1]", isForeign: false),
    Case("Origin: http://[::2]", host: "[::1]", isForeign: true),
    Case("Origin: https://evil.example", method: "GET", isForeign: false),
    Case("Origin: https://evil.example", "Sec-Fetch-Site: cross-site", method: "HEAD", isForeign: false),
  ]

  @Test("is refused when another origin's, whatever the method and the body, and else not")
  func refused() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      for each in Self.foreign + Self.sites + Self.twice + Self.methods + Self.own {
        for body in each.isFetch ? [""] : ["", "[1]"] {
          let comment = Comment(rawValue: "\(each) | \(body)")
          let connection = try HTTPConnection(port: gateway.http.port)
          defer { connection.disconnect() }
          let type = "Content-Type: \(body.isEmpty ? "text/plain" : "application/json")"
          connection.send("\(each.request)\(type)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
          // What runs arrives at the backend before this does.
          connection.send("POST", "/rpc/s/marker", body: [])
          var calls: [String] = []
          while calls.last != "marker" {
            let call = try await backend.call()
            calls.append(call.method)
            try await backend.answer(call, [0xC0])
          }
          let reply = try await offThread { try connection.reply(isHead: each.request.hasPrefix("HEAD")) }
          #expect((reply.status == 403) == each.isForeign, comment)
          #expect((reply.headers["gateway-error"] == "cross-site") == each.isForeign, comment)
          #expect(reply.headers["access-control-allow-origin"] == nil, comment)
          #expect(calls.count == (each.isForeign || each.isFetch ? 1 : 2), comment)
        }
      }
    }
  }

  @Test("is refused before its path is looked at, and before its long body is read")
  func early() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend()
      let foreign = ["Origin": "https://evil.example"]
      for target in ["/nowhere", "/live", "/rpc/s/_hidden", "/rpc/absent/m"] {
        #expect(try await gateway.http.post(target, headers: foreign).headers["gateway-error"] == "cross-site")
      }
      let headers = foreign.merging(["Content-Length": "1000000"]) { $1 }
      let reply = try await gateway.http.send("POST", "/rpc/s/m", headers: headers)
      #expect(reply.status == 403)
      #expect(reply.headers["connection"] == "close")
    }
  }

  @Test("of HTTP/1.0 that names no host is another origin's")
  func hostless() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend()
      let connection = try HTTPConnection(port: gateway.http.port)
      defer { connection.disconnect() }
      connection.send("POST /rpc/s/m HTTP/1.0\r\nOrigin: http://localhost\r\n\r\n")
      #expect(try await offThread { try connection.reply() }.status == 403)
    }
  }

  @Test("that is curl's default type is read as JSON when no page can have sent it")
  func form() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      let form = ["Content-Type": "application/x-www-form-urlencoded"]
      let call = Task { try await gateway.http.post("/rpc/s/m", "[1]", headers: form) }
      try await backend.answerNext(Value.nil)
      #expect(try await call.value.status == 200)
      let own = form.merging(["Origin": "http://localhost"]) { $1 }
      #expect(try await gateway.http.post("/rpc/s/m", "[1]", headers: own).status == 415)
    }
  }
}
