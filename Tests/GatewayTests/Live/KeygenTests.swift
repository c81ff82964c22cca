import Foundation
import GatewaySecurity
import Support
import Testing

@testable import Gateway

@Suite("keygen apikey", .inTurn(minutes: 3), .enabled(if: Program.isThere, "no program is built beside the tests"))
struct KeygenTests {
  @Test("prints a key once, and writes the line by which a gateway knows it, behind what is there")
  func file() async throws {
    let folder = try KeyFolder("\(KeyFolder.digest): { subject: first }")
    let path = folder.directory.path + "/keys.yaml"
    var texts: [String] = []
    for (subject, scopes) in [("alice", ["read", "write"]), (#"a"\${HOME}$b#:"#, []), ("alice", [])]
      as [(String, [String])]
    {
      let (output, code) = try await run(
        ["--subject", subject, "--file", path] + scopes.flatMap { ["--scope", $0] })
      #expect(code == 0 && output.hasSuffix("\n"))
      texts.append(String(output.dropLast()))
    }
    let keys = try folder.load().auth.keys
    #expect(keys.map(\.subject) == ["first", "alice", #"a"\${HOME}$b#:"#, "alice"])
    #expect(keys.map(\.scopes) == [[], ["read", "write"], [], []])
    for (text, key) in zip(texts, keys.dropFirst()) {
      #expect(text.utf8.span.withUnsafeBytes { SecretDigest(of: $0) } == key.digest)
      #expect(try !String(contentsOfFile: path, encoding: .utf8).contains(text))
    }
  }

  @Test(
    "adds to a file without keys, whatever else it has",
    arguments: [
      "", "\n", "{}", "{}\n", "# ours\n{}\n", "# ours\n  # too\n~\n", "# ours\n", "---\n{} # none\n", "~\n", "null",
    ])
  func empty(text: String) async throws {
    let folder = try KeyFolder(text)
    let path = folder.directory.path + "/keys.yaml"
    for subject in ["alice", "bob"] {
      let (output, code) = try await run(["--subject", subject, "--file", path], complaints: .withOutput)
      #expect(code == 0, "\(output)")
    }
    #expect(try folder.load().auth.keys.map(\.subject) == ["alice", "bob"])
    if text.hasPrefix("#") { #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix("# ours\n")) }
  }

  @Test(
    "gives no key when the file would not have it, and leaves that as it is",
    arguments: [
      ("{ \(KeyFolder.digest): { subject: a } }\n", "do not stand one on each line"), ("a: {\n", "not YAML"),
      ("\(KeyFolder.digest): { subjct: a }\n", "did you mean \"subject\"?"), ("- a\n", "expected a mapping"),
    ])
  func unfit(text: String, reason: String) async throws {
    let folder = try KeyFolder(text)
    let path = folder.directory.path + "/keys.yaml"
    let process = try Subprocess(
      try #require(Program.path), ["keygen", "apikey", "--subject", "b", "--file", path], complaints: .withOutput)
    let output = try await process.rest()
    #expect(try await process.ended() == 78)
    #expect(output.hasPrefix(path + ":"))
    // Nothing is told of a text that is not there.
    if reason.contains("each line") { #expect(output.split(separator: "\n").count == 1, "\(output)") }
    #expect(output.contains(reason) && !output.contains("zgk_"), "\(output)")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
  }

  @Test("makes the file for nobody else to read, and tells what is wrong")
  func faults() async throws {
    let directory = try TemporaryDirectory()
    #expect(try await run(["--subject", "a", "--file", directory.path + "/new.yaml"]).code == 0)
    let mode = try FileManager.default.attributesOfItem(atPath: directory.path + "/new.yaml")[.posixPermissions] as? Int
    #expect(mode == 0o600)
    let nowhere = try await run(["--subject", "a", "--file", directory.path + "/no/new.yaml"], complaints: .withOutput)
    #expect(nowhere.code == 73 && nowhere.output.hasSuffix("cannot be written: no such file or directory\n"))
    #expect(try await run(["--subject", "a b"]).code == 64)
    #expect(try await run([]).code == 64)
    #expect(try await run(["--subject", "a", "-f", ""]).code == 64)
  }

  private func run(
    _ arguments: [String], complaints: Subprocess.Complaints = .dropped
  ) async throws -> (output: String, code: Int32) {
    let process = try Subprocess(
      try #require(Program.path), ["keygen", "apikey"] + arguments, complaints: complaints)
    let output = try await process.rest()
    return (output, try await process.ended())
  }
}
