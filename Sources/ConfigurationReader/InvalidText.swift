/// Why a text could not be read as what it should be.
struct InvalidText: Error, Hashable, CustomStringConvertible {
  /// The reason, in a sentence.
  let description: String

  init(_ reason: String) { description = reason }
}
