/// Which backend gets the next call. A value without I/O.
struct BackendChoice {
  private var generator = SystemRandomNumberGenerator()

  /// The less busy of two backends drawn by chance, among those with room; with one or two, simply the less busy. How busy one is, is
  /// told by its calls for each unit of its weight; of two that are equally busy, one of three times the weight is drawn three times
  /// as often. For a second copy, the least busy one with room besides that of the first.
  mutating func next(among ready: [BackendConnection], besides first: BackendConnection?) -> BackendConnection? {
    if let first {
      return ready.filter { $0 !== first }.min { $0.load * $1.weight < $1.load * $0.weight }
    }
    guard ready.count > 1 else { return ready.first }
    var (first, second) = (0, 1)
    if ready.count > 2 {
      first = Int.random(in: 0..<ready.count, using: &generator)
      second = Int.random(in: 0..<(ready.count - 1), using: &generator)
      if second >= first { second += 1 }
    }
    let (a, b) = (ready[first], ready[second])
    let (loadOfA, loadOfB) = (a.load * b.weight, b.load * a.weight)
    if loadOfA != loadOfB { return loadOfA < loadOfB ? a : b }
    if a.weight == b.weight { return Bool.random(using: &generator) ? a : b }
    return Int.random(in: 0..<(a.weight + b.weight), using: &generator) < a.weight ? a : b
  }
}
