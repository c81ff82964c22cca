/// Where a request stands in a trace: the value of `traceparent` (W3C Trace Context). A value without allocations.
package struct TraceParent: Hashable, Sendable {
  /// 16 bytes, not all zero.
  package let traceHigh: UInt64, traceLow: UInt64
  /// Who calls, or the span that is meant: not zero.
  package let spanID: UInt64
  /// Whether somebody records the trace.
  package let isSampled: Bool

  package init(traceHigh: UInt64, traceLow: UInt64, spanID: UInt64, isSampled: Bool) {
    (self.traceHigh, self.traceLow, self.spanID, self.isSampled) = (traceHigh, traceLow, spanID, isSampled)
  }

  /// Reads the value of the header; nil for what is none. Of versions that are still to come the beginning counts, as version 00 has it
  /// (W3C Trace Context, 3.2.4).
  package init?(_ text: UnsafeRawBufferPointer) {
    guard text.count >= 55, text[2] == Self.dash, text[35] == Self.dash, text[52] == Self.dash,
      let version = Self.number(text, 0..<2), version != 0xFF,
      text.count == 55 || version > 0 && text[55] == Self.dash,
      let high = Self.number(text, 3..<19), let low = Self.number(text, 19..<35), high | low != 0,
      let span = Self.number(text, 36..<52), span != 0, let flags = Self.number(text, 53..<55)
    else { return nil }
    self.init(traceHigh: high, traceLow: low, spanID: span, isSampled: flags & 1 == 1)
  }

  /// The same, of a text.
  package init?(_ text: String) {
    var text = text
    guard let parent = text.withUTF8({ TraceParent(UnsafeRawBufferPointer($0)) }) else { return nil }
    self = parent
  }

  /// A trace that begins here. A part of all traces is recorded, from 0 to 1.
  package static func random(sample: Double) -> TraceParent {
    let low = UInt64.random(in: 1 ... .max)
    return TraceParent(
      traceHigh: .random(in: .min ... .max), traceLow: low, spanID: .random(in: 1 ... .max),
      isSampled: isChosen(low, sample: sample))
  }

  /// Another span of the trace.
  package func next() -> TraceParent { next(isSampled: isSampled) }

  /// The same, and whether that is recorded.
  package func next(isSampled: Bool) -> TraceParent {
    TraceParent(
      traceHigh: traceHigh, traceLow: traceLow, spanID: .random(in: 1 ... .max), isSampled: isSampled)
  }

  /// Whether a trace is among those that are recorded: all who decide by its id decide alike.
  package static func isChosen(_ traceLow: UInt64, sample: Double) -> Bool {
    // The last seven bytes are random, of whoever has made them (W3C Trace Context, level 2, 3.2.2.3.1).
    sample >= 1 || traceLow & 0x00FF_FFFF_FFFF_FFFF < UInt64(max(0, sample) * 0x1p56)
  }

  /// As the header has it, in version 00.
  package var text: String {
    String(unsafeUninitializedCapacity: 55) { bytes in
      Self.write(0, to: bytes, at: 0, count: 2)
      bytes[2] = Self.dash
      Self.write(traceHigh, to: bytes, at: 3, count: 16)
      Self.write(traceLow, to: bytes, at: 19, count: 16)
      bytes[35] = Self.dash
      Self.write(spanID, to: bytes, at: 36, count: 16)
      bytes[52] = Self.dash
      Self.write(isSampled ? 1 : 0, to: bytes, at: 53, count: 2)
      return 55
    }
  }

  /// The trace alone: 32 digits.
  package var traceID: String { Self.traceID(traceHigh, traceLow) }

  /// The same, of both halves.
  package static func traceID(_ high: UInt64, _ low: UInt64) -> String {
    String(unsafeUninitializedCapacity: 32) { bytes in
      write(high, to: bytes, at: 0, count: 16)
      write(low, to: bytes, at: 16, count: 16)
      return 32
    }
  }

  /// 16 digits of a span.
  package static func spanID(_ span: UInt64) -> String {
    String(unsafeUninitializedCapacity: 16) { bytes in
      write(span, to: bytes, at: 0, count: 16)
      return 16
    }
  }

  private static let dash = UInt8(ascii: "-")

  private static func write(_ number: UInt64, to bytes: UnsafeMutableBufferPointer<UInt8>, at start: Int, count: Int) {
    for place in 0..<count {
      let digit = UInt8(truncatingIfNeeded: number >> UInt64(4 * (count - 1 - place)) & 0xF)
      bytes[start + place] = digit < 10 ? 0x30 + digit : 0x57 + digit
    }
  }

  /// Digits, letters in small ones only.
  private static func number(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> UInt64? {
    var number: UInt64 = 0
    for place in range {
      switch text[place] {
      case let digit where 0x30...0x39 ~= digit: number = number << 4 | UInt64(digit - 0x30)
      case let letter where 0x61...0x66 ~= letter: number = number << 4 | UInt64(letter - 0x57)
      default: return nil
      }
    }
    return number
  }
}
