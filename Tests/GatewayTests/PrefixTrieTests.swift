import Support
import Testing

@testable import Gateway

@Suite("values under prefixes", .inTurn(minutes: 3))
struct PrefixTrieTests {
  /// A string of few different bytes, so that many share a beginning.
  private func word(_ longest: Int, _ generator: inout SystemRandomNumberGenerator) -> [UInt8] {
    (0..<Int.random(in: 0...longest, using: &generator)).map { _ in
      [0, 1, 0xFF].randomElement(using: &generator) ?? 0
    }
  }

  private func prefixes(of topic: [UInt8], in trie: PrefixTrie<Int>) -> [Int] {
    var found: [Int] = []
    trie.forEachPrefix(of: topic) { found.append($0) }
    return found
  }

  @Test("whatever is put in and taken out, what is found is what a dictionary holds", arguments: [1, 4, 12])
  func model(longest: Int) {
    var generator = SystemRandomNumberGenerator()
    var trie = PrefixTrie<Int>()
    var model: [[UInt8]: Int] = [:]
    for step in 0..<20_000 {
      let key = word(longest, &generator)
      // Grows, and shrinks again to nothing.
      let isIn = Int.random(in: 0..<20_000, using: &generator) > step
      let before = trie.update(key) { value in
        defer { value = isIn ? step : nil }
        return value
      }
      #expect(before == model[key])
      model[key] = isIn ? step : nil
      #expect(trie.count == model.count)
      let topic = word(longest + 2, &generator)
      #expect(trie[topic] == model[topic])
      let expected = (0...topic.count).compactMap { model[Array(topic[..<$0])] }
      #expect(prefixes(of: topic, in: trie) == expected, "\(topic) among \(model.keys)")
    }
    for key in model.keys { trie.update(key) { $0 = nil } }
    #expect(trie.count == 0)
    #expect(prefixes(of: word(12, &generator), in: trie) == [])
  }

  @Test("a copy keeps what it has")
  func copies() {
    var trie = PrefixTrie<Int>()
    trie.update([1, 2, 3]) { $0 = 1 }
    let copy = trie
    trie.update([1, 2]) { $0 = 2 }
    trie.update([1, 2, 3]) { $0 = nil }
    #expect(prefixes(of: [1, 2, 3, 4], in: copy) == [1])
    #expect(prefixes(of: [1, 2, 3, 4], in: trie) == [2])
  }

  @Test("to look without a change leaves nothing behind")
  func looking() {
    var trie = PrefixTrie<Int>()
    trie.update([1, 2, 3]) { $0 = 1 }
    for key: [UInt8] in [[], [1], [1, 2, 3, 4], [1, 9], [9]] { trie.update(key) { #expect($0 == nil) } }
    #expect(trie.count == 1)
    #expect(prefixes(of: [1, 2, 3, 4], in: trie) == [1])
  }
}
