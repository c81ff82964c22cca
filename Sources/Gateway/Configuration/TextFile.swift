import Glibc

/// A short file that the configuration names.
enum TextFile {
  /// Why there is no text.
  struct Unreadable: Error {
    /// In words that follow the path.
    let reason: String
  }

  private static let longest = 16 << 20

  /// The text of the file, of 16 MiB at most.
  static func read(_ path: String) throws(Unreadable) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failure() }
    defer { close(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = Glibc.read(file, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure() }
      if count == 0 { break }
      bytes += piece[..<count]
      guard bytes.count <= longest else { throw Unreadable(reason: "is longer than 16 MiB") }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Unreadable(reason: "is not UTF-8") }
    return text
  }

  private static func failure() -> Unreadable {
    Unreadable(reason: "cannot be read: \(String(cString: strerror(errno)).lowercased())")
  }
}
