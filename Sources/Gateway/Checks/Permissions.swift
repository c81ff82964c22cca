/// What one caller may do: the rules of `auth.rules` that speak of them, in their order. The first that fits decides; what none fits is
/// refused.
///
/// What is asked for is known by name, and checked before it is looked for: a refusal tells nothing of what there is.
struct Permissions: Sendable {
  private struct Rule: Sendable {
    let isAllowed: Bool
    let services: [Glob]?
    let methods: [Glob]?
    let topics: [Glob]?
  }

  /// Nothing at all.
  static let none = Permissions(rules: [])

  private let rules: [Rule]

  private init(rules: [Rule]) { self.rules = rules }

  /// Those of a caller; nil when there are no rules, and everything may be done.
  init?(_ rules: [Configuration.Rule], subject: String, scopes: Set<String>) {
    guard !rules.isEmpty else { return nil }
    self.rules = rules.compactMap { rule in
      guard Self.fits(rule.subjects.globs, subject) else { return nil }
      if let globs = rule.scopes.globs, !scopes.contains(where: { Self.fits(globs, $0) }) { return nil }
      return Rule(
        isAllowed: rule.isAllowed, services: rule.services.globs, methods: rule.methods.globs, topics: rule.topics.globs
      )
    }
  }

  /// Whether a call may be made, or pushed.
  func allow(calling method: String, of service: String) -> Bool {
    let decision = rules.first {
      $0.topics == nil && Self.fits($0.services, service) && Self.fits($0.methods, method)
    }
    return decision?.isAllowed == true
  }

  /// Refuses a call that may not be made, or pushed.
  func check(calling method: String, of service: String) throws(Problem) {
    guard allow(calling: method, of: service) else { throw .notPermitted }
  }

  /// Refuses an event that may not be published.
  func check(publishing method: String, on topic: [UInt8], of service: String) throws(Problem) {
    let decision = rules.first {
      Self.fits($0.services, service) && Self.fits($0.methods, method) && Self.fits($0.topics, topic)
    }
    guard decision?.isAllowed == true else { throw .notPermitted }
  }

  /// Whether there is a topic with one of these beginnings on which the event may be published.
  func mayPublish(_ method: String, to service: String, offering prefixes: [[UInt8]]) -> Bool {
    let fitting = rules.filter { Self.fits($0.services, service) && Self.fits($0.methods, method) }
    return TopicAccess(fitting.map { .init(isAllowed: $0.isAllowed, topics: $0.topics) }).mayAllow(offered: prefixes)
  }

  /// Whether some events of a service may be seen, on topics with one of these beginnings.
  func maySubscribe(to service: String, offering prefixes: [[UInt8]] = [[]]) -> Bool {
    do throws(Problem) {
      return try topics(of: service)?.mayAllow(offered: prefixes) ?? true
    } catch {
      return false
    }
  }

  /// Which events of a service may be seen; refuses one of which none may. Nil: all may.
  func topics(of service: String) throws(Problem) -> TopicAccess? {
    var steps: [TopicAccess.Step] = []
    for rule in rules where rule.methods == nil && Self.fits(rule.services, service) {
      steps.append(.init(isAllowed: rule.isAllowed, topics: rule.topics))
      if rule.topics == nil { break }
    }
    let access = TopicAccess(steps)
    guard access.mayAllow(prefix: []) else { throw .notPermitted }
    return access.isWhole ? nil : access
  }

  /// Refuses a service of which nothing may be called.
  func check(callingSomethingOf service: String) throws(Problem) {
    guard mayCall(service) else { throw .notPermitted }
  }

  /// Whether something may be done of what that service is for.
  func mayReach(_ service: Configuration.Service) -> Bool {
    let name = service.name
    guard case .pubsub(let pubsub) = service.pattern else { return mayCall(name) }
    if let publish = pubsub.publish, mayPublish(to: name, offering: publish.prefixes) { return true }
    return pubsub.subscribe.map { maySubscribe(to: name, offering: $0.prefixes) } ?? false
  }

  /// Whether there are a method, and a topic with one of these beginnings, with which an event may be published.
  func mayPublish(to service: String, offering prefixes: [[UInt8]]) -> Bool {
    Self.allowSomething(rules.filter { Self.fits($0.services, service) }, offering: prefixes)
  }

  /// Whether there is a method that may be called.
  private func mayCall(_ service: String) -> Bool {
    Self.allowSomething(rules.filter { $0.topics == nil && Self.fits($0.services, service) })
  }

  /// So many globs of methods are held against each other for a service; with more, something of it counts as allowed.
  static let mostComparisons = 10_000

  /// Whether one of the rules allows what those before it do not deny, on topics with one of these beginnings.
  private static func allowSomething(_ rules: [Rule], offering prefixes: [[UInt8]] = [[]]) -> Bool {
    var denials: [Rule] = []
    var (deniedGlobs, comparisons) = (0, 0)
    for rule in rules {
      guard rule.isAllowed else {
        denials.append(rule)
        deniedGlobs += rule.methods?.count ?? 1
        continue
      }
      for written in rule.methods ?? [.anyName] {
        comparisons += deniedGlobs
        if comparisons > mostComparisons { return true }
        let method = written.matchesEverything ? .anyName : written
        let denied = denials.filter { denial in denial.methods?.contains { $0.covers(method) } ?? true }
        let access = TopicAccess(
          denied.map { .init(isAllowed: false, topics: $0.topics) } + [.init(isAllowed: true, topics: rule.topics)])
        if access.mayAllow(offered: prefixes) { return true }
      }
    }
    return false
  }

  private static func fits(_ globs: [Glob]?, _ name: String) -> Bool {
    guard let globs else { return true }
    let name = name.utf8.span
    for glob in globs where glob.matches(name) { return true }
    return false
  }

  private static func fits(_ globs: [Glob]?, _ topic: [UInt8]) -> Bool {
    globs.map { $0.contains { $0.matches(topic.span) } } ?? true
  }
}

extension [String]? {
  fileprivate var globs: [Glob]? { map { $0.map(Glob.init) } }
}

/// Which topics of a service a caller sees. The first step that fits a topic decides; what none fits is not seen.
struct TopicAccess: Hashable, Sendable {
  struct Step: Hashable, Sendable {
    let isAllowed: Bool
    /// Nil fits every topic.
    let topics: [Glob]?
  }

  private let steps: [Step]

  init(_ steps: [Step]) { self.steps = steps }

  /// Whether all topics are seen.
  var isWhole: Bool { steps.allSatisfy(\.isAllowed) && steps.last?.topics == nil }

  /// Whether events of exactly that topic are seen.
  func allows(_ topic: [UInt8]) -> Bool {
    for step in steps {
      guard let topics = step.topics else { return step.isAllowed }
      for glob in topics where glob.matches(topic.span) { return step.isAllowed }
    }
    return false
  }

  /// Whether some topic may be seen of those that begin so.
  func mayAllow(offered prefixes: [[UInt8]]) -> Bool { prefixes.contains(where: mayAllow) }

  /// Whether a topic that begins so may be seen, as far as that shows by one denial alone.
  func mayAllow(prefix: [UInt8]) -> Bool {
    var denied: [Glob] = []
    for step in steps {
      guard let topics = step.topics else { return step.isAllowed }
      if !step.isAllowed {
        denied += topics
        if topics.contains(where: { $0.matchesAll(prefix: prefix) }) { return false }
      } else if topics.contains(where: { topic in
        topic.mayMatch(prefix: prefix) && !denied.contains { $0.covers(topic) }
      }) {
        return true
      }
    }
    return false
  }
}

extension Problem {
  /// The caller may not do this, whether it exists or not.
  static let notPermitted = Problem(
    .permissionDenied, "Your key does not allow this, whether it is there or not; the operator decides with auth.rules."
  )
}
