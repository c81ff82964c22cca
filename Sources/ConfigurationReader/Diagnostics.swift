/// Where something stands in a file.
package struct Place: Sendable, Hashable {
  /// From 1; 0 for what is not in the file.
  let line: Int
  /// From 1, in characters.
  let column: Int

  /// Not in the file: a variable of the environment, or a flag.
  package static let outside = Place(line: 0, column: 0)
}

/// The problems found so far. Reading goes on after each, so that all are told at once.
package final class Diagnostics {
  private let file: String
  /// What `${NAME}` stands for.
  package let environment: [String: String]
  private var problems: [ConfigurationError] = []
  /// The keys that were asked for, whether they are written or not, each with those that lead there.
  package private(set) var asked: Set<String> = []

  /// No problems yet, in a file of that name.
  package init(file: String, environment: [String: String]) {
    self.file = file
    self.environment = environment
  }

  /// Adds a problem; `path` are the keys that lead there, joined by dots.
  package func report(_ place: Place, _ path: String, _ message: String, suggestion: String? = nil) {
    problems.append(
      .init(
        file: file, line: place.line, column: place.column, path: path, message: message, suggestion: suggestion))
  }

  /// Remembers that a key was asked for.
  func ask(_ path: String) { asked.insert(path) }

  /// Whether there are no problems.
  package var isEmpty: Bool { problems.isEmpty }

  /// Adds the problems of another file.
  package func add(_ other: Diagnostics) { problems += other.problems }

  /// Throws all problems, if there are any.
  package func finish() throws(ConfigurationErrors) {
    if !problems.isEmpty { throw ConfigurationErrors(problems) }
  }
}
