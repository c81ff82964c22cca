import CLinux
import Glibc

/// One process at a time puts Unix sockets into a directory: of two that find one of a process that has gone, the second would else remove
/// that which the first has just put in its place.
struct DirectoryTurn {
  private let descriptor: CInt

  /// Another process needs its turn for a moment only; one that keeps it means harm, and is waited for no longer than that.
  private static let patience = (attempts: 100, pause: UInt32(10_000))

  /// Waits for its turn in the directory of that path, for a second at most. Nil when the directory cannot be read, or there was no turn: then
  /// it goes on without.
  init?(at path: String) {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    for _ in 0..<Self.patience.attempts {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return }
      usleep(Self.patience.pause)
    }
    _ = CLinux.close(descriptor)
    return nil
  }

  /// It is the turn of others.
  func end() { _ = CLinux.close(descriptor) }
}
