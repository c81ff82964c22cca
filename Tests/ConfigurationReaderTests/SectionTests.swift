import Support
import Testing

@testable import ConfigurationReader

@Suite("A section", .inTurn(minutes: 3))
struct SectionTests {
  @Test("reports the keys that were not asked for, with the nearest one that was")
  func unknown() {
    let found = complaints("outer:\n  timeot: 1\n  other: 2\n  retry: 3\n") { root in
      let outer = root.section("outer")
      _ = outer?.field("timeout")
      _ = outer?.field("retry")
      outer?.finish()
      root.finish()
    }
    #expect(
      found == [
        "2:3: outer.timeot: unknown key; did you mean \"timeout\"?", "3:3: outer.other: unknown key",
      ])
  }

  @Test("leaves keys with x- alone where they may stand, and says where that is")
  func extensions() {
    let found = complaints("x-own: { any: 1 }\nouter: { x-other: 1 }\nx: 2\n") { root in
      root.section("outer")?.finish()
      root.ignoreExtensions()
      root.finish()
    }
    #expect(
      found == ["2:10: outer.x-other: unknown key; keys with x- stand at the top of the file", "3:1: x: unknown key"])
  }

  @Test("says why a known key may not stand there")
  func refused() {
    let found = complaints("a: 1\nb: 2\nc: 3\n") { root in
      root.refuse("a", "z", because: "goes elsewhere")
      root.unavailable("b")
      root.ignore(["c"])
      root.finish()
    }
    #expect(found == ["1:1: a: goes elsewhere", "2:1: b: not available in this version"])
  }

  @Test("leaves a value as it is when the file has none or a bad one")
  func defaults() {
    var (missing, bad, good) = (1, 2, 3)
    let found = complaints("bad: ten\ngood: 10\n") { root in
      root.read("missing", into: &missing) { $0.integer(in: 0...100) }
      root.read("bad", into: &bad) { $0.integer(in: 0...100) }
      root.read("good", into: &good) { $0.integer(in: 0...100) }
      root.finish()
    }
    #expect(found == ["1:6: bad: expected a whole number, not \"ten\""])
    #expect([missing, bad, good] == [1, 2, 10])
  }

  @Test("reports what is wrong with itself where its key stands")
  func place() {
    let found = complaints("a:\n  b: 1\n") { root in
      let section = root.section("a")
      section?.report("lacks something")
      section?.report("is odd", at: "b")
      section?.report("is missing", at: "c")
    }
    #expect(found == ["1:1: a: lacks something", "1:1: a.c: is missing", "2:3: a.b: is odd"])
  }

  @Test("keeps its keys in the order of the file, those that are strings")
  func order() {
    var keys: [String] = []
    let found = complaints("z: 1\n[a]: 2\nb: 3\n") { keys = $0.keys }
    #expect(keys == ["z", "b"])
    #expect(found == ["2:1: a key must be a string"])
  }
}
