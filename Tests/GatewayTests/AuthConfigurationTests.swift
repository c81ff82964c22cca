import ConfigurationReader
import GatewaySecurity
import Support
import Testing

@testable import Gateway

/// A folder with a file of keys, and configurations beside it.
struct KeyFolder {
  static let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  let directory: TemporaryDirectory

  init(_ keys: String = "\(digest): { subject: alice, scopes: [read, write] }\n") throws {
    directory = try TemporaryDirectory()
    _ = try directory.file("keys.yaml", keys)
  }

  /// A configuration in the folder, with more in its `auth`.
  func load(_ more: String = "") throws -> Configuration {
    try Configuration.load(
      yaml: "auth:\n  keys: { file: keys.yaml }\n  \(more)\n", file: directory.path + "/gateway.yaml")
  }

  /// What is wrong with it, without the folder.
  func complaints(_ more: String = "") -> [String] {
    do {
      _ = try load(more)
      return []
    } catch let error as ConfigurationErrors {
      return error.problems.map { $0.description.replacing(directory.path + "/", with: "") }
    } catch {
      return ["\(error)"]
    }
  }
}

@Suite("The keys of a configuration", .inTurn(minutes: 3))
struct AuthConfigurationTests {
  @Test("stand in a file beside it, each with its subject and scopes")
  func keys() throws {
    let other = KeyFolder.digest.replacing("ba", with: "ab").uppercased()
    let keys = try KeyFolder(
      "\(KeyFolder.digest): { subject: alice, scopes: [read, write] }\n\(other): { subject: b }\n"
    )
    .load().auth.keys
    #expect(keys.map(\.subject) == ["alice", "b"])
    #expect(keys.map(\.scopes) == [["read", "write"], []])
    #expect(keys.map(\.digest.hex) == [KeyFolder.digest, other.lowercased()])
  }

  @Test("let it listen for other machines without auth: none")
  func open() throws {
    let folder = try KeyFolder()
    #expect(folder.complaints("\nhttp: { listen: \"0.0.0.0:1\" }") == [])
    #expect(complaints("http: { listen: \"0.0.0.0:1\" }\nauth: {}").count == 1)
  }

  @Test("are told with their own file and line when they are wrong")
  func faults() throws {
    let file = """
      abc: { subject: x }
      \(KeyFolder.digest): { subjct: alice }
      \(KeyFolder.digest.uppercased()): { subject: "a b" }
      \(KeyFolder.digest.replacing("ba", with: "ab")): { subject: c, scopes: ["", d] }
      """
    let found = try KeyFolder(file).complaints()
    #expect(found.count == 6, "\(found)")
    for (line, words) in [
      (1, "is no SHA-256 of a key"), (2, "has no subject"), (2, #"did you mean "subject"?"#), (3, "is listed twice"),
      (3, "visible characters"), (4, "visible characters"),
    ] {
      #expect(found.contains { $0.hasPrefix("keys.yaml:\(line):") && $0.contains(words) }, "\(line) \(words) \(found)")
    }
  }

  @Test("have to be there: no file, an unreadable one and an empty one are errors")
  func missing() throws {
    #expect(
      try KeyFolder("# nothing\n").complaints()[0].hasSuffix(
        "keys.yaml has no keys; zmq-gateway keygen apikey makes one"))
    // All were taken back: nobody is served, and that is no mistake.
    let none = try KeyFolder("{}").load()
    #expect(none.auth.keys.isEmpty && none.auth.tellsCallersApart)
    #expect(none.notes.contains { $0.hasPrefix("auth.keys.file: ") && $0.hasSuffix("has no keys, so none counts") })
    #expect(
      complaints("auth: { keys: {} }") == [
        "1:9: auth.keys: has no file; name one that zmq-gateway keygen apikey has written to"
      ])
    #expect(
      complaints("auth: { keys: { file: /nowhere/k } }")
        == ["1:23: auth.keys.file: /nowhere/k cannot be read: no such file or directory"])
    #expect(
      complaints("auth: { rules: [{ allow: {} }] }") == [
        "1:9: auth.rules: need keys, jwt or http.tls.client-ca: without them nobody is told apart"
      ])
  }

  @Test("go with issuers of tokens, each with a file of its keys")
  func issuers() throws {
    let folder = try KeyFolder()
    let key =
      #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#
    _ = try folder.directory.file("jwks.json", "{\"keys\":[\(key)]}")
    _ = try folder.directory.file("broken.json", "{\"keys\":[{}]}")
    let auth = try folder.load("jwt: { jwks: jwks.json, issuer: a, audience: [b, c] }").auth
    #expect(auth.issuers.count == 1 && auth.issuers[0].keys.count == 1 && auth.issuers[0].audiences == ["b", "c"])
    #expect(auth.issuers[0].algorithms == [.es256, .rs256, .edDSA] && auth.issuers[0].leeway == .seconds(30))
    #expect(auth.tellsCallersApart && auth.refresh == .seconds(5) && auth.tokens == 10_000)
    let two = "[{ jwks: jwks.json, issuer: a, audience: b }, { jwks: jwks.json, issuer: c, audience: b }]"
    #expect(try folder.load("jwt: \(two)").auth.issuers.count == 2)
    for (wrong, words) in [
      ("{}", "has no jwks"), ("{ jwks: jwks.json, issuer: a }", "has no audience"),
      ("{ jwks: jwks.json, audience: a }", "has no issuer"),
      ("{ jwks: none.json, issuer: a, audience: b }", "cannot be read"),
      ("{ jwks: broken.json, issuer: a, audience: b }", "is no set of keys"), ("[]", "names nobody"),
      ("{ jwks: jwks.json, issuer: a, audience: b, algorithms: [RS256] }", "has no key for any of RS256"),
      ("{ jwks: jwks.json, issuer: a, audience: b, algorithms: [none] }", "is none of ES256"),
      ("{ jwks: jwks.json, issuer: a, audience: b, algorithms: [] }", "names no algorithm"),
      ("{ jwks: jwks.json, issuer: a, audience: b, leeway: 11m }", "must be between"),
      (two.replacing("issuer: c", with: "issuer: a"), "is named twice"),
      ("{ jwks: jwks.json, issuer: '', audience: b }", "auth.jwt.issuer: is blank"),
      ("{ jwks: jwks.json, issuer: '${NO_ISSUER:-}', audience: b }", "auth.jwt.issuer: is blank"),
      ("{ jwks: jwks.json, issuer: a, audience: [b, ''] }", "auth.jwt.audience[1]: is blank"),
      ("{ jwks: jwks.json, issuer: a, audience: b, subject: '' }", "auth.jwt.subject: is blank"),
      ("{ jwks: jwks.json, issuer: a, audience: b, scopes: '' }", "auth.jwt.scopes: is blank"),
      ("{ jwks: jwks.json, issuer: a, audience: b, subject: ' ' }", "auth.jwt.subject: is blank"),
      ("{ jwks: jwks.json, issuer: [], audience: b }", "auth.jwt.issuer: names nobody"),
      ("{ jwks: jwks.json, issuer: a, audience: [] }", "auth.jwt.audience: names nobody"),
    ] {
      let found = folder.complaints("jwt: \(wrong)")
      #expect(found.contains { $0.contains(words) }, "\(wrong) \(found)")
      // What cannot be known of the keys is not told.
      #expect(!found.contains { $0.contains("has no key for any of ") } || wrong.contains("[RS256]"), "\(found)")
    }
  }

  @Test("go with rules, each of which allows or denies")
  func rules() throws {
    let folder = try KeyFolder()
    let rules = try folder.load(
      #"rules: [{ deny: { topic: "a*" } }, { allow: { subject: [a, b], scope: c, service: d, method: e } }]"#
    )
    .auth.rules
    #expect(rules.map(\.isAllowed) == [false, true])
    #expect(rules[0].topics == ["a*"] && rules[0].subjects == nil)
    #expect(rules[1].subjects == ["a", "b"] && rules[1].scopes == ["c"] && rules[1].services == ["d"])
    #expect(rules[1].methods == ["e"])
    for wrong in [
      "{}", "{ allow: {}, deny: {} }", "{ permit: {} }", "allow", "{ allow: { subjects: a } }",
      "{ deny: { topic: {} } }",
    ] {
      #expect(folder.complaints("rules: [\(wrong)]").count == 1, "\(wrong)")
    }
  }

  @Test(
    "refuse rules that are left empty, which would allow everything",
    arguments: ["[{ allow: }]", "[{ allow: ~ }, { deny: { method: a } }]"])
  func emptyRules(rules: String) throws {
    let folder = try KeyFolder()
    let complaints = folder.complaints("rules: \(rules)")
    #expect(
      complaints.count == 1 && complaints[0].contains("says nothing; for everything write allow: {}"), "\(complaints)")
    let none = folder.complaints("rules: []")
    #expect(none.count == 1 && none[0].contains("has no rule"), "\(none)")
    #expect(folder.complaints("rules: [{ allow: {} }]") == [])
  }

  @Test(
    "refuse a rule for names that no service and no method can have: a denial would deny nothing",
    arguments: ["sec[r]et", "{secret,slow}", "a b", "a/b", "\u{E4}", "^a", ""])
  func rulesOfNoName(glob: String) throws {
    let folder = try KeyFolder()
    for key in ["service", "method"] {
      let complaints = folder.complaints("rules: [{ deny: { \(key): \"\(glob)\" } }, { allow: { subject: \"*\" } }]")
      #expect(
        complaints.count == 1 && complaints[0].contains("\"\(glob)\" matches no name; globs are letters"),
        "\(complaints)")
    }
    // Names of callers, their scopes and topics may have any signs.
    let rules = "rules: [{ deny: { subject: \"CN=a, O={b}\", scope: \"a:b/c\", topic: \"t[1]\" } }]"
    #expect(folder.complaints(rules) == [])
    #expect(folder.complaints("rules: [{ deny: { service: \"a-b_*\", method: \"?.get*\" } }]") == [])
  }

  @Test(
    "refuse a rule that lists nothing, and so fits nothing",
    arguments: ["subject", "scope", "service", "method", "topic"])
  func rulesOfNothing(key: String) throws {
    let folder = try KeyFolder()
    for kind in ["deny", "allow"] {
      let found = folder.complaints("rules: [{ \(kind): { \(key): [] } }, { allow: {} }]")
      #expect(found.count == 1 && found[0].contains("\(key): lists nothing"), "\(found)")
    }
    // There is a topic without a letter.
    let empty = folder.complaints("rules: [{ deny: { \(key): '' } }, { allow: {} }]")
    #expect(empty.count == (key == "topic" ? 0 : 1), "\(empty)")
  }

  @Test("rules that name no service, and globs that are of none, are noted")
  func rulesOfNobody() throws {
    let directory = try TemporaryDirectory()
    let keys = try directory.file("keys.yaml", "\(APIKey.random().digest.hex): { subject: alice }")
    let notes = try Configuration.load(
      yaml: """
        auth:
          keys: { file: \(keys) }
          rules:
            - allow: { service: [math, "ma*", "*"] }
            - deny: { service: [maht, "x*"], method: [get] }
            - allow: {}
        services:
          math: { pattern: rpc, connect: ["tcp://127.0.0.1:1"] }
        """, file: "f"
    ).notes
    #expect(
      notes == [
        "auth.rules[1].service: there is no service \"maht\"; did you mean \"math\"?",
        "auth.rules[1].service: there is no service \"x*\"",
      ])
  }
}
