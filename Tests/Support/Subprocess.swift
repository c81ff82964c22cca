import Foundation
public import Glibc
import Reactor

/// A program that runs beside the test, with pipes to its input and from its output.
public final class Subprocess: Sendable {
  /// It could not be started, or it ended too early.
  public struct Failed: Error, CustomStringConvertible {
    public let description: String
    public init(description: String) { self.description = description }
  }

  /// Where its standard error goes.
  public enum Complaints { case dropped, withOutput }

  public let pid: pid_t
  private let input: Guarded<CInt>
  private let output: CInt
  private let read = Guarded<[UInt8]>([])
  private let status: Guarded<CInt?>
  /// Waits for its end, from its beginning on: whoever waits for any child, as exit tests do, is told of one that has ended and nobody has waited
  /// for, and of no other.
  private let end: Task<CInt, Never>

  /// Starts a program; one without a slash in its name is looked for in the path.
  public init(_ program: String, _ arguments: [String], complaints: Complaints = .dropped) throws {
    let (stdin, stdout) = (try Self.pipe(), try Self.pipe())
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, stdin.read, 0)
    posix_spawn_file_actions_adddup2(&actions, stdout.write, 1)
    switch complaints {
    case .dropped: posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    case .withOutput: posix_spawn_file_actions_adddup2(&actions, stdout.write, 2)
    }
    var arguments: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var pid: pid_t = 0
    let failure = posix_spawnp(&pid, program, &actions, nil, &arguments, environ)
    _ = close(stdin.read)
    _ = close(stdout.write)
    self.pid = pid
    input = Guarded(stdin.write)
    output = stdout.read
    let status = Guarded<CInt?>(nil)
    self.status = status
    end = Task {
      guard failure == 0 else { return -1 }
      return await withCheckedContinuation { done in
        Thread.detachNewThread { [pid] in done.resume(returning: Self.wait(for: pid, status)) }
      }
    }
    if failure != 0 { throw Failed(description: "\(program): \(String(cString: strerror(failure)))") }
  }

  deinit {
    closeInput()
    _ = close(output)
    if pid > 0 { signal(SIGKILL) }
  }

  private static func wait(for pid: pid_t, _ status: Guarded<CInt?>) -> CInt {
    var information = siginfo_t()
    // First without taking it away: until its end is known here, its number is nobody else's.
    while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
    return status.withLock { status in
      var raw: CInt = 0
      while waitpid(pid, &raw, 0) < 0, errno == EINTR {}
      let result = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : -(raw & 0x7F)
      status = result
      return result
    }
  }

  // Socket pairs and not pipes: they can be made so that no other child inherits them by chance.
  private static func pipe() throws -> (read: CInt, write: CInt) {
    var ends: [CInt] = [0, 0]
    let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
      throw Failed(description: "socketpair: \(String(cString: strerror(errno)))")
    }
    return (ends[0], ends[1])
  }

  /// Writes to its input.
  public func write(_ text: String) {
    let bytes = Array(text.utf8)
    input.withLock { input in
      var offset = 0
      while offset < bytes.count {
        let count = bytes[offset...].withUnsafeBytes { Glibc.send(input, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
        guard count > 0 else { return }
        offset += count
      }
    }
  }

  /// Ends its input.
  public func closeInput() {
    input.withLock { input in
      if input >= 0 { _ = close(input) }
      input = -1
    }
  }

  /// The next line of its output, without its end; nil when the output is over.
  public func line() async throws -> String? {
    try await offThread { [self] in
      while true {
        let line = read.withLock { bytes -> String? in
          guard let end = bytes.firstIndex(of: 0x0A) else { return nil }
          defer { bytes.removeFirst(end + 1) }
          return String(decoding: bytes[..<end], as: UTF8.self)
        }
        if let line { return line }
        guard try fill() else { return nil }
      }
    }
  }

  /// All the rest of its output.
  public func rest() async throws -> String {
    try await offThread { [self] in
      while try fill() {}
      return read.withLock { bytes in
        defer { bytes = [] }
        return String(decoding: bytes, as: UTF8.self)
      }
    }
  }

  private func fill() throws -> Bool {
    try waitForBytes(at: output, or: "process \(pid) prints nothing")
    var room = [UInt8](repeating: 0, count: 64 << 10)
    let count = Glibc.read(output, &room, room.count)
    guard count > 0 else { return false }
    read.withLock { $0 += room[..<count] }
    return true
  }

  /// Sends it a signal, unless its end is known.
  public func signal(_ number: CInt) {
    status.withLock { if $0 == nil { kill(pid, number) } }
  }

  /// Whether its end is known.
  public var hasEnded: Bool { status.withLock { $0 != nil } }

  /// Waits for its end. Returns its exit status, or the signal that ended it as a negative number.
  @discardableResult
  public func ended() async throws -> CInt { await end.value }

  /// Ends it at once and waits for that.
  public func destroy() async {
    signal(SIGKILL)
    _ = await end.value
  }
}
