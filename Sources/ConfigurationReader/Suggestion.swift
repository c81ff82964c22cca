extension String {
  /// The candidate a writer most likely meant: at most a third of its letters differ, transpositions counted once. So of one or two letters
  /// none may differ: too many words are as near.
  package func nearest(among candidates: some Sequence<String>) -> String? {
    let distances = candidates.map { (distance: self.distance(to: $0), candidate: $0) }
    guard let best = distances.min(by: { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }) else {
      return nil
    }
    return best.distance <= Swift.max(count, best.candidate.count) / 3 ? best.candidate : nil
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
