/// Why a text could not be read as what it should be.
package struct InvalidText: Error, Hashable, CustomStringConvertible {
  /// The reason, in a sentence.
  package let description: String

  /// A reason that says what to write instead.
  package init(_ reason: String) { description = reason }
}
