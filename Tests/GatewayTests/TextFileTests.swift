import Glibc
import Support
import Testing

@testable import Gateway

@Suite("A file of text", .inTurn(minutes: 1))
struct TextFileTests {
  @Test("that is a pipe holds up nobody: without a writer it is empty, and else read to its end")
  func pipe() async throws {
    let folder = try TemporaryDirectory()
    let pipe = folder.path + "/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(try TextFile.read(pipe) == "")
    #expect(try TextFile.readSecret(pipe) == "")
    let end = open(pipe, O_RDWR | O_CLOEXEC)
    #expect(write(end, "a: 1\n", 5) == 5)
    let text = Task { try await offThread { try TextFile.read(pipe) } }
    try await eventually("it is read") {
      var left: CInt = 0
      return ioctl(end, UInt(FIONREAD), &left) == 0 && left == 0
    }
    close(end)
    #expect(try await text.value == "a: 1\n")
  }
}
