/// What the streams of a service ask for, in the order of the bytes.
struct LiveTopics: Hashable, Sendable {
  struct Topic: Hashable, Sendable {
    /// What a stream named: the beginning of the topics that it gets.
    let prefix: [UInt8]
    /// Streams that named it.
    var streams: Int
  }

  /// So many are told at most.
  static let most = 1_000
  /// So many prefixes, and filters that name them, are looked at for that: with more, fewer topics are told.
  static let mostLooks = 10_000

  var topics: [Topic] = []
  /// All streams of the service; for a caller who may see some topics only, those that ask for one of `topics`.
  var streams = 0
  /// Whether these are all topics.
  var isWhole = true
}
