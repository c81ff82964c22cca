import Reactor
import Support
import Testing

@testable import Gateway

@Suite("Rules of what callers may do", .inTurn(minutes: 3))
struct PermissionsTests {
  private func rules(_ yaml: String) throws -> [Configuration.Rule] {
    let directory = try KeyFolder()
    return try directory.load("rules: \(yaml.replacing("\n", with: " "))").auth.rules
  }

  private func permissions(_ yaml: String, _ subject: String = "alice", _ scopes: Set<String> = []) throws
    -> Permissions
  {
    try #require(Permissions(try rules(yaml), subject: subject, scopes: scopes))
  }

  private func sees(_ permissions: Permissions, _ service: String, _ topic: String) -> Bool {
    do throws(Problem) {
      return try permissions.topics(of: service)?.allows(Array(topic.utf8)) ?? true
    } catch {
      return false
    }
  }

  private func publishes(_ permissions: Permissions, _ service: String, _ topic: String, _ method: String) -> Bool {
    (try? permissions.check(publishing: method, on: Array(topic.utf8), of: service)) != nil
  }

  private func reaches(_ permissions: Permissions, _ service: String) -> Bool {
    (try? permissions.check(callingSomethingOf: service)) != nil
  }

  @Test("allow everything where there are none, and nothing that none of them fits")
  func extremes() throws {
    #expect(Permissions([], subject: "alice", scopes: []) == nil)
    let nothing = try permissions("[{ allow: { subject: bob } }]")
    #expect(!nothing.allow(calling: "add", of: "calc") && !sees(nothing, "news", "a") && !reaches(nothing, "calc"))
    #expect(!publishes(nothing, "news", "a", "m"))
    let everything = try permissions("[{ allow: {} }]")
    #expect(everything.allow(calling: "add", of: "calc") && publishes(everything, "news", "a", "m"))
    #expect(try everything.topics(of: "news") == nil)
  }

  @Test(
    "tell whether anything of a service may be followed, or published",
    arguments: [
      ("[{ allow: {} }]", true), ("[{ allow: { service: news } }]", true), ("[{ allow: { service: calc } }]", false),
      ("[{ deny: { topic: \"*\" } }, { allow: {} }]", false),
      ("[{ deny: { topic: [b, \"**\"] } }, { allow: {} }]", false),
      ("[{ deny: { topic: \"a*\" } }, { allow: {} }]", true),
      ("[{ allow: { topic: a } }, { deny: { topic: \"*\" } }, { allow: {} }]", true),
      ("[{ deny: { topic: [\"eu.*\", a] } }, { allow: { topic: [\"eu.*\", \"eu.??\", a] } }]", false),
      ("[{ deny: { topic: \"eu.*\" } }, { allow: { topic: [\"eu.*\", \"e*\"] } }]", true),
    ])
  func reach(rules: String, isThere: Bool) throws {
    let permissions = try permissions(rules)
    #expect(permissions.maySubscribe(to: "news") == isThere)
    #expect(permissions.mayPublish("m", to: "news", offering: [[]]) == isThere)
  }

  @Test(
    "tell of which services something may be done: as they are, and by no more than one denial alone",
    arguments: [
      ("[{ allow: {} }]", ["calc", "jobs", "news", "feed", "bulletin"]),
      (#"[{ deny: { topic: "*" } }, { allow: {} }]"#, ["calc", "jobs"]),
      (#"[{ deny: { method: "*" } }, { allow: {} }]"#, ["news", "feed"]),
      (#"[{ deny: { method: "*" } }, { deny: { topic: "*" } }, { allow: {} }]"#, []),
      (#"[{ allow: { topic: "*" } }]"#, ["news", "feed", "bulletin"]),
      (#"[{ allow: { method: "*" } }]"#, ["calc", "jobs", "news", "bulletin"]),
      (#"[{ deny: { method: "get*" } }, { allow: { service: calc, method: [get, "get?x"] } }]"#, []),
      (#"[{ deny: { method: "get*" } }, { allow: { service: calc, method: [get, "g*"] } }]"#, ["calc"]),
      // The feed and the bulletin offer nothing else.
      (#"[{ deny: { topic: "eu.*" } }, { allow: {} }]"#, ["calc", "jobs", "news"]),
      (#"[{ deny: { topic: "eu.*" } }, { allow: { topic: "eu.orders*" } }]"#, []),
      (#"[{ deny: { topic: "eu.*" } }, { allow: { topic: "us*" } }]"#, ["news"]),
      (#"[{ deny: { topic: "eu.*", method: tick } }, { allow: { topic: "eu.*", method: tick } }]"#, []),
      (
        #"[{ deny: { topic: "eu.*", method: tick } }, { allow: { topic: "eu.*", method: "t*" } }]"#,
        ["news", "bulletin"]
      ),
      (
        #"[{ deny: { topic: "eu.*", method: tick } }, { allow: { topic: "eu.*", method: [tick, tack] } }]"#,
        ["news", "bulletin"]
      ),
      (#"[{ deny: { method: "?*" } }, { allow: { service: [calc, jobs] } }, { allow: { method: "*" } }]"#, []),
      (#"[{ allow: { topic: "us*" } }]"#, ["news"]),
    ])
  func services(rules: String, names: [String]) throws {
    let configuration = try Configuration.load(
      yaml: """
        services:
          calc: { pattern: rpc, connect: ["ipc:///nowhere/c"] }
          jobs: { pattern: pipeline, connect: ["ipc:///nowhere/j"] }
          news:
            pattern: pubsub
            subscribe: { connect: ["ipc:///nowhere/n"], topics: ["eu.", "us."] }
            publish: { connect: ["ipc:///nowhere/p"] }
          feed: { pattern: pubsub, subscribe: { connect: ["ipc:///nowhere/f"], topics: ["eu."] } }
          bulletin: { pattern: pubsub, publish: { connect: ["ipc:///nowhere/b"], topics: ["eu."] } }
        """, file: "gateway.yaml")
    let permissions = try permissions(rules)
    #expect(configuration.services.filter(permissions.mayReach).map(\.name) == names)
  }

  @Test("are held against each other so often for a service, and no more", arguments: [(100, false), (101, true)])
  func comparisons(count: Int, isReached: Bool) throws {
    let names = (0..<count).map { "m\($0)" }.joined(separator: ", ")
    let permissions = try permissions("[{ deny: { method: [\(names)] } }, { allow: { method: [\(names)] } }]")
    #expect(reaches(permissions, "calc") == isReached)
    #expect(count * count <= Permissions.mostComparisons || isReached)
  }

  @Test("are asked in their order: the first that fits decides")
  func order() throws {
    let rules = """
      [{ deny: { method: "admin.*" } }, { allow: { scope: read, service: calc, method: ["get*", add] } },
       { allow: { subject: "root*" } }]
      """
    let reader = try permissions(rules, "bob", ["read", "write"])
    #expect(reader.allow(calling: "get_user", of: "calc") && reader.allow(calling: "add", of: "calc"))
    #expect(!reader.allow(calling: "set", of: "calc") && !reader.allow(calling: "add", of: "other"))
    #expect(!reader.allow(calling: "admin.get", of: "calc"))
    let root = try permissions(rules, "root-1")
    #expect(root.allow(calling: "set", of: "calc") && !root.allow(calling: "admin.x", of: "calc"))
    #expect(reaches(root, "anything"))
    #expect(reaches(reader, "calc") && !reaches(reader, "other"))
    let stranger = try permissions(rules, "bob", ["reader"])
    #expect(!stranger.allow(calling: "add", of: "calc"))
  }

  @Test("of topics say what is seen: those that are denied are not, whatever was asked for")
  func topics() throws {
    let reader = try permissions(#"[{ deny: { topic: ["secret.*", "?"] } }, { allow: { service: news, topic: "*" } }]"#)
    for topic in ["", "eu.orders", "secret", "secretary"] { #expect(sees(reader, "news", topic), "\(topic)") }
    for topic in ["secret.", "secret.a", "secret.a.b", "x"] { #expect(!sees(reader, "news", topic), "\(topic)") }
    #expect(!sees(reader, "other", "eu"))
    // No call is one of topics, and no subscription one of methods.
    #expect(!reader.allow(calling: "m", of: "news"))
    let caller = try permissions("[{ allow: { method: m } }]")
    #expect(!sees(caller, "news", "a") && caller.allow(calling: "m", of: "news") && publishes(caller, "news", "a", "m"))
    // Who may subscribe and not publish.
    let listener = try permissions(#"[{ deny: { method: "*" } }, { allow: { service: news } }]"#)
    #expect(sees(listener, "news", "a") && !publishes(listener, "news", "a", "m"))
  }

  @Test(
    "tell whether anything of a prefix may be seen",
    arguments: [
      ("secret.", false), ("secret.a", false), ("secret", true), ("sec", true), ("", true), ("eu", true), ("us", false),
      ("eu.orders.1", true), ("one", true), ("one.", false), ("on", true),
    ])
  func prefixes(prefix: String, may: Bool) throws {
    let some = try permissions(#"[{ deny: { topic: "secret.*" } }, { allow: { topic: ["eu.*", one, "secret*"] } }]"#)
    let access = try #require(try some.topics(of: "news"))
    #expect(access.mayAllow(prefix: Array(prefix.utf8)) == may)
  }

  @Test("make streams of equal filters different where different things may be seen")
  func filters() throws {
    let some = try permissions(#"[{ deny: { topic: "secret.*" } }, { allow: {} }]"#).topics(of: "news")
    let same = try permissions(#"[{ deny: { topic: "secret.*" } }, { allow: {} }]"#, "bob").topics(of: "news")
    let open = TopicFilter(prefixes: [[]])
    let closed = TopicFilter(prefixes: [[]], access: some)
    #expect(closed != open && closed == TopicFilter(prefixes: [[]], access: same))
    #expect(!open.isChoosy && closed.isChoosy)
  }

  @Test("hide events of a topic that is too long to be known whole", arguments: [245, 246])
  func longTopics(count: Int) throws {
    let event = Event(sequence: 1, topic: Array(repeating: 0x61, count: count), text: [], time: Instant(nanoseconds: 0))
    let some = try permissions(#"[{ deny: { topic: "*.secret" } }, { allow: { topic: "*" } }]"#).topics(of: "news")
    #expect(TopicFilter(prefixes: [[]], access: some).matches(event) == (count == 245))
    #expect(TopicFilter(prefixes: [[]]).matches(event))
  }
}
