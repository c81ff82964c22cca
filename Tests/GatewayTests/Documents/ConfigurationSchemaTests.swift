import ConfigurationReader
import Foundation
import Support
import Testing

@testable import Gateway

@Suite("The JSON Schema of the configuration", .inTurn(minutes: 3))
struct ConfigurationSchemaTests {
  /// Reads a text; returns what was made of it, and what was asked for on the way.
  private static func read(_ yaml: String) -> (Result<Configuration, ConfigurationErrors>, asked: Set<String>) {
    let diagnostics = Diagnostics(file: "gateway.yaml", environment: [:])
    do throws(ConfigurationErrors) {
      let configuration = try Configuration.load(
        yaml: yaml, file: "gateway.yaml", overrides: .init(), diagnostics)
      return (.success(configuration), diagnostics.asked)
    } catch {
      return (.failure(error), diagnostics.asked)
    }
  }

  @Test("names the keys that are read, and no others")
  func keys() throws {
    // All sections, each with names where the writer gives them.
    let connected = """
      http: { tls: {}, cors: {}, limits: {} }
      auth: { keys: { file: nowhere }, jwt: {}, tickets: {}, rules: [{ allow: {} }, { deny: {} }], decision: { service: rpc } }
      errors: { map: { KeyError: 404 } }
      limits: {}
      log: {}
      tracing: { headers: { KeyError: a } }
      async: {}
      idempotency: {}
      services:
        rpc:
          pattern: rpc
          connect: [{ endpoint: "tcp://127.0.0.1:5555" }]
          breaker: {}
          priorities: {}
          retries: {}
          hedge: {}
          methods: { declare: { KeyError: () }, settings: { KeyError: { errors: { map: { KeyError: 404 } } } } }
          routes: { GET /users: users }
          curve: {}
          watch: {}
          errors: { map: { KeyError: 404 } }
          json: {}
          ext: { 10: text }
        pipeline: { pattern: pipeline, connect: ["tcp://127.0.0.1:5555"], curve: {}, methods: { declare: { KeyError: () } }, ext: { 10: text } }
        pubsub:
          pattern: pubsub
          publish: { connect: ["tcp://127.0.0.1:5555"] }
          subscribe: { connect: ["tcp://127.0.0.1:5555"], history: {}, last: {}, seq: {} }
          curve: {}
          methods: { declare: { KeyError: () } }
          json: {}
          ext: { 10: text }
      """
    let bound = """
      services:
        rpc: { pattern: rpc }
        pipeline: { pattern: pipeline }
        pubsub: { pattern: pubsub, publish: {}, subscribe: {} }
      """
    let asked = Self.read(connected).asked.union(Self.read(bound).asked).map { path in
      path.replacing(/\[[0-9]+\]/, with: "").replacing(/\.(KeyError|GET \/users|10)(?=$|\.)/, with: ".*")
    }
    let known = Set(try ConfigurationSchema().keys.map(\.name))
    #expect(known.count > 120)
    #expect(Set(asked).subtracting(known).sorted() == [], "read, but not in the schema")
    #expect(known.subtracting(asked).sorted() == [], "in the schema, but not read")
  }

  @Test("has the bounds of whole numbers that are read")
  func bounds() throws {
    let keys = try ConfigurationSchema().keys.filter { $0.bounds != nil }
    #expect(keys.count > 20)
    for key in keys {
      guard let bounds = key.bounds else { continue }
      for number in [bounds.lowerBound - 1, bounds.lowerBound, bounds.upperBound, bounds.upperBound + 1] {
        let (result, _) = Self.read(Self.document(key.path, "\(number)"))
        var faults: [ConfigurationError] = []
        if case .failure(let errors) = result { faults = errors.problems }
        let isRefused = faults.contains { $0.message.hasPrefix("must be between") }
        #expect(isRefused == !bounds.contains(number), "\(key.name): \(number): \(faults)")
      }
    }
  }

  @Test("has the defaults that hold when a key is not written")
  func defaults() throws {
    let keys = try ConfigurationSchema().keys.filter { $0.standard != nil }
    #expect(keys.count > 60)
    for key in keys {
      guard let standard = key.standard else { continue }
      let written = Self.read(Self.document(key.path, standard.description)).0
      let left = Self.read(Self.document(key.path, nil)).0
      switch (written, left) {
      case (.success(let written), .success(let left)): #expect(written == left, "\(key.name): \(standard)")
      case (.failure(let written), .failure(let left)):
        #expect(written.problems.map(\.message) == left.problems.map(\.message), "\(key.name): \(standard)")
      default: Issue.record("\(key.name): \(standard): \(written), without it \(left)")
      }
    }
  }

  /// The least configuration with that value there, or with all but the key. JSON is YAML too.
  private static func document(_ path: [String], _ value: String?, in parents: [String] = []) -> String {
    guard let key = path.first else { return value ?? "" }
    var members = siblings(parents).filter { $0.key != key }.map { "\"\($0.key)\": \($0.value)" }
    if path.count > 1 || value != nil {
      let name = key != "*" ? key : parents.last == "ext" ? "10" : "KeyError"
      let inner = document(Array(path.dropFirst()), value, in: parents + [key])
      // A list of mappings.
      let isList = (key == "connect" || key == "rules") && path.count > 1
      members.append("\"\(name)\": " + (isList ? "[\(inner)]" : inner))
    }
    return "{ \(members.joined(separator: ", ")) }"
  }

  /// What a section has to have beside the key that is tried.
  private static func siblings(_ parents: [String]) -> [(key: String, value: String)] {
    let connect = (key: "connect", value: "[\"tcp://127.0.0.1:5555\"]")
    switch parents {
    case ["services", "pubsub"]:
      return [("pattern", "\"pubsub\""), ("publish", "{ \"connect\": \(connect.value) }")]
    case ["services", "rpc"], ["services", "pipeline"]: return [("pattern", "\"\(parents[1])\""), connect]
    case ["services", "pubsub", "publish"], ["services", "pubsub", "subscribe"]: return [connect]
    case ["services", "pubsub", "subscribe", "seq"]: return [("keyword", "\"n\"")]
    case ["http", "tls"]:
      // Without those who are trusted the others have no effect.
      return ["certificate", "key", "client-ca"].map { ($0, "\"/nowhere\"") }
    case ["tracing"]: return [("otlp", "\"http://127.0.0.1:4318\"")]
    case ["limits"]: return [("rate", "\"100/s\"")]
    case ["http"]: return [("trusted-proxies", "\"10.0.0.0/8\"")]
    case ["services", "rpc", "connect"]: return [("endpoint", "\"tcp://127.0.0.1:5555\"")]
    default: return []
    }
  }

  /// What only reading knows, by the beginning of a key: the schema takes it.
  private static let unknowable = [
    "auth.keys.file": "what is in other files",
    "auth.decision.service": "which services there are",
    "http.tls.certificate": "what is in other files",
    "http.tls.key": "what is in other files",
    "http.tls.client-ca": "what is in other files",
    "services.rpc.retries": "nothing is sent twice without methods that are safe",
    "services.rpc.hedge": "nothing is sent twice without methods that are safe",
  ]

  @Test(
    "refuses what is refused when it is read, and nothing else, whatever stands in the place of a key",
    .enabled(if: Python.isThere, "\(Python.comment)"))
  func agreement() async throws {
    let values = ["[]", "{}", "5", "true", "\"\"", "\"x y\"", "\"/x/\"", "[[]]", "null", "[\"x y\"]"]
    var places: [(key: String, value: String, yaml: String)] = []
    for key in try ConfigurationSchema().keys {
      for value in values { places.append((key.name, value, Self.document(key.path, value))) }
    }
    let folder = try TemporaryDirectory()
    let file = try folder.file("documents", places.map { $0.yaml + "\n" }.joined())
    let lines = try await Python.lines(
      of: "configuration_schema.py", [Repository.path("docs/gateway.schema.json"), "--lines", file])
    let verdicts = try #require(lines.first).elements
    #expect(verdicts.count == places.count && places.count > 1_000)
    for (place, verdict) in zip(places, verdicts) {
      var isRefused = false
      if case .failure = Self.read(place.yaml).0 { isRefused = true }
      switch (isRefused, verdict == 1) {
      case (true, false):
        let isKnown = Self.unknowable.keys.contains { place.key.hasPrefix($0) }
        #expect(isKnown, "the schema takes \(place.key): \(place.value)")
      // A number or a truth value is a text when it is read.
      case (false, true):
        #expect(["5", "true"].contains(place.value), "the schema refuses \(place.key): \(place.value)")
      default: break
      }
    }
  }

  @Test(
    "takes the configurations of the repository, and refuses what is not read",
    .enabled(if: Python.isThere, "\(Python.comment)"))
  func files() async throws {
    let folder = try TemporaryDirectory()
    var good = ["docs/gateway.yaml", "Examples/python/gateway.yaml", "Benchmarks/gateway.yaml"].map(Repository.path)
    let pages = ["README.md", "docs/configuration.md", "docs/tutorial.md", "docs/deploy.md"]
    for page in pages {
      for (index, block) in Readme(try Repository.text(page)).blocks.enumerated()
      where block.language == "yaml" && block.lines.contains("services:") {
        good.append(try folder.file("\(page.replacing("/", with: "-"))-\(index).yaml", block.text))
      }
    }
    #expect(good.count > 6)
    var bad: [String] = []
    for (index, yaml) in Self.refused.enumerated() {
      #expect(throws: ConfigurationErrors.self, "\(yaml)") { try Self.read(yaml).0.get() }
      bad.append(try folder.file("bad-\(index).yaml", yaml))
    }
    let lines = try await Python.lines(
      of: "configuration_schema.py", [Repository.path("docs/gateway.schema.json")] + good + bad)
    #expect(lines.count == good.count + bad.count)
    for line in lines {
      let isBad = bad.contains(line["file"].text ?? "")
      #expect(line["faults"].elements.isEmpty != isBad, "\(line)")
    }
  }

  private static let refused = [
    "servces: {}", "http: { listn: \"127.0.0.1:80\" }", "http: { threads: many }", "http: { chunked: yes please }",
    "http: { limits: { body: 1XiB } }", "grace: 5", "grace: 5d", "auth: all", "auth: { rules: [{ permit: {} }] }",
    "errors: { expose: most }", "errors: { map: { KeyError: 200 } }", "async: { calls: 0 }",
    "services: { a/b: { pattern: rpc, connect: \"tcp://127.0.0.1:1\" } }",
    "services: { a: { connect: \"tcp://127.0.0.1:1\" } }", "services: { a: { pattern: rpc } }",
    "services: { a: { pattern: rps, connect: \"tcp://127.0.0.1:1\" } }",
    "services: { a: { pattern: rpc, connect: \"tpc://127.0.0.1:1\" } }",
    "services: { a: { pattern: pipeline, connect: \"tcp://127.0.0.1:1\", timeout: 5s } }",
    "services: { a: { pattern: rpc, connect: \"tcp://127.0.0.1:1\", bind: \"tcp://*:2\" } }",
    "services: { a: { pattern: rpc, connect: \"tcp://127.0.0.1:1\", hedge: { after: p50 } } }",
    "services: { a: { pattern: rpc, connect: \"tcp://127.0.0.1:1\", breaker: on } }",
    "services: { a: { pattern: rpc, connect: \"tcp://127.0.0.1:1\", ext: { 123: text } } }",
    "services: { a: { pattern: rpc, connect: \"tcp://127.0.0.1:1\", routes: { HEAD /a: a } } }",
    "services: { a: { pattern: pubsub } }",
    "services: { a: { pattern: pubsub, subscribe: { connect: \"tcp://127.0.0.1:1\", seq: { frame: 5 } } } }",
    "services: { a: { pattern: pubsub, subscribe: { connect: \"tcp://127.0.0.1:1\", slow: wait } } }",
  ]
}
