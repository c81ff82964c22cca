import Yams

/// Where something stands in a file; line 0 is outside of it.
struct Place: Hashable {
  var line: Int
  var column: Int

  init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  init(_ mark: Mark?) { self.init(line: mark?.line ?? 1, column: mark?.column ?? 1) }
}

/// The problems found so far: reading goes on after each, so that all are told at once.
final class Diagnostics {
  let file: String
  let environment: [String: String]
  private(set) var problems: [ConfigurationError] = []

  init(file: String, environment: [String: String]) {
    self.file = file
    self.environment = environment
  }

  func report(_ place: Place, _ path: String, _ message: String, suggestion: String? = nil) {
    problems.append(
      .init(
        file: file, line: place.line, column: place.column, path: path, message: message, suggestion: suggestion))
  }

  func finish() throws(ConfigurationErrors) {
    if !problems.isEmpty { throw ConfigurationErrors(problems) }
  }
}

extension String {
  /// The candidate a writer most likely meant: at most a third of its letters differ, transpositions counted once.
  func nearest(among candidates: some Sequence<String>) -> String? {
    let distances = candidates.map { (distance: self.distance(to: $0), candidate: $0) }
    guard let best = distances.min(by: { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }) else {
      return nil
    }
    return best.distance <= Swift.max(1, Swift.max(count, best.candidate.count) / 3) ? best.candidate : nil
  }

  /// Insertions, deletions, substitutions and swaps of neighbours that lead from one to the other.
  func distance(to other: String) -> Int {
    let (left, right) = (Array(lowercased()), Array(other.lowercased()))
    var before: [Int] = []
    var above = Array(0...right.count)
    for i in left.indices {
      var row = [i + 1]
      for j in right.indices {
        var best = Swift.min(above[j + 1] + 1, row[j] + 1, above[j] + (left[i] == right[j] ? 0 : 1))
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { best = Swift.min(best, before[j - 1] + 1) }
        row.append(best)
      }
      (before, above) = (above, row)
    }
    return above[right.count]
  }
}
