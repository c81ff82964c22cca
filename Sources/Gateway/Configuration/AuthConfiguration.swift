package import ConfigurationReader
import FoundationEssentials
package import GatewaySecurity
package import HTTPServer
import Reactor

extension Configuration {
  /// Who may call, and what: `auth`. Where there are neither keys nor issuers of tokens everyone who reaches the gateway may call everything.
  public struct Auth: Hashable, Sendable {
    /// Who is known (default: nobody).
    package var keys: [Key] = []
    /// The file of the keys.
    package var keysFile: String?
    /// Whose tokens count (default: nobody's).
    package var issuers: [TokenSettings] = []
    /// Whose client certificates count, as `http.tls` says; nil: nobody's.
    package var certificates: ClientAuthorities?
    /// Tokens that are known at one time, on each thread, 1...1,000,000 (default: 10,000).
    public var tokens = 10_000
    /// The cookie that may bring a key or a token; nil: none (default).
    public var cookie: String?
    /// Tickets that are given in the time for which one is good, 1...1,000,000 (default: 10,000).
    public var ticketLimit = 10_000
    /// How many of them one caller gets, 1...1,000,000 (default: 1,000).
    public var ticketShare = 1_000
    /// For how long a ticket is good, 1 s to 10 min (default: 30 s).
    public var ticketTime: Duration = .seconds(30)
    /// How often the files are looked at, 100 ms to 1 h (default: 5 s).
    public var refresh: Duration = .seconds(5)
    /// What those who are known may do, in order: the first that fits decides, and what none fits is refused. None at all: everything
    /// (default: none).
    public var rules: [Rule] = []
    /// Which service is asked besides whether they may; nil: none (default).
    public var decision: Decision?

    /// Nobody is known, and everybody may do everything.
    public init() {}

    /// Whether callers are told apart.
    var tellsCallersApart: Bool { keysFile != nil || !keys.isEmpty || !issuers.isEmpty || certificates != nil }

    /// The same without what its files say.
    var withoutKeys: Auth {
      var auth = self
      auth.keys = []
      for index in auth.issuers.indices { auth.issuers[index].keys = [] }
      return auth
    }

    /// Takes each key of the section. Paths are those of the folder of the configuration. Returns where `decision` stands, which can be
    /// checked when the services are known.
    mutating func read(_ section: Section, in folder: String, _ diagnostics: Diagnostics) -> Section? {
      if let inner = section.section("keys") {
        if let field = inner.field("file") {
          if let path = field.text("the path of a file") {
            readKeys(path.hasPrefix("/") ? path : folder + path, field, diagnostics)
          }
        } else {
          inner.report("has no file; name one that zmq-gateway keygen apikey has written to", at: nil)
        }
        inner.finish()
      }
      section.read("rules", into: &rules) { field in
        let elements = field.elements()
        if elements?.isEmpty == true { field.report("has no rule; leave it out where every caller may do everything") }
        return elements?.compactMap(Rule.init)
      }
      if let field = section.field("jwt") { readIssuers(field, in: folder) }
      section.read("tokens", into: &tokens) { $0.integer(in: 1...1_000_000) }
      section.read("cookie", into: &cookie) { Key.word($0, "the name of a cookie") }
      if let cookie, cookie.contains(where: { "=;,\"".contains($0) }) {
        section.report("no cookie has such a name", at: "cookie")
      }
      if let inner = section.section("tickets") {
        inner.read("limit", into: &ticketLimit) { $0.integer(in: 1...1_000_000) }
        inner.read("share", into: &ticketShare) { $0.integer(in: 1...1_000_000) }
        inner.read("keep", into: &ticketTime) { $0.duration(in: .seconds(1) ... .seconds(600)) }
        inner.finish()
      }
      section.read("refresh", into: &refresh) { $0.duration(in: .milliseconds(100) ... .hours(1)) }
      let place = section.section("decision")
      decision = place.map(Decision.init)
      for (key, isThere) in [("rules", !rules.isEmpty), ("decision", decision != nil)] where isThere {
        guard !section.has("keys"), !section.has("jwt"), certificates == nil else { continue }
        section.report("need keys, jwt or http.tls.client-ca: without them nobody is told apart", at: key)
      }
      section.finish()
      return place
    }

    /// One issuer, or a list of them.
    private mutating func readIssuers(_ field: Field, in folder: String) {
      let fields = field.isMapping ? [field] : field.elements() ?? []
      issuers = fields.compactMap { field in field.section().map { TokenSettings($0, in: folder) } }
      if fields.isEmpty {
        field.report("names nobody; say who makes tokens: { jwks: ..., issuer: ..., audience: ... }")
      }
      let names = issuers.flatMap(\.names)
      for name in Set(names).sorted() where names.count(where: { $0 == name }) > 1 {
        field.report("contradiction: \"\(name)\" is named twice, and a token is of one issuer")
      }
    }

    private mutating func readKeys(_ path: String, _ field: Field, _ diagnostics: Diagnostics) {
      keysFile = path
      do throws(TextFile.Unreadable) {
        let own = Diagnostics(file: path, environment: diagnostics.environment)
        // `{}` takes all keys back, and is no mistake.
        let found = Self.keys(of: try TextFile.read(path), own)
        if found == nil, own.isEmpty { field.report("\(path) has no keys; zmq-gateway keygen apikey makes one") }
        keys = found ?? []
        diagnostics.add(own)
      } catch {
        field.report("\(path) \(error.reason)")
      }
    }

    /// The keys in the text of a file; nil when it has nothing but comments, or is no YAML.
    package static func keys(of text: String, _ diagnostics: Diagnostics) -> [Key]? {
      let document = YAMLDocument(text, diagnostics)
      guard document.isMapping else { return nil }
      var keys: [Key] = []
      var seen: Set<SecretDigest> = []
      for hex in document.root?.keys ?? [] {
        guard let root = document.root, let key = Key(hex, in: root) else { continue }
        if seen.insert(key.digest).inserted { keys.append(key) } else { root.report("is listed twice", at: hex) }
      }
      return keys
    }

    /// The keys that the file has now; throws when it is not as it should be.
    func reloadedKeys() throws -> [Key] {
      guard let keysFile else { return keys }
      let text: String
      do throws(TextFile.Unreadable) { text = try TextFile.read(keysFile) } catch {
        throw KeyDescription.Fault("\(keysFile) \(error.reason)")
      }
      let diagnostics = Diagnostics(file: keysFile, environment: ProcessInfo.processInfo.environment)
      let keys = Self.keys(of: text, diagnostics)
      try diagnostics.finish()
      // Whoever is writing it may just have emptied it.
      guard let keys else {
        throw KeyDescription.Fault("\(keysFile) has no keys; to take all of them back, write {} there")
      }
      return keys
    }
  }

  /// A key, and whose it is: one line of the file that `auth.keys` names.
  package struct Key: Hashable, Sendable {
    /// The SHA-256 of the key.
    package var digest: SecretDigest
    /// Who has it: 1 to 255 visible characters of ASCII.
    package var subject: String
    /// What the subject may do, in words that `auth.rules` knows.
    package var scopes: Set<String>

    package init(digest: SecretDigest, subject: String, scopes: Set<String> = []) {
      self.digest = digest
      self.subject = subject
      self.scopes = scopes
    }

    fileprivate init?(_ hex: String, in root: Section) {
      guard let section = root.section(hex) else { return nil }
      guard let digest = SecretDigest(hex: hex) else {
        root.report(
          "is no SHA-256 of a key, 64 hexadecimal digits; zmq-gateway keygen apikey writes the whole line", at: hex)
        return nil
      }
      self.init(digest: digest, subject: "")
      section.read("subject", into: &subject) { Self.word($0, "a name such as alice") }
      section.read("scopes", into: &scopes) { field in
        field.elements().map { Set($0.compactMap { Self.word($0, "a word such as read") }) }
      }
      if !section.has("subject") { section.report("has no subject; say who has this key") }
      section.finish()
    }

    fileprivate static func word(_ field: Field, _ expected: String) -> String? {
      guard let text = field.text(expected) else { return nil }
      guard 1...255 ~= text.utf8.count, text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
        field.report("expected \(expected), of 1 to 255 visible characters of ASCII")
        return nil
      }
      return text
    }
  }

  /// What is allowed to some, or denied: an element of `auth.rules`. Each list is one of globs, any of which may match; nil matches
  /// everything.
  public struct Rule: Hashable, Sendable {
    /// Whether what it fits is allowed, or denied.
    public var isAllowed: Bool
    /// Of whom it speaks, by their names.
    public var subjects: [String]?
    /// Of whom it speaks, by any of their scopes.
    public var scopes: [String]?
    /// Names of services.
    public var services: [String]?
    /// Methods that are called or published. It fits no subscription then.
    public var methods: [String]?
    /// Topics that are published on or subscribed to. It fits no call then.
    public var topics: [String]?

    /// A rule that fits everything by default.
    public init(isAllowed: Bool) { self.isAllowed = isAllowed }

    init?(_ field: Field) {
      guard let outer = field.section() else { return nil }
      guard outer.keys.count == 1, let kind = outer.keys.first, ["allow", "deny"].contains(kind) else {
        field.report("a rule is one of allow: { ... } and deny: { ... }")
        return nil
      }
      self.init(isAllowed: kind == "allow")
      guard let inner = outer.field(kind), let section = inner.section() else { return nil }
      if !inner.isMapping { inner.report("says nothing; for everything write \(kind): {}") }
      section.read("subject", into: &subjects) {
        Self.globs($0) { $0.allSatisfy(\.isWhitespace) ? "is blank, and nobody is called so" : nil }
      }
      section.read("scope", into: &scopes) { Self.globs($0) { $0.isEmpty ? "is empty, which is no scope" : nil } }
      section.read("service", into: &services) { Self.globs($0, Self.faultOfName) }
      section.read("method", into: &methods) { Self.globs($0, Self.faultOfName) }
      section.read("topic", into: &topics) { Self.globs($0) { _ in nil } }
      section.finish()
    }

    /// What fits nothing is refused: a denial would deny nothing.
    private static func globs(_ field: Field, _ fault: (String) -> String?) -> [String]?? {
      let elements = field.elements()
      if elements?.isEmpty == true {
        field.report("lists nothing, and so fits nothing; leave it out to fit everything")
      }
      return elements.map { elements in
        elements.compactMap { element in
          guard let text = element.text("a name or a glob such as get*") else { return nil }
          guard let fault = fault(text) else { return text }
          element.report(fault)
          return nil
        }
      }
    }

    private static func faultOfName(_ text: String) -> String? {
      Glob.mayMatchName(text)
        ? nil : "\"\(text)\" matches no name; globs are letters, digits, \"_\", \".\", \"-\", \"*\" and \"?\""
    }
  }
}
