import Support
import Testing

@testable import GatewaySecurity

@Suite("A secret", .inTurn(minutes: 3))
struct SecretTests {
  private func digest(_ text: String) -> SecretDigest {
    Array(text.utf8).withUnsafeBytes { SecretDigest(of: $0) }
  }

  @Test(
    "has the digest of FIPS 180-4",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func vectors(text: String, hex: String) throws {
    #expect(digest(text).hex == hex)
    let read = try #require(SecretDigest(hex: hex.uppercased()))
    #expect(read.hex == hex && read.matches(digest(text)))
  }

  @Test(
    "is written as 64 hexadecimal digits and not else",
    arguments: [
      "", "ab", String(repeating: "a", count: 63), String(repeating: "a", count: 65), String(repeating: "g", count: 64),
      String(repeating: "ä", count: 32),
    ])
  func malformed(hex: String) { #expect(SecretDigest(hex: hex) == nil) }

  @Test("differs from every one that differs in a bit")
  func bits() throws {
    let hex = digest("abc").hex
    for place in 0..<64 {
      var digits = Array(hex.utf8)
      digits[place] = digits[place] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
      let other = try #require(SecretDigest(hex: String(decoding: digits, as: UTF8.self)))
      #expect(!other.matches(digest("abc")), "\(place)")
    }
  }

  @Test("finds its value, and no other one does; none finds anything in an empty table")
  func table() {
    func value(_ table: DigestTable<Int>, _ text: String) -> Int? {
      Array(text.utf8).withUnsafeBytes { table.value(of: $0) }
    }
    let table = DigestTable([(digest("a"), 1), (digest("b"), 2), (digest("a"), 3)])
    #expect(value(table, "a") == 1)
    #expect(value(table, "b") == 2)
    for text in ["", "A", "ab", "a ", "c", digest("a").hex] { #expect(value(table, text) == nil, "\(text)") }
    #expect(value(DigestTable([]), "") == nil)
  }

  @Test("that is made is 47 characters for URLs and headers, and never the same")
  func keys() {
    let keys = (0..<100).map { _ in APIKey.random().text }
    #expect(Set(keys).count == 100)
    for key in keys { #expect(key.wholeMatch(of: /zgk_[A-Za-z0-9_-]{43}/) != nil) }
    // All of its digits vary.
    for place in 4..<47 { #expect(Set(keys.map { Array($0.utf8)[place] }).count > 10) }
  }

  @Test(
    "comes as a bearer's",
    arguments: [
      ("Bearer abc", "abc"), ("bearer abc", "abc"), ("BEARER   a.b~c+/d==", "a.b~c+/d=="), ("Bearer a,b", "a,b"),
      ("Bearer", nil), ("Bearer ", nil), ("Bearer a b", nil), ("Bearerabc", nil), ("Token abc", nil), ("", nil),
      ("Bearer \u{e4}", nil), ("Basic", nil),
    ] as [(String, String?)])
  func bearer(header: String, key: String?) {
    Array(header.utf8).withUnsafeBytes { bytes in
      guard case .bearer(let found)? = Credentials(bytes) else { return #expect(key == nil) }
      #expect(String(decoding: found, as: UTF8.self) == key)
    }
  }

  @Test(
    "comes as a password",
    arguments: [
      ("Basic YWxpY2U6a2V5", "alice", "key"), ("basic OmtleQ==", "", "key"), ("Basic YTpiOmM=", "a", "b:c"),
      ("Basic YTo=", "a", ""), ("Basic YWxpY2U=", nil, nil), ("Basic !!!", nil, nil), ("Basic ", nil, nil),
      ("Basic /zprZXk=", nil, nil), ("Basic OmtleQ", nil, nil),
    ] as [(String, String?, String?)])
  func basic(header: String, name: String?, password: String?) {
    Array(header.utf8).withUnsafeBytes { bytes in
      guard case .basic(let found, let secret)? = Credentials(bytes) else { return #expect(name == nil) }
      #expect(found == name && String(decoding: secret, as: UTF8.self) == password)
    }
  }
}
