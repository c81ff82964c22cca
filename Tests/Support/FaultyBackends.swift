import Foundation

/// The backends of `Tests/Interop/faulty_backends.py`: killed, frozen and brought back in some milliseconds. They end with their
/// parent process.
public actor FaultyBackends {
  /// What a backend is; the script tells more.
  public enum Kind: String, Sendable {
    case raw, aiozmq, hostile, noise, dialer
    case aiozmqDialer = "aiozmq-dialer"

    /// Whether it connects to the gateway, at the file `gateway` of the directory.
    public var dials: Bool { self == .dialer || self == .aiozmqDialer }
  }

  private let process: Subprocess
  private let journal: FileHandle
  private var unread = Data()
  /// How often each token ran.
  private var ran: [String: Int] = [:]
  private var runs: [String: Int] = [:]
  /// How many were killed.
  public private(set) var kills = 0

  /// Starts their parent. Their endpoints are files in the directory.
  public init(in directory: TemporaryDirectory) async throws {
    let path = try directory.file("journal", "")
    guard let journal = FileHandle(forReadingAtPath: path) else { throw Subprocess.Failed(description: "no journal") }
    self.journal = journal
    process = try Python.start("faulty_backends.py", [directory.path])
    guard try await process.line() == "ready" else {
      await process.destroy()
      throw Subprocess.Failed(description: "faulty_backends.py did not start")
    }
  }

  /// Starts a backend, and returns when it is bound.
  public func start(_ name: String, _ kind: Kind = .raw) async throws {
    try await command("start \(name) \(kind.rawValue)")
  }

  /// Ends it with SIGKILL, and returns when it is gone.
  public func kill(_ name: String) async throws {
    try await command("kill \(name)")
    kills += 1
  }

  /// Stops it (SIGSTOP): its connections stand, and it does nothing.
  public func freeze(_ name: String) async throws { try await command("freeze \(name)") }

  /// Has it go on.
  public func thaw(_ name: String) async throws { try await command("thaw \(name)") }

  /// How many calls ran there.
  public func runs(at name: String) -> Int {
    read()
    return runs[name, default: 0]
  }

  /// How often the call with that token ran.
  public func runs(of token: String) -> Int {
    read()
    return ran[token, default: 0]
  }

  /// Ends all of them.
  public func end() async {
    process.closeInput()
    await process.destroy()
  }

  private func command(_ text: String) async throws {
    process.write(text + "\n")
    guard try await process.line() == "done" else { throw Subprocess.Failed(description: "\(text): not done") }
  }

  private func read() {
    // It returns what it has read in one go, which may be less than there is.
    while case let more = journal.availableData, !more.isEmpty { unread += more }
    guard let end = unread.lastIndex(of: 0x0A) else { return }
    for line in unread[..<end].split(separator: 0x0A) {
      let words = String(decoding: line, as: UTF8.self).split(separator: " ").map(String.init)
      ran[words[0], default: 0] += 1
      runs[words[1], default: 0] += 1
    }
    unread = Data(unread[(end + 1)...])
  }
}
