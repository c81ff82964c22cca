import Support
import Testing

@testable import GatewayTracing

@Suite("traceparent", .inTurn(minutes: 1))
struct TraceParentTests {
  private static let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  @Test("is read, and written as it was read")
  func whole() throws {
    let parent = try #require(TraceParent(Self.text))
    #expect(parent.text == Self.text && parent.traceID == "0af7651916cd43dd8448eb211c80319c" && parent.isSampled)
    #expect(try #require(TraceParent(Self.text.dropLast() + "0")).isSampled == false)
    // Other flags are not passed on: nobody knows what they say.
    #expect(try #require(TraceParent(Self.text.dropLast(2) + "ff")).text == Self.text)
    let next = parent.next()
    #expect(next.traceID == parent.traceID && next.isSampled && next.spanID != parent.spanID)
  }

  @Test("of a version to come is read by its beginning, and passed on in version 00")
  func later() throws {
    for text in ["01" + Self.text.dropFirst(2), "cc" + Self.text.dropFirst(2) + "-what-comes"] {
      #expect(try #require(TraceParent(String(text))).text == Self.text)
    }
  }

  @Test("is refused when anything of it is not as it should be")
  func wrong() {
    let zeroTrace = "00-\(String(repeating: "0", count: 32))-b7ad6b7169203331-01"
    let zeroSpan = "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"
    let all: [String] = [
      "", "00", zeroTrace, zeroSpan, Self.text.uppercased(), Self.text + "-", Self.text + "0",
      "ff" + Self.text.dropFirst(2),
      "01" + Self.text.dropFirst(2) + "0", String(Self.text.dropLast()), " " + Self.text.dropFirst(),
      Self.text.replacing("-b7", with: "_b7"), "0x" + Self.text.dropFirst(2), Self.text.replacing("b7ad", with: "b7gd"),
    ]
    for text in all { #expect(TraceParent(text) == nil, "\(text)") }
  }

  @Test("chooses about the part of traces that is to be recorded, and all alike by the id")
  func sample() {
    #expect(TraceParent.isChosen(.max, sample: 1) && !TraceParent.isChosen(0x42, sample: 0))
    let half = UInt64(1) << 55
    #expect(TraceParent.isChosen(half - 1, sample: 0.5) && !TraceParent.isChosen(half, sample: 0.5))
    // The first byte of that half says nothing.
    #expect(TraceParent.isChosen(0xFF << 56 | 1, sample: 0.5))
    let chosen = (0..<10_000).count { _ in TraceParent.random(sample: 0.25).isSampled }
    #expect(2_000...3_000 ~= chosen)
  }
}
