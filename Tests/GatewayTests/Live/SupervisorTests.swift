import Foundation
import Glibc
import Reactor
import Support
import Testing

@Suite("A supervisor", .inTurn(minutes: 3), .enabled(if: Program.isThere, "no program is built beside the tests"))
struct SupervisorTests {
  /// A socket that the program tells how it is.
  private final class Listener: Sendable {
    let path: String
    private let descriptor: CInt

    init(_ directory: TemporaryDirectory) throws {
      path = String(directory.endpoint("notify").dropFirst("ipc://".count))
      descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
      var name = sockaddr_un()
      name.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &name.sun_path) { [path] in $0.copyBytes(from: path.utf8) }
      let result = withUnsafeBytes(of: &name) { name in
        name.withMemoryRebound(to: sockaddr.self) {
          bind(descriptor, $0.baseAddress, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      try #require(result == 0)
      var limit = timeval(tv_sec: 30, tv_usec: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// What is told next, besides that it is alive.
    func next(besides alive: Bool = true) async throws -> String {
      try await offThread { [descriptor] in
        var piece = [UInt8](repeating: 0, count: 1_024)
        while true {
          let count = recv(descriptor, &piece, piece.count, 0)
          guard count > 0 else { throw TimedOut("nothing is told") }
          let text = String(decoding: piece[..<count], as: UTF8.self)
          if !alive || text != "WATCHDOG=1" { return text }
        }
      }
    }
  }

  @Test("is told that the gateway listens, reloads, lives and stops") func told() async throws {
    try await Rig.with { rig in
      let listener = try Listener(rig.directory)
      let file = try rig.directory.file("gateway.yaml", "services: {}")
      let process = try Subprocess(
        "env",
        [
          "NOTIFY_SOCKET=\(listener.path)", "WATCHDOG_USEC=200000", try #require(Program.path), "serve", "--config",
          file,
          "--listen", "127.0.0.1:0",
        ], complaints: .withOutput)
      rig.cleanup.add { await process.destroy() }
      #expect(try await listener.next() == "READY=1")
      #expect(try await listener.next(besides: false) == "WATCHDOG=1")
      process.signal(SIGHUP)
      #expect(try await listener.next().wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=\d+/) != nil)
      #expect(try await listener.next() == "READY=1")
      process.signal(SIGTERM)
      #expect(try await listener.next() == "STOPPING=1")
      #expect(try await process.ended() == 0)
    }
  }
}
