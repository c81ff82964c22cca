import Glibc

/// A short file: the configuration, and those that it names.
package enum TextFile {
  /// Why there is no text.
  package struct Unreadable: Error {
    /// In words that follow the path.
    package let reason: String
  }

  private static let longest = 16 << 20

  /// How long a pipe may bring nothing, in milliseconds.
  private static let patience: CInt = 5_000

  /// The text of the file, of 16 MiB at most. It may be a pipe, as that of `<(command)`, which brings something every 5 s.
  package static func read(_ path: String) throws(Unreadable) -> String {
    // Without O_NONBLOCK, to open a pipe would wait for who writes to it.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw failure() }
    defer { close(file) }
    return try read(from: file)
  }

  /// The text of a file that only its owner, or root, may read.
  package static func readSecret(_ path: String) throws(Unreadable) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw failure() }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure() }
    guard status.st_mode & 0o077 == 0 else {
      throw Unreadable(reason: "may be read by others than its owner; chmod 600 it")
    }
    return try read(from: file)
  }

  /// The text that the open file has from here on, of 16 MiB at most.
  package static func read(from file: CInt) throws(Unreadable) -> String {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = Glibc.read(file, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN {
        var entry = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, patience) > 0 else { throw Unreadable(reason: "is a pipe that brings nothing") }
        continue
      }
      guard count >= 0 else { throw failure() }
      if count == 0 { break }
      bytes += piece[..<count]
      guard bytes.count <= longest else { throw Unreadable(reason: "is longer than 16 MiB") }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Unreadable(reason: "is not UTF-8") }
    return text
  }

  private static func failure() -> Unreadable {
    let number = errno
    // In a container, mostly, it is not the user that one thinks of.
    let user = number == EACCES ? " for user \(geteuid())" : ""
    return Unreadable(reason: "cannot be read: \(String(cString: strerror(number)).lowercased())\(user)")
  }
}
