import Foundation
import Support
import Testing

@Suite(
  "Memory of the program", .inTurn(minutes: 4), .enabled(if: Program.isThere, "no program is built beside the tests"))
struct FreedMemoryTests {
  @Test(
    "that many connections of TLS have used goes back to the system when they are closed",
    .enabled(if: TestAuthority.isThere, "\(TestAuthority.comment)"))
  func connections() async throws {
    let directory = try TemporaryDirectory()
    let authority = try await TestAuthority(in: directory)
    let tls = authority.tls(try await authority.issue("server"))
    let yaml = """
      http: { listen: ["127.0.0.1:0"], limits: { connections: 5000, connections-per-address: 5000 }, \(tls) }
      log: { access: false }
      services: {}
      """
    let process = try Program.start("serve", try directory.file("gateway.yaml", yaml))
    let port = try await process.port()
    let mebibytes = { try Self.resident(process.pid) >> 20 }
    let before = try mebibytes()
    let crowd = try Python.start("tls_crowd.py", ["\(port)", authority.own.certificate, "2000"])
    #expect(try await crowd.line() == "held")
    let held = try mebibytes()
    #expect(held > before + 24, "\(before) \(held)")
    crowd.write("leave\n")
    _ = try await crowd.rest()
    try await eventually("the memory to be given back", within: .seconds(60)) {
      try mebibytes() < before + (held - before) / 2
    }
    await process.destroy()
  }

  /// Bytes of a process that are in memory.
  private static func resident(_ process: Int32) throws -> Int {
    let pages = try String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8).split(separator: " ")[1]
    return Int(pages).map { $0 * Int(getpagesize()) } ?? 0
  }
}
