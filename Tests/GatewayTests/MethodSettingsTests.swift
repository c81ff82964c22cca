import ConfigurationReader
import Support
import Testing

@testable import Gateway

@Suite("Settings of methods", .inTurn(minutes: 3))
struct MethodSettingsTests {
  private func settings(_ yaml: String) throws -> [String: Configuration.MethodSettings] {
    let text = rpc("max-timeout: 60s", "methods: { settings: \(yaml) }")
    return try Configuration.load(yaml: text, file: "f").services[0].methods.settings
  }

  @Test("are read by name and by glob")
  func reading() throws {
    let read = try settings(
      """
      { "report.*": { timeout: 30s, max-timeout: 2m, errors: { expose: class, map: { KeyError: 410 } } }, get: {} }
      """)
    var report = Configuration.MethodSettings()
    report.timeout = .seconds(30)
    report.maximumTimeout = .seconds(120)
    report.errors = .init(expose: .class, map: ["KeyError": 410])
    #expect(read == ["report.*": report, "get": .init()])
  }

  @Test(
    "that are wrong are told with their place",
    arguments: [
      ("{ a: { timeot: 1s } }", "timeot: unknown key; did you mean \"timeout\"?"),
      ("{ a: { timeout: 0s } }", "timeout: must be between 1ms and 24h"),
      ("{ a: { timeout: 61s } }", "timeout: contradiction: timeout is 61s, max-timeout only 1m, unless it is raised"),
      ("{ a: { max-timeout: 4s } }", "max-timeout: contradiction: timeout is 5s, max-timeout only 4s"),
      ("{ a: { errors: { map: { K: 200 } } } }", "errors.map.K: must be between 400 and 599"),
      ("{ a: 5s }", "expected a mapping of keys, not a single value"),
    ])
  func faults(yaml: String, expected: String) {
    let found = complaints(rpc("methods: { settings: \(yaml) }"))
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("5:") == true)
    #expect(found.first?.contains("services.math.methods.settings.a") == true)
    #expect(found.first?.hasSuffix(expected) == true)
  }

  @Test("of names that no method has are refused", arguments: ["a b", "", "_a", "a._b", "a/b"])
  func names(glob: String) {
    #expect(complaints(rpc("methods: { settings: { \"\(glob)\": {} } }")).count == 1)
  }

  @Test("may take their longest timeout from a wider glob")
  func wider() {
    #expect(complaints(rpc("methods: { settings: { \"*\": { max-timeout: 5m }, \"a.*\": { timeout: 4m } } }")) == [])
    #expect(
      complaints(rpc("methods: { settings: { \"b*\": { max-timeout: 5m }, \"a.*\": { timeout: 4m } } }")).count == 1)
  }

  @Test("are refused where nothing is answered")
  func oneWay() {
    #expect(
      complaints("services: { a: { pattern: pipeline, connect: tcp://h:1, methods: { settings: {} } } }") == [
        "1:68: services.a.methods.settings: does not apply: only methods of pattern rpc are answered"
      ])
  }

  @Test(
    "are decided by the exact name, then by the longest glob that sets them",
    arguments: [
      ("a.b", 1), ("a.bc", 2), ("a.c", 3), ("b", 4), ("", 4), ("a.b.c", 2),
    ])
  func specificity(name: String, seconds: Int) {
    func settings(_ seconds: Int?) -> Configuration.MethodSettings {
      var settings = Configuration.MethodSettings()
      settings.timeout = seconds.map { .seconds($0) }
      return settings
    }
    let names = SettingsByName([
      "*": settings(4), "a.*": settings(3), "a.b*": settings(2), "a.b": settings(1), "a.???????": settings(nil),
    ])
    #expect(names.first(for: name, \.timeout) == .seconds(seconds))
    #expect(names.first(for: name, \.maximumTimeout) == nil)
  }

  @Test("map errors before the service does, and that before the gateway")
  func errors() {
    func settings(_ map: [String: Int]) -> Configuration.MethodSettings {
      var settings = Configuration.MethodSettings()
      settings.errors.map = map
      return settings
    }
    let names = SettingsByName(["a*": settings(["KeyError": 410, "Mine": 411]), "ab": settings(["KeyError": 412])])
    let outer = ErrorMap(["Mine": 500, "Theirs": 501], ["Theirs": 502, "All": 503])
    func status(_ name: String, _ method: String) -> Int {
      names.errors(for: method, before: outer).verdict(for: name, firstArgument: nil, calling: method).status
    }
    #expect([status("builtins.KeyError", "ab"), status("builtins.KeyError", "ac")] == [412, 410])
    #expect([status("builtins.KeyError", "b"), status("x.Mine", "ab"), status("x.Mine", "b")] == [404, 411, 500])
    #expect([status("x.Theirs", "ab"), status("x.All", "ab")] == [501, 503])
  }
}
