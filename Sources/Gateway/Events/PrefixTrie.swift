/// Values under strings of bytes, found by what begins with those strings. A value without I/O.
///
/// A radix tree: an edge holds as many bytes as lead to one place only, so there are at most twice as many places as strings. To
/// walk along a topic costs about its length, however many strings there are; so does each change.
struct PrefixTrie<Value> {
  private struct Node {
    /// The bytes that lead here from the place above.
    var edge: [UInt8] = []
    var value: Value?
    /// What goes on from here, by the first byte of the edge.
    var children: [UInt8: Node] = [:]

    /// Changes the value under a string, of which the rest from here on is given.
    mutating func update<Result>(_ rest: ArraySlice<UInt8>, _ change: (inout Value?) -> Result) -> Result {
      guard let first = rest.first else { return change(&value) }
      let result = children[first, default: Node(edge: Array(rest))].enter(rest, change)
      if let child = children[first], child.value == nil, child.children.isEmpty { children[first] = nil }
      return result
    }

    /// As `update`, of a rest that begins before the edge, and has its first byte.
    private mutating func enter<Result>(_ rest: ArraySlice<UInt8>, _ change: (inout Value?) -> Result) -> Result {
      let common = zip(edge, rest).prefix { $0 == $1 }.count
      if common < edge.count {
        var lower = self
        lower.edge.removeFirst(common)
        self = Node(edge: Array(edge[..<common]), children: [edge[common]: lower])
      }
      let result = update(rest.dropFirst(common), change)
      // A place with nothing but one way on is none.
      if value == nil, children.count == 1, let only = children.values.first {
        edge += only.edge
        (value, children) = (only.value, only.children)
      }
      return result
    }
  }

  private var root = Node()
  /// How many strings have a value.
  private(set) var count = 0

  /// Changes the value under a string: nil when it has none; and what is left nil, has none any more.
  mutating func update<Result>(_ string: [UInt8], _ change: (inout Value?) -> Result) -> Result {
    var difference = 0
    let result = root.update(string[...]) { value in
      if value != nil { difference -= 1 }
      defer { if value != nil { difference += 1 } }
      return change(&value)
    }
    count += difference
    return result
  }

  /// The value under a string.
  subscript(string: [UInt8]) -> Value? {
    var (node, place) = (root, 0)
    while place < string.count {
      guard let child = node.children[string[place]], string[place...].starts(with: child.edge) else { return nil }
      place += child.edge.count
      node = child
    }
    return node.value
  }

  /// Visits all strings that have a value, in the order of their bytes, until told to stop.
  func forEach(_ visit: ([UInt8], Value) -> Bool) {
    // Those to be visited, the next one last.
    var rest: [(string: [UInt8], node: Node)] = [([], root)]
    while let (string, node) = rest.popLast() {
      if let value = node.value, !visit(string, value) { return }
      for (_, child) in node.children.sorted(by: { $0.key > $1.key }) { rest.append((string + child.edge, child)) }
    }
  }

  /// Visits the values of all strings that the topic begins with, the shortest string first; itself, too, when it has one.
  func forEachPrefix(of topic: [UInt8], _ visit: (Value) -> Void) {
    var (node, place) = (root, 0)
    while true {
      if let value = node.value { visit(value) }
      guard place < topic.count, let child = node.children[topic[place]], topic[place...].starts(with: child.edge)
      else {
        return
      }
      place += child.edge.count
      node = child
    }
  }
}
