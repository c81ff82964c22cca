import Testing

@testable import ZeroMQ

@Suite("keys of CURVE")
struct CurveKeysTests {
  @Test("a pair is generated, each another one, and is the same as text, as bytes and from its secret half")
  func pairs() throws {
    let (pair, other) = (try CurveKeyPair(), try CurveKeyPair())
    #expect(pair != other)
    #expect(pair.publicKey.description.utf8.count == 40)
    #expect(pair.secretKey.bytes.count == 32)
    #expect(try CurvePublicKey(pair.publicKey.description) == pair.publicKey)
    #expect(try CurvePublicKey(bytes: pair.publicKey.bytes) == pair.publicKey)
    #expect(try CurveSecretKey(pair.secretKey.text) == pair.secretKey)
    #expect(try CurveKeyPair(CurveSecretKey(bytes: pair.secretKey.bytes)) == pair)
  }

  // The test keys of libzmq's manual, `zmq_curve(7)`.
  private static let publicText = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
  private static let secretText = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"

  @Test("the keys of the manual are read, and belong together") func known() throws {
    let pair = try CurveKeyPair(CurveSecretKey(Self.secretText))
    #expect(pair.publicKey.description == Self.publicText)
  }

  @Test(
    "what is no key is refused, and the error does not show it",
    arguments: [
      "", "short", String(repeating: "a", count: 39), String(repeating: "a", count: 41),
      String(repeating: "\"", count: 40),
      String(repeating: "#", count: 40), String(repeating: "é", count: 20), "\0" + String(repeating: "a", count: 39),
      String(repeating: "a", count: 39) + " ",
    ])
  func malformed(text: String) throws {
    let error = #expect(throws: CurveKeyError.self) { try CurveSecretKey(text) }
    #expect(throws: CurveKeyError.self) { try CurvePublicKey(text) }
    #expect(text.count < 5 || error?.description.contains(text) == false)
    for count in [0, 31, 33] {
      #expect(throws: CurveKeyError.self) { try CurvePublicKey(bytes: [UInt8](repeating: 1, count: count)) }
    }
  }

  @Test("neither keys nor passwords are shown, however what has them is printed") func secrets() throws {
    let pair = try CurveKeyPair(CurveSecretKey(Self.secretText))
    let password = Password("hunter2-hunter2")
    var options = SocketOptions()
    var shown: [String] = []
    func show(_ value: Any) {
      var dumped = ""
      dump(value, to: &dumped)
      shown += ["\(value)", String(reflecting: value), dumped]
    }
    show(pair)
    show(pair.secretKey)
    show(password)
    let list = AllowList(keys: [pair.publicKey: "a"], passwords: ["b": password])
    show(list)
    show(AuthenticationRequest(domain: "d", address: "1.2.3.4", credentials: .plain(user: "b", password: password)))
    for security in [
      SocketSecurity.curve(pair, server: pair.publicKey), .curveServer(pair, domain: nil),
      .plain(user: "b", password: password),
    ] {
      options.security = security
      show(security)
      show(options)
    }
    for text in shown {
      #expect(!text.contains(Self.secretText))
      #expect(!text.contains("hunter2"))
      // Nor as bytes.
      #expect(!text.contains("\(pair.secretKey.bytes[0]), \(pair.secretKey.bytes[1])"))
    }
    #expect(pair.description.contains(Self.publicText))
  }

  @Test("passwords are equal when their bytes are") func passwords() {
    #expect(Password("a") == "a")
    for (a, b) in [("a", "b"), ("a", "ab"), ("", "a"), ("e\u{301}", "é")] { #expect(Password(a) != Password(b)) }
  }

  @Test("domains, users and passwords have 1 to 255 bytes, none of them zero") func lengths() throws {
    let context = try Context()
    func socket(_ security: SocketSecurity) throws {
      var options = SocketOptions()
      options.security = security
      _ = try Socket(.pull, in: context, options: options)
    }
    let longest = String(repeating: "a", count: 255)
    try socket(.plain(user: longest, password: Password(longest)))
    try socket(.plainServer(domain: longest))
    try socket(.null(domain: longest))
    for text in ["", longest + "a", "a\0b"] {
      #expect(throws: ZMQError.self) { try socket(.plainServer(domain: text)) }
      #expect(throws: ZMQError.self) { try socket(.null(domain: text)) }
      #expect(throws: ZMQError.self) { try socket(.curveServer(CurveKeyPair(), domain: text)) }
      #expect(throws: ZMQError.self) { try socket(.plain(user: text, password: "a")) }
      #expect(throws: ZMQError.self) { try socket(.plain(user: "a", password: Password(text))) }
    }
  }
}
