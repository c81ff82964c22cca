import Foundation
import Glibc

/// A Python with aiozmq, when the environment names one.
public enum Python {
  /// The interpreter.
  public static let path = ProcessInfo.processInfo.environment["ZMQ_GATEWAY_PYTHON"]
  /// Whether there is one: `make test` installs it and sets `ZMQ_GATEWAY_PYTHON`.
  public static let isThere = path != nil
  /// Why tests are left out without it.
  public static let comment = "ZMQ_GATEWAY_PYTHON names no Python with aiozmq"

  /// Whether a program was installed beside the interpreter: those of an older environment may be fewer.
  public static func has(_ program: String) -> Bool {
    guard let path else { return false }
    let beside = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent(program).path
    return FileManager.default.isExecutableFile(atPath: beside)
  }

  /// A script of `Tests/Interop`.
  static func script(_ name: String) -> String {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return tests.appendingPathComponent("Interop/\(name)").path
  }

  /// Starts a script of `Tests/Interop`.
  public static func start(_ name: String, _ arguments: [String]) throws -> Subprocess {
    try Subprocess(path ?? "python3", [script(name)] + arguments)
  }

  /// Runs a script to its end and returns the lines it printed.
  public static func lines(of name: String, _ arguments: [String], input: String = "") async throws -> [JSON] {
    let process = try start(name, arguments)
    process.write(input)
    process.closeInput()
    let output = try await process.rest()
    try await process.ended()
    return output.split(separator: "\n").compactMap { JSON(String($0)) }
  }
}

/// The aiozmq service of `Tests/Interop/peer_server.py`, in a process of its own.
public struct PythonPeer: Sendable {
  public let process: Subprocess
  public let rpc: String
  public let pipeline: String
  public let pubsub: String
  public let publish: String

  /// One for all tests that change nothing in it. It ends when this process does.
  public static let shared = Task { try await PythonPeer() }

  /// Starts it and waits until it is ready.
  public init(_ arguments: String...) async throws {
    process = try Python.start("peer_server.py", ["--exit-on-eof", "--tick", "0"] + arguments)
    guard let line = try await process.line(), let ready = JSON(line) else {
      await process.destroy()
      throw Subprocess.Failed(description: "peer_server.py did not start")
    }
    rpc = ready["rpc"].text ?? ""
    pipeline = ready["pipeline"].text ?? ""
    pubsub = ready["pubsub"].text ?? ""
    publish = ready["publish"].text ?? ""
  }
}

extension String {
  /// As Python 3.11 words it. 3.13 says of a missing argument that it goes by name only.
  public var inEveryPython: String { replacing("required keyword-only argument", with: "required argument") }
}
