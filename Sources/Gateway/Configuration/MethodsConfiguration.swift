import ConfigurationReader
import Reactor
public import ZeroMQRPC

extension Configuration {
  /// Which methods callers reach, and what holds for them: globs in which `*` is any run of characters, dots included, and `?` is
  /// one.
  ///
  /// A method with a part that starts with `_` is never reached.
  public struct Methods: Sendable, Hashable {
    /// What can be called (default: everything).
    public var expose: [String]
    /// What cannot, even when exposed (default: nothing).
    public var hide: [String]
    /// What GET may call as well (default: nothing).
    public var safe: [String]
    /// What is told of each call who makes it, by the keyword argument `_ctx` (default: nothing).
    public var context: [String]
    /// What holds for methods by name or glob, in place of the service's own (default: nothing). Of those that match a method, the
    /// most specific one that sets something decides it: an exact name, then the longest glob.
    public var settings: [String: MethodSettings]
    /// What methods take and give, by their names (default: nothing). Calls with other arguments are refused.
    var declared: [String: DeclaredSignature] = [:]

    /// Everything by POST and nothing by GET, by default.
    public init(
      expose: [String] = ["*"], hide: [String] = [], safe: [String] = [], context: [String] = [],
      settings: [String: MethodSettings] = [:]
    ) {
      self.expose = expose
      self.hide = hide
      self.safe = safe
      self.context = context
      self.settings = settings
    }

    /// The methods that are named in full, and can be called, in the order of their names.
    var named: [MethodName] {
      let policy = MethodPolicy(self)
      let names = Set(expose + safe + settings.keys + declared.keys).filter { !Glob.isGlob($0) }
      return names.sorted().compactMap { try? policy.method($0) }
    }

    /// Reads the keys of a service with these settings, or of one that gives no results.
    mutating func read(_ section: Section, of rpc: RPC?) {
      section.read("expose", into: &expose, Self.globs)
      section.read("hide", into: &hide, Self.globs)
      if let rpc {
        section.read("safe", into: &safe, Self.globs)
        section.read("context", into: &context, Self.globs)
        if let inner = section.section("settings") { readSettings(inner, of: rpc) }
      } else {
        section.refuse("safe", because: "does not apply: only methods of pattern rpc are called with GET")
        section.refuse("context", because: "does not apply: only methods of pattern rpc are told who calls them")
        section.refuse("settings", because: "does not apply: only methods of pattern rpc are answered")
      }
      if let inner = section.section("declare") { readDeclarations(inner) }
      section.finish(hints: [
        (
          ["timeout", "max-timeout", "cost", "priority", "coalesce", "keep"],
          "it goes under settings, there under the name of a method"
        )
      ])
    }

    private mutating func readSettings(_ section: Section, of rpc: RPC) {
      var places: [String: Section] = [:]
      for glob in section.keys {
        guard let inner = section.section(glob) else { continue }
        if let fault = Self.fault(glob) { section.report(fault, at: glob) }
        settings[glob] = MethodSettings(inner)
        places[glob] = inner
      }
      // What holds for a glob taken as a name: a wider one that is matched by it covers all that it does.
      let names = SettingsByName(settings)
      for (glob, place) in places {
        let timeout = names.first(for: glob, \.timeout) ?? rpc.timeout
        let most = names.first(for: glob, \.maximumTimeout) ?? rpc.maximumTimeout
        guard timeout > most, let own = settings[glob], own.timeout != nil || own.maximumTimeout != nil else {
          continue
        }
        place.reportContradiction(timeout, most)
      }
    }

    private mutating func readDeclarations(_ section: Section) {
      let policy = MethodPolicy(self)
      for name in section.keys {
        let signature = section.field(name)?.value(
          "a signature such as (id:int, verbose:bool?) -> dict", DeclaredSignature.init)
        do throws(Problem) {
          let method = try policy.method(name)
          if let signature { declared[method.text] = signature }
        } catch {
          section.report(error.detail, at: name)
        }
      }
    }

    /// Globs of method names that can match something.
    private static func globs(_ field: Field) -> [String]? {
      guard let elements = field.elements() else { return nil }
      var globs: [String] = []
      for element in elements {
        guard let text = element.text("a glob such as get*") else { continue }
        if let fault = fault(text) { element.report(fault) } else { globs.append(text) }
      }
      return globs
    }

    /// Why a glob matches nothing.
    private static func fault(_ glob: String) -> String? {
      if !Glob.mayMatchName(glob) {
        return "\"\(glob)\" matches no method; globs are letters, digits, \"_\", \".\", \"-\", \"*\" and \"?\""
      }
      let hasHiddenPart = glob.split(separator: ".").contains { $0.hasPrefix("_") }
      return hasHiddenPart ? "a method part that starts with \"_\" is never callable" : nil
    }
  }

  /// What holds for some methods of a service; what is nil holds as it does for the service.
  public struct MethodSettings: Sendable, Hashable {
    /// How long a call may take when the caller does not say.
    public var timeout: Duration?
    /// The longest a caller may ask for. A longer `timeout` is cut to it.
    public var maximumTimeout: Duration?
    /// Whether GETs that ask for the same at one time share one call; nil is no.
    public var coalesce: Bool?
    /// For how long GETs that ask for the same get the same result; nil is not at all. They share calls then as well.
    public var keep: Duration?
    /// As how many requests a call counts against `limits.rate`; nil is 1.
    public var cost: Int?
    /// How much calls matter beside others of the service when there is no room for all; nil is `normal`.
    public var priority: CallPriority?
    /// What callers learn of exceptions. Names of `map` that are not here are looked up in the service's.
    public var errors = Errors()

    /// Settings that change nothing by default.
    public init() {}

    init(_ section: Section) {
      section.read("timeout", into: &timeout) { $0.duration(in: RPC.timeouts) }
      section.read("max-timeout", into: &maximumTimeout) { $0.duration(in: RPC.timeouts) }
      section.read("coalesce", into: &coalesce) { $0.boolean() }
      section.read("keep", into: &keep) { $0.duration(in: .milliseconds(1) ... .hours(24)) }
      section.read("cost", into: &cost) { $0.integer(in: 1...10_000) }
      section.read("priority", into: &priority) { $0.choice() }
      if keep != nil, coalesce == false {
        section.report("contradiction: while a result is kept, requests share it", at: "coalesce")
      }
      if let inner = section.section("errors") { errors.read(inner) }
      section.finish()
    }
  }
}
