/// One thing wrong with a configuration file, and where.
public struct ConfigurationError: Sendable, Hashable {
  /// The file as the caller named it.
  public let file: String
  /// The line, from 1; 0 for what is not in the file, such as an override.
  public let line: Int
  /// The column in characters, from 1.
  public let column: Int
  /// The keys that lead there, such as `services.math.timeout`; empty for the file as a whole.
  public let path: String
  /// What is wrong.
  public let message: String
  /// The known key or value nearest to what stands there.
  public let suggestion: String?
}

extension ConfigurationError: CustomStringConvertible {
  /// As in `gateway.yaml:12:5: services.math.timeot: unknown key; did you mean "timeout"?`.
  public var description: String {
    let place = line == 0 ? file : "\(file):\(line):\(column)"
    return (path.isEmpty ? place : "\(place): \(path)") + ": \(message)"
      + (suggestion.map { "; did you mean \"\($0)\"?" } ?? "")
  }
}

/// Everything wrong with a configuration and the files it names, in the order of their lines; never empty.
public struct ConfigurationErrors: Error, Hashable, CustomStringConvertible {
  /// The problems, first line first.
  public let problems: [ConfigurationError]

  init(_ problems: [ConfigurationError]) {
    self.problems = problems.sorted {
      ($0.file, $0.line, $0.column, $0.path) < ($1.file, $1.line, $1.column, $1.path)
    }
  }

  /// One problem a line.
  public var description: String { problems.map(\.description).joined(separator: "\n") }
}
