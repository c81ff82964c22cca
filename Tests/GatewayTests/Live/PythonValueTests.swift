import Support
import Testing

/// The table of docs/values.md that tells what becomes of Python's values. `make test` sets ZMQ_GATEWAY_PYTHON.
@Suite("values of Python", .inTurn(minutes: 3), .enabled(if: Python.isThere, "\(Python.comment)"))
struct PythonValueTests {
  /// The cells of the rows that have code in each, by how many there are.
  private static func rows(of columns: Int) throws -> [[String]] {
    let page = try Repository.text("docs/values.md")
    let section = page.split(separator: "\n## ").first { $0.hasPrefix("Python's types") } ?? ""
    return section.split(separator: "\n").compactMap { line in
      let cells = line.matches(of: /`([^`]+)`/).map { String($0.1) }
      return line.hasPrefix("| `") && cells.count == columns && line.filter { $0 == "|" }.count == columns + 1
        ? cells : nil
    }
  }

  private func withGateway(_ body: (HTTPClient) async throws -> Void) async throws {
    try await Rig.with { rig in
      let python = try Python.start("python_values.py", [])
      rig.cleanup.add { await python.destroy() }
      let endpoint = try #require(try await python.line())
      let gateway = try await rig.gateway("s: { pattern: rpc, connect: [\"\(endpoint)\"] }", threads: 1)
      try await gateway.isConnected("/rpc/s/shown")
      try await body(gateway.http)
    }
  }

  @Test("come to clients, and back, as the table says")
  func both() async throws {
    let rows = try Self.rows(of: 3)
    #expect(rows.count > 20)
    try await withGateway { http in
      for row in rows {
        let given = try await http.post("/rpc/s/value", "\(JSON.array([.string(row[0])]))")
        #expect(given.status == 200 && given.body == row[1], "\(row[0])")
        let back = try await http.post("/rpc/s/shown", "[\(row[1])]")
        #expect(back.status == 200 && back.json.text == row[2], "\(row[1])")
      }
    }
  }

  @Test("that aiozmq does not send are told as the table says")
  func refused() async throws {
    let rows = try Self.rows(of: 2)
    #expect(rows.count > 5)
    try await withGateway { http in
      for row in rows {
        let reply = try await http.post("/rpc/s/value", "\(JSON.array([.string(row[0])]))")
        #expect(reply.status == 500 && reply.json["detail"].text == row[1], "\(row[0])")
      }
    }
  }
}
