/// When memory in no use is worth to be given back to the system. A value without I/O: it is told what was found at each look.
struct UnusedMemory {
  /// Bytes that are worth it.
  static let worthwhile = 8 << 20
  /// How many looks are left out when there was little to give: what looked unused were buffers that nobody had written to.
  static let pause = 3
  /// After so many looks it is worth a try to give what could not be given: its pages may have held blocks in use, which are free now.
  /// Each time in vain it is twice as many the next time, and at most `longestPatience`.
  static let patience = 8
  static let longestPatience = 1_024

  /// The least that was ever in no use.
  private var least: Int
  /// The least that was in no use since the last time.
  private var left: Int
  private var looks = 0
  private var pause = 0
  private var patience = Self.patience

  /// So many bytes are in no use at the beginning.
  init(_ unused: Int) { (least, left) = (unused, unused) }

  /// Whether it is worthwhile to give, when so many bytes are in no use.
  mutating func isWorthwhile(_ unused: Int) -> Bool {
    (least, left) = (min(least, unused), min(left, unused))
    looks += 1
    guard looks > pause else { return false }
    return unused - (looks > patience ? least : left) > Self.worthwhile
  }

  /// So many bytes of those that were found went back. What was freed meanwhile is for the next time.
  mutating func gave(_ bytes: Int, of unused: Int) {
    (left, looks) = (unused - bytes, 0)
    let isLittle = bytes < Self.worthwhile / 2
    (pause, patience) = isLittle ? (Self.pause, min(2 * patience, Self.longestPatience)) : (0, Self.patience)
  }
}
