import FoundationEssentials

/// What shows that a file is another one.
struct FileStamp: Hashable {
  private let number: String
  private let size: String
  private let changed: Date?

  /// Nil for a file that is not there.
  init?(_ path: String) {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return nil }
    // As which type of number they come differs between platforms.
    number = "\(attributes[.systemFileNumber] ?? "")"
    size = "\(attributes[.size] ?? "")"
    changed = attributes[.modificationDate] as? Date
  }
}
