import Metrics

/// How the calls of a service have ended, of each method that the configuration names in full; callers make names up, so all others are
/// counted together. On one shard.
struct MethodCounters: Sendable {
  private let places: [String: Int]
  /// In the order of their places.
  private let names: [String]
  private var outcomes: [Int]

  init(_ methods: Configuration.Methods) {
    // A method of that name is counted with them: a label is there once.
    names = methods.named.map(\.text).filter { $0 != "other" } + ["other"]
    places = Dictionary(uniqueKeysWithValues: names.dropLast().enumerated().map { ($1, $0) })
    outcomes = Array(repeating: 0, count: names.count * RequestOutcome.allCases.count)
  }

  /// Counts a call that has ended.
  mutating func count(_ method: MethodName, _ outcome: RequestOutcome) {
    let place = places.isEmpty ? 0 : places[method.text] ?? names.count - 1
    outcomes[place * RequestOutcome.allCases.count + outcome.rawValue] += 1
  }

  /// As what calls of the method are counted.
  func label(of method: MethodName) -> String { places[method.text].map { names[$0] } ?? "other" }

  /// Adds those of another shard, of the same service; while the service changes it may name other methods there.
  mutating func add(_ other: MethodCounters) {
    let width = RequestOutcome.allCases.count
    for (from, name) in other.names.enumerated() {
      let place = places[name] ?? names.count - 1
      for outcome in 0..<width { outcomes[place * width + outcome] += other.outcomes[from * width + outcome] }
    }
  }

  func write(of service: String, to text: inout MetricsText) {
    for (place, name) in names.enumerated() {
      for outcome in RequestOutcome.allCases {
        let count = outcomes[place * RequestOutcome.allCases.count + outcome.rawValue]
        text.add(count, ("service", service), ("method", name), ("status", outcome.label))
      }
    }
  }
}
