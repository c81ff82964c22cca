import ConfigurationReader

extension Configuration {
  /// How publishers number their messages: `subscribe.seq`. What does not arrive is told to streams.
  public struct Numbering: Sendable, Hashable {
    /// Where the number of a message is.
    public enum Place: Sendable, Hashable {
      /// In a keyword argument of that name: an integer.
      case keyword(String)
      /// In a fifth frame: eight bytes, the first the highest, or an integer of MessagePack.
      case frame
    }

    /// What the numbers count.
    public enum Scope: String, Sendable, Hashable, CaseIterable {
      /// The messages of each topic.
      case topic
      /// All messages of the publisher.
      case publisher
    }

    /// Where the number is.
    public var place: Place
    /// What the numbers count (default: the messages of each topic).
    public var scope = Scope.topic
    /// Topics whose last number is remembered, 1...1,000,000 (default: 10,000).
    public var topics = 10_000

    /// Numbers of each topic.
    public init(_ place: Place) { self.place = place }

    init?(_ section: Section) {
      let keyword = section.field("keyword")?.text("the name of a keyword argument")
      let frame = section.field("frame")?.frame()
      if section.has("keyword") == section.has("frame") {
        section.report(
          "says where the number of a message is: in a keyword argument (keyword: n) or in a fifth frame (frame: 4)")
      }
      self.init(keyword.map(Place.keyword) ?? .frame)
      section.read("per", into: &scope) { $0.choice() }
      section.read("topics", into: &topics) { $0.integer(in: 1...1_000_000) }
      section.finish()
      if keyword == nil, frame == nil { return nil }
    }
  }
}

extension Field {
  /// The number of a frame of a published message, counted from 0: that behind the frames of the call.
  fileprivate func frame() -> Int? {
    guard let number = integer(in: 0...1_000) else { return nil }
    if number == 4 { return number }
    report("is 4: a call has the frames 0 to 3, and the number is in the one behind them")
    return nil
  }
}
