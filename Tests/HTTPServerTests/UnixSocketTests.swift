import Foundation
import Support
import Testing

@testable import HTTPServer

@Suite("Unix sockets", .inTurn(minutes: 2), .enabled(if: TestAuthority.isThere, "\(TestAuthority.comment)"))
struct UnixSocketTests {
  private func ask(_ path: String, _ target: String) async throws -> String {
    try await TestAuthority.run("curl", ["-sS", "--unix-socket", path, "http://localhost\(target)"]).output
  }

  @Test("serve calls and streams, and all their clients have one address")
  func served() async throws {
    let directory = try TemporaryDirectory()
    let (path, open) = (directory.path + "/s", OpenConnections(limit: 9, perAddress: 1))
    try await Fixture.with(at: "unix:\(path)", openConnections: open) { fixture in
      #expect(fixture.address.description == "unix:\(path)")
      #expect(fixture.address.isLoopback)
      #expect(try await ask(path, "/x") == "/x 0")
      try await eventually("the place to be free") { open.count == 0 }
      #expect(try await ask(path, "/long").utf8.count == Script.longText.utf8.count)
      let streaming = Task { try await ask(path, "/stream") }
      await fixture.until { script, _ in script.streams.count == 1 }
      #expect(try await ask(path, "/y") == "overloaded")
      await fixture.on { script, _ in
        script.streams[0].put("event")
        script.streams[0].end()
      }
      #expect(try await streaming.value == "event")
    }
  }

  @Test("end the connection of a reader that stands still, and not that of one that reads on")
  func slowReader() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/s"
    let still =
      "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
      + "s.sendall(b'GET /long HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'); sys.stdin.read()"
    try await Fixture.with(at: "unix:\(path)") { fixture in
      let client = try Subprocess("python3", ["-c", still, path])
      await fixture.until { script, _ in script.handled == 1 }
      try await fixture.advance(by: .seconds(3), times: 5)
      #expect(await fixture.on { _, server in server.connections } == 1)
      try await fixture.advance(by: .seconds(10), times: 4)
      await fixture.until { _, server in server.connections == 0 && server.isIdle }
      await client.destroy()
    }
    // Reads a piece for each line that it is given, and says how much that was.
    let steady =
      "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
      + "s.sendall(b'GET /long HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n');"
      + "[print(len(s.recv(1 << 20, socket.MSG_WAITALL)), flush=True) for _ in sys.stdin]"
    // A child of another test may still have the first listener, between its fork and its exec.
    let other = directory.path + "/t"
    try await Fixture.with(at: "unix:\(other)") { fixture in
      let client = try Subprocess("python3", ["-c", steady, other])
      for _ in 0..<Script.longText.utf8.count >> 20 {
        client.write("\n")
        #expect(try await client.line() == "\(1 << 20)")
        try await fixture.advance(by: .seconds(20), times: 1)
      }
      await client.destroy()
    }
  }

  @Test("are files of the mode that was chosen, and replace one at which nobody listens, and no other")
  func files() throws {
    let directory = try TemporaryDirectory()
    let address = try ListenAddress("unix:\(directory.path)/s")
    let first = try Listener.open(address, mode: 0o600)
    func mode() throws -> Int? {
      try FileManager.default.attributesOfItem(atPath: directory.path + "/s")[.posixPermissions] as? Int
    }
    #expect(try mode() == 0o600)
    #expect(throws: HTTPServerError.self) { try Listener.open(address) }
    let stale = try #require(UnixSocketFile(of: first))
    first.leave()
    let second = try Listener.open(address)
    #expect(try mode() == 0o660)
    // It is another one's by now.
    stale.remove()
    #expect(try mode() == 0o660)
    UnixSocketFile(of: second)?.remove()
    #expect(!FileManager.default.fileExists(atPath: directory.path + "/s"))
    second.close()
    _ = try directory.file("s", "text")
    #expect(throws: HTTPServerError.self) { try Listener.open(address) }
    #expect(FileManager.default.fileExists(atPath: directory.path + "/s"))
  }

  @Test("of a process that has gone are replaced by one of those who come, and the others are told")
  func race() async throws {
    let directory = try TemporaryDirectory()
    let address = try ListenAddress("unix:\(directory.path)/s")
    for round in 0..<50 {
      try Listener.open(address).leave()
      let opened = await withTaskGroup(of: Listener?.self) { group in
        for _ in 0..<4 { group.addTask { try? Listener.open(address) } }
        return await group.reduce(into: [Listener]()) { if let listener = $1 { $0.append(listener) } }
      }
      #expect(opened.count == 1, "round \(round)")
      // It is that one which is there, and its file is its own.
      #expect(throws: HTTPServerError.self) { try Listener.open(address) }
      for listener in opened { listener.leave() }
    }
  }

  @Test("are put into a directory that another process holds to itself, or that cannot be read")
  func turns() async throws {
    let directory = try TemporaryDirectory()
    let address = try ListenAddress("unix:\(directory.path)/s")
    let holder = try Subprocess(
      "python3",
      [
        "-c",
        "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], 0), 2); print('held', flush=True); sys.stdin.read()",
        directory.path,
      ])
    #expect(try await holder.line() == "held")
    let first = try Listener.open(address)
    // After a while without its turn, it removes no socket at which somebody listens either.
    #expect(throws: HTTPServerError.self) { try Listener.open(address) }
    first.close()
    await holder.destroy()
  }

  @Test("do not change the mode of what somebody puts in their place")
  func links() throws {
    let directory = try TemporaryDirectory()
    let own = try directory.file("own", "text")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: own)
    try FileManager.default.createSymbolicLink(atPath: directory.path + "/s", withDestinationPath: own)
    #expect(throws: HTTPServerError.self) { try Listener.open(try ListenAddress("unix:\(directory.path)/s")) }
    #expect(throws: HTTPServerError.self) { try UnixSocketFile.setMode(0o666, at: directory.path + "/s") }
    #expect(try FileManager.default.attributesOfItem(atPath: own)[.posixPermissions] as? Int == 0o600)
  }

  @Test("have whole paths that fit")
  func paths() throws {
    let longest = "/" + String(repeating: "x", count: 106)
    #expect(try ListenAddress("unix:\(longest)").path == longest)
    for text in ["unix:", "unix:s", "unix:/", "unix:/a/", "unix:\(longest)x", "unix:/a\u{0}b"] {
      #expect(throws: ListenAddress.Invalid.self) { try ListenAddress(text) }
    }
    #expect(try ListenAddress("unix:/a").isSame(as: ListenAddress("unix:/a")))
    #expect(try !ListenAddress("unix:/a").isSame(as: ListenAddress("unix:/b")))
  }
}

extension Listener {
  /// Nobody listens there from now on. A close alone is not enough for that: a child that another test starts meanwhile has the socket
  /// too, between its fork and its exec.
  fileprivate func leave() {
    shutdown(descriptor, CInt(SHUT_RDWR))
    close()
  }
}
