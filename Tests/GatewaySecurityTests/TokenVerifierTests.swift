import Support
import Testing

@testable import GatewaySecurity

@Suite("A token", .inTurn(minutes: 3))
struct TokenVerifierTests {
  private static let now = 1_800_000_000.0

  private func verifier(
    _ set: String, algorithms: Set<TokenAlgorithm> = [.es256], leeway: Double = 0
  ) async throws -> TokenVerifier {
    let keys = try await TokenIssuer.keys(try KeyDescription.read(jwks: set), for: algorithms)
    return TokenVerifier([
      TokenIssuer(
        names: ["https://id.example", "https://old.example"], audiences: ["gateway"], algorithms: algorithms,
        leeway: leeway,
        keys: keys)
    ])
  }

  private static func verify(_ verifier: TokenVerifier, _ token: String, at now: Double = now) -> VerifiedToken? {
    token.utf8.span.withUnsafeBytes { verifier.verify($0, at: now) }
  }

  private static func claims(_ changes: [String: String?] = [:]) -> String {
    var members: [String: String?] = [
      "iss": #""https://id.example""#, "aud": #""gateway""#, "sub": #""alice""#, "exp": "1800000060",
    ]
    members.merge(changes) { $1 }
    let texts = members.sorted { $0.key < $1.key }.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }
    return "{\(texts.joined(separator: ","))}"
  }

  @Test("of a known issuer says who sends it, what it may do, and until when")
  func sound() async throws {
    let forge = try await TokenForge()
    let verifier = try await verifier(TokenForge.set(forge), leeway: 30)
    for (scope, found) in [
      (#""read  write""#, ["read", "write"]), (#"["read","write"]"#, ["read", "write"]), (nil, []), (#"" ""#, []),
      ("5", []),
      (#"{"a":1}"#, []),
    ] as [(String?, Set<String>)] {
      let token = try #require(Self.verify(verifier, try forge.token(Self.claims(["scope": scope]))))
      #expect(token.subject == "alice" && token.scopes == found && token.end == 1_800_000_090)
    }
    for good in [
      ["aud": #"["other","gateway"]"#], ["iss": #""https://old.example""#], ["nbf": "1800000030"],
      ["exp": "1799999971"],
      ["exp": "2e20"], ["exp": "1e300"],
      ["exp": "1800000000.5"], ["more": #"{"deep":[1,{"er":null}]}"#],
    ] as [[String: String?]] {
      #expect(Self.verify(verifier, try forge.token(Self.claims(good))) != nil, "\(good)")
    }
    let token = try forge.token(Self.claims())
    #expect(Self.verify(verifier, token, at: 1_800_000_089) != nil)
    // Nobody waits for longer.
    #expect(Self.verify(verifier, try forge.token(Self.claims(["exp": "1e300"])))?.end == 1e10)
    #expect(Self.verify(verifier, token, at: 1_800_000_090) == nil)
  }

  @Test("that is not for here, not yet, or no more, does not count")
  func claims() async throws {
    let forge = try await TokenForge()
    let verifier = try await verifier(TokenForge.set(forge))
    for bad in [
      ["exp": "1800000000"], ["exp": nil], ["exp": #""1800000060""#], ["exp": "true"], ["nbf": "1800000001"],
      ["nbf": #""1""#], ["nbf": "null"], ["iss": nil], ["iss": #""https://evil.example""#],
      ["iss": #"["https://id.example"]"#],
      ["aud": nil], ["aud": #""other""#], ["aud": "[]"], ["aud": "7"], ["sub": nil], ["sub": #""""#], ["sub": "7"],
      ["sub": #""a b""#], ["sub": #""ä""#], ["sub": "\"\(String(repeating: "x", count: 256))\""], ["sub": #""a\n""#],
    ] as [[String: String?]] {
      #expect(Self.verify(verifier, try forge.token(Self.claims(bad))) == nil, "\(bad)")
    }
    #expect(
      Self.verify(verifier, try forge.token(Self.claims(["sub": "\"\(String(repeating: "x", count: 255))\""]))) != nil)
  }

  @Test("is signed by an algorithm that is named, with a key that is for it")
  func algorithms() async throws {
    let forge = try await TokenForge()
    let set = TokenForge.set(forge)
    let verifier = try await verifier(set, algorithms: Set(TokenAlgorithm.allCases))
    let claims = Self.claims()
    #expect(Self.verify(verifier, try forge.token(claims)) != nil)
    #expect(Self.verify(verifier, try forge.token(claims, header: #"{"alg":"ES256"}"#)) != nil)
    for header in [
      #"{"alg":"none"}"#, #"{"alg":"None"}"#, #"{"alg":""}"#, "{}", #"{"alg":null}"#, #"{"alg":"es256"}"#,
      #"{"alg":"HS256"}"#,
      #"{"alg":"RS256"}"#, #"{"alg":"ES384"}"#, #"{"alg":"ES256","crit":["exp"]}"#, #"{"alg":"ES256","crit":[]}"#,
      #"{"alg":"ES256","crit":"b64"}"#, #"{"alg":"ES256","kid":"other"}"#, #"{"alg":"ES256","kid":7}"#, "[]", "null",
      #""ES256""#, "",
    ] {
      #expect(Self.verify(verifier, try forge.token(claims, header: header)) == nil, "\(header)")
    }
    // Without a signature at all.
    for header in [#"{"alg":"none"}"#, #"{"alg":"ES256"}"#] {
      #expect(Self.verify(verifier, "\(TokenForge.text(header)).\(TokenForge.text(claims)).") == nil)
    }
    // One that is not among those that are named.
    let other = try await self.verifier(set, algorithms: [.rs256, .hs256])
    #expect(Self.verify(other, try forge.token(claims)) == nil)
    // The key of somebody else under the same name.
    let stranger = try await TokenForge()
    #expect(Self.verify(verifier, try stranger.token(claims)) == nil)
  }

  @Test(
    "is checked as others have signed it",
    arguments: [
      // RFC 7515, A.1, A.2 and A.3; RFC 8037, A.4.
      (
        TokenAlgorithm.hs256,
        #"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#,
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
      ),
      (
        .rs256,
        #"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#,
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
      ),
      (
        .es256,
        #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
      ),
      (
        .edDSA, #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
      ),
    ])
  func vectors(algorithm: TokenAlgorithm, key: String, text: String, signature: String) async throws {
    let description = try #require(try KeyDescription.read(jwks: #"{"keys":[\#(key)]}"#).first)
    let key = try await TokenKey(description, for: Set(TokenAlgorithm.allCases))
    let signature = try #require(Base64URL.decode(signature.utf8))
    #expect(key.verify(signature, of: Array(text.utf8), by: algorithm))
    for other in TokenAlgorithm.allCases where other != algorithm {
      #expect(!key.verify(signature, of: Array(text.utf8), by: other), "\(other)")
    }
    for place in signature.indices {
      var wrong = signature
      wrong[place] ^= 1
      #expect(!key.verify(wrong, of: Array(text.utf8), by: algorithm))
    }
    #expect(!key.verify([], of: Array(text.utf8), by: algorithm))
    #expect(!key.verify(signature, of: Array(text.utf8) + [0x20], by: algorithm))
  }

  @Test("set of keys is read key by key: what is for something else is left out, what is broken is told")
  func sets() throws {
    let sound =
      #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#
    for (keys, count) in [
      ("\(sound)}", 1), ("\(sound),\"use\":\"sig\"}", 1), ("\(sound),\"use\":\"enc\"}", 0),
      ("\(sound),\"key_ops\":[\"verify\"]}", 1), ("\(sound),\"key_ops\":[\"sign\"]}", 0),
      ("\(sound),\"alg\":\"ES256\"}", 1),
      ("\(sound),\"alg\":\"ECDH-ES\"}", 0), (#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#, 0),
      (#"{"kty":"new"}"#, 0),
      (
        #"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"},\#(sound)}"#,
        2
      ),
    ] {
      #expect(try KeyDescription.read(jwks: "{\"keys\":[\(keys)]}").count == count, "\(keys)")
    }
    for broken in [
      "", "[]", "{}", #"{"keys":{}}"#, #"{"keys":[{}]}"#, #"{"keys":[\#(sound),"alg":"RS256"}]}"#,
      #"{"keys":[\#(sound),"alg":"HS256"}]}"#, #"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}"#,
      #"{"keys":[{"kty":"EC","crv":"P-256","x":"AA"}]}"#, #"{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}"#,
      #"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}"#, #"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#,
    ] {
      #expect(throws: KeyDescription.Fault.self, "\(broken)") { try KeyDescription.read(jwks: broken) }
    }
  }

  @Test("that was changed anywhere does not count, and crashes nothing")
  func mutations() async throws {
    let forge = try await TokenForge()
    let verifier = try await verifier(TokenForge.set(forge))
    let token = Array(try forge.token(Self.claims(["scope": #""read""#])).utf8)
    func accepts(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { verifier.verify($0, at: Self.now) != nil } }
    #expect(accepts(token))
    // Each digit by its neighbour: one bit of what it stands for.
    for place in token.indices {
      for bit in 0..<8 as Range<UInt8> {
        var changed = token
        changed[place] ^= 1 << bit
        #expect(!accepts(changed), "\(place) \(bit)")
      }
    }
    var random = SplitMix(state: 7)
    for _ in 0..<3_000 {
      var changed = token
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<changed.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: changed[place] = UInt8.random(in: .min ... .max, using: &random)
        case 1: changed.remove(at: place)
        case 2: changed.insert(UInt8(ascii: "."), at: place)
        default: changed.removeSubrange(place...)
        }
        if changed.isEmpty { break }
      }
      if changed != token { #expect(!accepts(changed)) }
    }
    #expect(!accepts([]) && !accepts(Array("..".utf8)) && !accepts(Array(String(repeating: ".", count: 9_000).utf8)))
    // JSON of all kinds under a sound signature.
    for body in ["", "[", "5", "null", "[]", "\"x\"", "{\"exp\":1e999}", String(repeating: "[", count: 3_000)] {
      #expect(Self.verify(verifier, try forge.token(body)) == nil)
    }
  }
}
