import GatewaySecurity

/// The key that a connection has brought last, and whose it is: who brings the same again need not be looked for.
///
/// It holds while what the files of `auth` say stays the same, so a key that is taken back counts no more from then on. The key itself is in
/// memory for as long as its connection is open; tokens, which are longer and have an end, are looked for each time.
struct ShownKey {
  /// Keys that this program makes are shorter.
  private static let longest = 128

  private let header: [UInt8]
  private let caller: Caller
  private let version: Int

  /// A header that was found to bring the key of a caller, in that version of what is known. Nil for what is not kept.
  init?(_ header: UnsafeRawBufferPointer, of caller: Caller, known version: Int) {
    guard header.count <= Self.longest, caller.end == nil else { return nil }
    (self.header, self.caller, self.version) = (Array(header), caller, version)
  }

  /// Whose the key is, if the header brings the same; nil when somebody has to look. How long it takes tells nothing but the length of the
  /// key that was brought before.
  func caller(again other: UnsafeRawBufferPointer, to lookup: CallerLookup) -> Caller? {
    lookup.learn()
    guard version == lookup.version, caller.credential?.isRevoked == false, other.count == header.count else {
      return nil
    }
    let isSame = header.withUnsafeBytes { header in
      var difference: UInt8 = 0
      for index in 0..<header.count { difference |= header[index] ^ other[index] }
      return difference == 0
    }
    return isSame ? caller : nil
  }
}
