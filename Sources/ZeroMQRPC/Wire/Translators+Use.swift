import MessagePack

extension Translators? {
  /// Runs the body with the table, if there is one: who has none pays nothing.
  func use<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard let table = self else { return try body() }
    return try table.use(body)
  }
}
