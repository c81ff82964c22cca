import Foundation
import Support
import Testing

@Suite(
  "Memory of the program", .inTurn(minutes: 3),
  .enabled(if: Program.isThere, "no program is built beside the tests"))
struct ReturnedMemoryTests {
  @Test(
    "the memory of long bodies and replies goes back to the system",
    .enabled(if: Python.isThere, "\(Python.comment)"))
  func memory() async throws {
    let peer = try await PythonPeer.shared.value
    let directory = try TemporaryDirectory()
    let file = try directory.file(
      "gateway.yaml",
      """
      http:
        limits: { body: 64MiB }
      services:
        calc: { pattern: rpc, connect: ["\(peer.rpc)"], timeout: 30s }
      """)
    try await Cleanup.with { cleanup in
      let process = try Program.start("serve", "--config", file, "--listen", "127.0.0.1:0", "--threads", "2")
      cleanup.add { await process.destroy() }
      let http = HTTPClient(port: try await process.port())
      try await eventually("a backend") { try await http.post("/rpc/calc/ping").status == 200 }
      let before = try process.residentMemory()
      let long = "[\"" + String(repeating: "x", count: 16 << 20) + "\"]"
      try await withThrowingTaskGroup(of: Int.self) { calls in
        for _ in 0..<4 { calls.addTask { try await http.post("/rpc/calc/echo", long).status } }
        for try await status in calls { #expect(status == 200) }
      }
      try await eventually("the memory is back") { try process.residentMemory() < before + 32 << 20 }
    }
  }

  @Test("a connection that rests after a request costs little memory, and takes the next request")
  func resting() async throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file("gateway.yaml", "http: { limits: { connections-per-address: 1000 } }")
    try await Cleanup.with { cleanup in
      let process = try Program.start("serve", "--config", file, "--listen", "127.0.0.1:0", "--threads", "1")
      cleanup.add { await process.destroy() }
      let port = try await process.port()
      func ask(_ connection: HTTPConnection) throws {
        connection.send("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(try connection.reply().status == 200)
      }
      // What the first connections need is not theirs alone.
      for _ in 0..<20 { try ask(HTTPConnection(port: port)) }
      let before = try process.residentMemory()
      // So many that what else the program comes to keep in that time, some hundred KiB, does not matter.
      let connections = try (0..<600).map { _ in try HTTPConnection(port: port) }
      for connection in connections { try ask(connection) }
      try await eventually("the memory of the heads is back") {
        try process.residentMemory() < before + 600 * 12 << 10
      }
      for connection in connections { try ask(connection) }
    }
  }

  @Test("a stream that waits costs little memory")
  func streams() async throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file(
      "gateway.yaml",
      """
      http: { limits: { connections-per-address: 2000 } }
      services: { news: { pattern: pubsub, subscribe: { connect: ["ipc:///nowhere/a"] } } }
      """)
    try await Cleanup.with { cleanup in
      let process = try Program.start("serve", "--config", file, "--listen", "127.0.0.1:0", "--threads", "1")
      cleanup.add { await process.destroy() }
      let port = try await process.port()
      func open(_ count: Int) throws -> [HTTPConnection] {
        try (0..<count).map { _ in
          let connection = try HTTPConnection(port: port)
          connection.send("GET /sub/news?topic=a HTTP/1.1\r\nHost: localhost\r\n\r\n")
          #expect(try connection.head().status == 200)
          return connection
        }
      }
      // What the first streams need is not theirs alone.
      let first = try open(100)
      let before = try process.residentMemory()
      let streams = try open(1_000)
      let each = (try process.residentMemory() - before) / streams.count
      #expect(each < 9 << 10, "a stream costs \(each) bytes")
      withExtendedLifetime((first, streams)) {}
    }
  }
}
