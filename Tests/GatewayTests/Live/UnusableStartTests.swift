import Support
import Testing

@Suite("a start that cannot be", .inTurn(minutes: 3), .enabled(if: Program.isThere, "no program is built"))
struct UnusableStartTests {
  @Test("of an address that is given twice ends with 78, and too few files with 69, each with a clear word")
  func unusable() async throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file(
      "gateway.yaml",
      "http: { threads: 2 }\nservices:\n  calc:\n    pattern: rpc\n    connect: [\"ipc:///nowhere/x\"]\n")
    let twice = ["--listen", "127.0.0.1:9", "--listen", "localhost:9"]
    let program = try #require(Program.path)
    let process = try Subprocess(program, ["serve", "--config", file] + twice, complaints: .withOutput)
    #expect(try await process.rest().contains("localhost:9 is listed twice, as 127.0.0.1:9 too"))
    #expect(try await process.ended() == 78)
    for (files, command) in [(20, "demo"), (40, "serve --config \(file)"), (20, "serve --config \(file)")] {
      let process = try Subprocess(
        "sh", ["-c", "ulimit -n \(files); exec \"$0\" \(command) --listen 127.0.0.1:0", program],
        complaints: .withOutput)
      let output = try await process.rest()
      #expect(output.contains("the limit on open files is \(files)"), "\(output)")
      #expect(try await process.ended() == 69, "\(output)")
    }
  }
}
