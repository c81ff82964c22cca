import GatewaySecurity
import Support
import Testing

@testable import Gateway

@Suite("A configuration that comes after another", .inTurn(minutes: 1))
struct NextConfigurationTests {
  private func read(_ yaml: String) throws -> Configuration { try Configuration.load(yaml: yaml, file: "test.yaml") }

  @Test("what is read at a start only stays, and is named")
  func fixed() throws {
    let served = try read("http: { listen: [\"0.0.0.0:80\"], threads: 2 }\nauth: none")
    let next = try NextConfiguration(
      read("http: { threads: 3, limits: { batch: 7 } }\nauth: none\nservices: {}"), after: served)
    #expect(next.fixed == ["http.listen", "http.threads", "http.limits"])
    #expect(next.changed.isEmpty)
    #expect(next.configuration == served)
    // It would serve everyone who reaches 0.0.0.0, and nobody has said that it may.
    #expect(throws: (any Error).self) { try NextConfiguration(read("http: { threads: 2 }"), after: served) }
  }

  /// Of each setting outside of services two values; nil where the first one is not written. Files are named by `$`.
  private static let settings: [(name: String, values: (String?, String?))] = [
    ("http.listen", ("[\"127.0.0.1:81\"]", "[\"127.0.0.1:82\"]")), ("http.threads", ("1", "2")),
    ("http.prefix", (nil, "/api")), ("http.admin", (nil, "\"127.0.0.1:90\"")), ("http.socket-mode", (nil, "\"0600\"")),
    ("http.trusted-proxies", ("[10.0.0.1]", "[10.0.0.2]")), ("http.proxy-header", (nil, "forwarded")),
    ("http.server-timing", (nil, "true")), ("http.hosts", (nil, "[a.example]")),
    ("http.cors", (nil, "{ origins: [https://a.example] }")), ("http.chunked", (nil, "accept")),
    ("http.limits", (nil, "{ body: 2MiB }")), ("auth.keys", ("{ file: $a }", "{ file: $b }")),
    ("auth.jwt", (nil, "{ jwks: $jwks, issuer: a, audience: b }")), ("auth.tokens", (nil, "9")),
    ("auth.cookie", (nil, "key")), ("auth.tickets", (nil, "{ limit: 9, share: 3 }")), ("auth.refresh", (nil, "9s")),
    ("auth.rules", (nil, "[{ allow: { subject: alice } }]")), ("auth.decision", (nil, "{ service: s }")),
    ("grace", ("8s", "9s")), ("limits", (nil, "{ rate: 9/s }")),
    ("tracing", (nil, "{ otlp: http://127.0.0.1:4318 }")), ("log", (nil, "{ level: debug }")),
    ("errors", (nil, "{ expose: full }")), ("async", (nil, "{ keep: 9s }")), ("idempotency", (nil, "{ keep: 9s }")),
  ]

  @Test("each setting outside of services that differs is named, and nothing else")
  func names() async throws {
    let directory = try TemporaryDirectory()
    for name in ["a", "b"] {
      _ = try directory.file(name, "\(APIKey.random().digest.hex): { subject: alice }\n")
    }
    _ = try directory.file("jwks", TokenForge.set(try await TokenForge()))
    func configuration(_ texts: [String: String?]) throws -> Configuration {
      func section(_ prefix: String) -> String {
        let keys = texts.filter { $0.key.hasPrefix(prefix) && !$0.key.dropFirst(prefix.count).contains(".") }
        let lines = keys.compactMap { key, text in text.map { "\(key.dropFirst(prefix.count)): \($0)" } }
        return lines.joined(separator: ", ")
      }
      let services = "{ s: { pattern: rpc, connect: [\"ipc:///nowhere/s\"] } }"
      let yaml =
        "{ http: { \(section("http.")) }, auth: { \(section("auth.")) }, \(section("")), services: \(services) }"
      return try read(yaml.replacing("$", with: directory.path + "/"))
    }
    let texts = Dictionary(uniqueKeysWithValues: Self.settings.map { ($0.name, $0.values.0) })
    let served = try configuration(texts)
    for (name, values) in Self.settings {
      let wanted = try configuration(texts.merging([name: values.1]) { $1 })
      #expect(wanted != served, "\(name)")
      let next = try NextConfiguration(wanted, after: served)
      #expect(next.fixed + next.changed == [name])
      #expect((next.configuration == served) == next.changed.isEmpty, "\(name)")
    }
    // There are no others.
    let sections = ["services", "http", "auth"]
    let known = try ConfigurationSchema().keys.map(\.path).filter { path in
      path.count == 1 ? !sections.contains(path[0]) : path.count == 2 && sections.dropFirst().contains(path[0])
    }
    #expect(Set(known.map { $0.joined(separator: ".") }) == Set(Self.settings.map(\.name)).union(["http.tls"]))
  }
}
