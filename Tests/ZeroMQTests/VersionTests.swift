import Testing

@testable import ZeroMQ

@Suite("versions")
struct VersionTests {
  @Test(
    "GEN-6: a version is a text, and its five parts compare",
    arguments: [
      ("1.2.3", Version(major: 1, minor: 2, micro: 3)),
      ("0.10.0a1", Version(major: 0, minor: 10, micro: 0, level: .alpha, serial: 1)),
      ("1.0.0b12", Version(major: 1, minor: 0, micro: 0, level: .beta, serial: 12)),
      ("1.0.0c0", Version(major: 1, minor: 0, micro: 0, level: .candidate)),
    ])
  func texts(text: String, version: Version) {
    #expect(Version(text) == version)
    #expect(version.description == text)
  }

  @Test("GEN-6: a release without a number of its own has 0") func serial() {
    #expect(Version("1.0.0a") == Version(major: 1, minor: 0, micro: 0, level: .alpha))
  }

  @Test(
    "GEN-6: what is no version is refused",
    arguments: [
      "", "1", "1.2", "1.2.", "1.2.x", ".2.3", "1.2.3.4", "1.2.3d1", "1.2.3alpha", "1.2.3a1b", "-1.2.3", "+1.2.3",
      " 1.2.3", "1.2.3 ",
      "1.2.٣", "1.2.99999999999999999999",
    ])
  func malformed(text: String) { #expect(Version(text) == nil) }

  @Test("GEN-6: later versions are greater") func order() {
    let texts = ["0.9.9", "1.0.0a1", "1.0.0a2", "1.0.0b0", "1.0.0c1", "1.0.0", "1.0.1", "1.0.10", "1.1.0", "2.0.0"]
    let versions = texts.compactMap { Version($0) }
    #expect(versions.count == texts.count)
    #expect(versions.shuffled().sorted() == versions)
    #expect(ZeroMQ.version >= Version(major: 0, minor: 2, micro: 0))
  }

  @Test("GEN-5: the libzmq at hand is new enough, and an older one is refused with what to do about it") func oldest()
    throws
  {
    #expect(ZeroMQ.libzmqVersion >= Version.oldestLibzmq)
    _ = try Context()
    try Version.requireUsable(Version(major: 4, minor: 3, micro: 0))
    try Version.requireUsable(Version(major: 5, minor: 0, micro: 0))
    let error = #expect(throws: ZMQError.self) { try Version.requireUsable(Version(major: 4, minor: 2, micro: 5)) }
    #expect(error?.code == .notSupported)
    for word in ["4.2.5", "4.3.0", "newer"] { #expect(error?.description.contains(word) == true) }
  }
}
