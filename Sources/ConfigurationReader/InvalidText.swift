/// Why a text could not be read as what it should be.
package struct InvalidText: Error, Hashable, CustomStringConvertible {
  /// The reason, in a sentence.
  package let description: String

  /// A reason that says what to write instead.
  package init(_ reason: String) { description = reason }

  /// A number and a unit that do not stand together.
  static func blank(in text: String) -> InvalidText {
    InvalidText("write \(text.filter { $0 != " " }): a number and its unit stand together")
  }
}
