/// What a request may come to: the answer of one operation with one status, and for a problem its code.
struct Outcome: Hashable, Comparable, CustomStringConvertible, Sendable {
  let operation: String
  let status: String
  let code: String?

  init(_ operation: String, _ status: String, _ code: String?) {
    self.operation = operation
    self.status = status
    self.code = code
  }

  var description: String { "\(operation) \(status)\(code.map { " \($0)" } ?? "")" }

  static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}
